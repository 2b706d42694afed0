"""What the shop owes in points, over a period."""

from typing import Any

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.finance import words
from returns_portal.finance.filters import day_begins, next_day, period, today
from returns_portal.finance.liability import CHANGES, liability_csv
from returns_portal.finance.overview import month_end
from returns_portal.i18n import translate
from returns_portal.points.liability import liability
from returns_portal.shop.queries import current
from returns_portal.web import page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

finance = [requires_staff("finance")]


@get("/finance/liability", guards=finance)
async def liability_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The sums by currency, and when what is left expires."""
    zone = (await current(db)).timezone
    begin = today(zone).replace(day=1)
    month = {"from": begin.isoformat(), "to": month_end(begin).isoformat()}
    typed = month | dict(request.query_params)
    errors: dict[str, str] = {}
    try:
        first, last = period(typed["from"], typed["to"], zone)
    except InvalidError as error:
        errors[error.field or ""] = translate(error.sentence, **error.values)
        first, last = begin, month_end(begin)
    found = await liability(db, actor, day_begins(first, zone), day_begins(next_day(last), zone))
    return page(
        request,
        "finance/liability.html",
        status=422 if errors else 200,
        found=found,
        changes=[(name, translate(heading)) for name, heading in CHANGES],
        words=words.FOR_TEMPLATES,
        first=first,
        last=last,
        typed=typed,
        errors=errors,
    )


@get("/finance/liability.csv", guards=finance)
async def liability_file(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The same as a file."""
    zone = (await current(db)).timezone
    query = request.query_params
    first, last = period(query.get("from") or None, query.get("to") or None, zone)
    found = await liability(db, actor, day_begins(first, zone), day_begins(next_day(last), zone))
    name = f"points-liability-{first}-{last}.csv"
    return Response(
        liability_csv(found, livemode=site(request).settings.livemode),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


routes: list[Any] = [liability_page, liability_file]

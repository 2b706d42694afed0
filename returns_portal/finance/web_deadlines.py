"""By when money has to go back: the list, and the same as a file."""

from datetime import timedelta
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.finance import words
from returns_portal.finance.deadlines import MOST_DAYS, SHOWN, deadlines_csv, due_within
from returns_portal.i18n import mark, translate
from returns_portal.web import page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

DAYS: Final = 7
"""How far the list looks ahead, unless something else is asked."""

finance = [requires_staff("finance")]


@get("/finance/deadlines", guards=finance)
async def deadlines_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What is due within so many days, and what is overdue, the most urgent first."""
    typed = {"days": str(DAYS), **request.query_params}
    errors: dict[str, str] = {}
    try:
        days = _days(typed["days"])
    except InvalidError as error:
        errors["days"] = translate(error.sentence, **error.values)
        days = DAYS
    found = await due_within(db, actor, timedelta(days=days), limit=SHOWN + 1)
    return page(
        request,
        "finance/deadlines.html",
        status=422 if errors else 200,
        found=found[:SHOWN],
        more=len(found) > SHOWN,
        overdue=sum(due.overdue for due in found),
        days=days,
        words=words.FOR_TEMPLATES,
        typed=typed,
        errors=errors,
    )


@get("/finance/deadlines.csv", guards=finance)
async def deadlines_file(request: AnyRequest, db: Db, actor: By) -> Response[str]:
    """The same as a file, all of it."""
    days = _days(request.query_params.get("days", str(DAYS)))
    found = await due_within(db, actor, timedelta(days=days))
    return Response(
        deadlines_csv(found, livemode=site(request).settings.livemode),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="refund-deadlines.csv"', "Cache-Control": "no-store"},
    )


def _days(text: str) -> int:
    """A number of days as it was typed.

    Raises:
        InvalidError: it is none, or more than the list looks ahead.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= MOST_DAYS):  # noqa: PLR2004 - MOST_DAYS has two digits
        raise InvalidError(mark("Please give a number of days from 0 to {most}."), field="days", most=MOST_DAYS)
    return int(text)


routes: list[Any] = [deadlines_page, deadlines_file]

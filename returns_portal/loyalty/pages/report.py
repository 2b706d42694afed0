"""What the programme costs, and what it brings: the page, and its months as CSV."""

import csv
import io
from typing import Any, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.loyalty.comparing import Difference, Group, cost_of_one_more, difference
from returns_portal.loyalty.queries import programme
from returns_portal.loyalty.reporting import WITHIN, Compared, compared, months
from returns_portal.shop.queries import current
from returns_portal.web import formats, page, requires_staff

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = "/staff/loyalty/report"
_COLUMNS: Final = ("month", "currency", "given", "cost", "budget", "declined", "withheld")
readers = [requires_staff("finance")]


@get(PAGE, guards=readers)
async def report_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Months with their cost, and the two groups compared."""
    rules, zone = await programme(db), (await current(db)).timezone
    found = await compared(db, actor, rules.currency)
    return page(
        request,
        "loyalty/report.html",
        months=[(f"{month.month:%Y-%m}", month) for month in await months(db, actor, zone)],
        groups=[
            (_("Surprised"), found.surprised, _percent(found.surprised)),
            (_("Left out by lot"), found.left_out, _percent(found.left_out)),
        ],
        days=WITHIN.days,
        verdict=_verdict(found, rules.currency),
    )


def _percent(group: Group) -> str:
    return "–" if group.share is None else _per_cent(group.share)


def _per_cent(share: float) -> str:
    return f"{formats.number(round(100 * share, 1))} %"


def _verdict(found: Compared, currency: str) -> list[str]:
    """What can be said of it, sentence by sentence."""
    between = difference(found.surprised, found.left_out)
    if between is None:
        return [_("Too early to tell: there must be somebody in both groups whose turn came long enough ago.")]
    said = [
        _in_points(between),
        _("Surprises for this group cost {amount}.", amount=formats.money(found.cost, currency)),
    ]
    one = cost_of_one_more(found.cost, found.surprised, between)
    if one is not None:
        said.append(
            _("So an additional customer who orders again costs {amount}.", amount=formats.money(one, currency))
        )
    elif between.certain:
        said.append(_("Those who were surprised ordered less often again, beyond what chance explains."))
    else:
        said.append(_("Too early to tell: chance alone could explain this difference."))
    return said


def _in_points(between: Difference) -> str:
    return _(
        "The difference is {value}; with 95 % certainty it lies between {least} and {most}.",
        value=_per_cent(between.value),
        least=_per_cent(between.least),
        most=_per_cent(between.most),
    )


@get(f"{PAGE}.csv", guards=readers)
async def report_csv(db: Db, actor: By) -> Response[str]:
    """The months, one a row; amounts in minor units."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for month in await months(db, actor, (await current(db)).timezone):
        values = {name: getattr(month, name) for name in _COLUMNS}
        budget = "" if month.budget is None else month.budget
        writer.writerow((values | {"month": f"{month.month:%Y-%m}", "budget": budget}).values())
    return Response(
        written.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="surprises.csv"'},
    )


routes: list[Any] = [report_page, report_csv]

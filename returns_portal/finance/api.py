"""The report for programs, as CSV."""

from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.finance.exports import refunds_response
from returns_portal.finance.overview import read_filters
from returns_portal.shop.queries import current

From = Annotated[
    str | None, QueryParameter(name="from", description="The first day; by default the first of the last one's month.")
]
To = Annotated[str | None, QueryParameter(name="to", description="The last day, inclusive; by default today.")]
ByDay = Annotated[
    str, QueryParameter(name="basis", description="`success` (the day it succeeded) or `requested` (it was filed).")
]


@get("/reports/refunds.csv", summary="Export refunds as CSV", media_type="text/csv")
async def refunds_csv(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    begin: NamedDependency[Begin],
    first: From = None,
    last: To = None,
    basis: ByDay = "success",
    bom: FromQuery[bool] = False,
) -> Stream:
    """Refunds of a period, in days of the shop's zone, streamed; amounts are decimals. Scope `reports:read`."""
    actor.require("reports:read")
    zone = (await current(db)).timezone
    filters = read_filters({"from": first or "", "to": last or "", "basis": basis}, zone)
    return refunds_response(begin, filters, bom=bom)


routes: list[Any] = [refunds_csv]

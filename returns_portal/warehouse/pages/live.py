"""The dock live for whoever leads it, and what is expected."""

from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.finance.cells import safe
from returns_portal.i18n import _
from returns_portal.labels.arrivals import arrivals, expected
from returns_portal.money import Money
from returns_portal.shop.queries import current
from returns_portal.warehouse.pages.goods import csv_file, read_day
from returns_portal.warehouse.pages.station import duration
from returns_portal.warehouse.pages.words import finding_words
from returns_portal.warehouse.pulse import pulse
from returns_portal.web import formats, page, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

readers = [requires_staff("warehouse", "support", "finance")]
COLUMNS: Final = (
    "expected", "rma", "parcel", "order_number", "carrier", "tracking", "last_event", "last_event_at", "items",
    "quantity", "value", "currency", "parcel_with",
)  # fmt: skip
_SHOWN: Final = 500


@get("/station/live", guards=readers)
async def live_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """How the dock stands; a script asks again every few seconds."""
    zone = site(request).shop.timezone
    formats.zone.set(zone)
    now = clock.now().astimezone(ZoneInfo(zone))
    since = now.replace(hour=0, minute=0, second=0, microsecond=0)
    found = await pulse(db, actor, since, zone)
    coming = await expected(db, actor, now.date())
    hours = sorted({hour for person in found.people for hour in person.hours})
    return page(
        request,
        "warehouse/live.html",
        pulse=found,
        expected=coming.parcels,
        late=coming.late,
        hours=hours,
        headings=_headings(hours),
        waiting=duration(found.waiting_since),
        nameless=duration(found.nameless_since),
        findings=[(finding_words(kind), times) for kind, times in sorted(found.findings.items())],
        now=now,
    )


def _headings(hours: list[int]) -> list[dict[str, object]]:
    numbers = [f"{hour:02d}:00" for hour in hours]
    columns = [*numbers, _("Parcels"), _("Items")]
    return [{"text": _("Who")}, *({"text": text, "number": True} for text in columns)]


async def _day(request: AnyRequest, db: AsyncConnection) -> date:
    zone = ZoneInfo((await current(db)).timezone)
    return read_day(request.query_params.get("day", ""), clock.now().astimezone(zone).date())


@get("/station/arrivals", guards=readers)
async def arrivals_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What is expected on a day."""
    formats.zone.set(site(request).shop.timezone)
    day = await _day(request, db)
    found = await expected(db, actor, day)
    return page(
        request,
        "warehouse/arrivals.html",
        day=day,
        arrivals=await arrivals(db, actor, day, most=_SHOWN),
        count=found.parcels,
        units=found.units,
    )


@get("/station/arrivals.csv", guards=readers)
async def arrivals_csv(request: AnyRequest, db: Db, actor: By) -> Response[bytes]:
    """The same as a file; amounts are decimals, times are UTC."""
    day = await _day(request, db)
    rows = [
        (
            each.expected.isoformat(),
            each.rma,
            each.parcel,
            safe(each.order_number),
            safe(each.carrier),
            safe(each.tracking),
            safe(each.last_event),
            f"{each.last_event_at:%Y-%m-%dT%H:%M:%SZ}" if each.last_event_at else "",
            safe(each.items),
            each.quantity,
            Money(each.value, each.currency).decimal,
            each.currency,
            " ".join(each.fellows),
        )
        for each in await arrivals(db, actor, day)
    ]
    return csv_file(f"arrivals-{day}.csv", COLUMNS, rows)


routes: list[Any] = [live_page, arrivals_page, arrivals_csv]

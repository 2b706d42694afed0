"""What the dock is to expect: parcels on their way, by the day on which they should come."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.labels.policy import carrier_policy
from returns_portal.shop.queries import current


class Arrival(msgspec.Struct, frozen=True):
    """A parcel that is expected. `value` is what was paid for its goods, in minor units of `currency`."""

    rma: str
    parcel: int
    order_number: str
    carrier: str
    tracking: str
    last_event: str
    last_event_at: datetime | None
    expected: date
    items: str
    quantity: int
    value: int
    currency: str


class Expected(msgspec.Struct, frozen=True):
    """How much is expected on a day."""

    parcels: int
    late: int
    """Of them, what should have come before."""
    units: int


# A parcel is expected until it is checked in: on the day that its carrier says, else some days after its first scan,
# else, where nobody follows it, some days after its label. The latter are not looked for for ever.
_DUE: Final = """
    WITH expected AS MATERIALIZED (
        SELECT b.id, b.return_id, b.number, b.carrier, b.tracking, b.last_scan, b.last_scan_at, b.first_scan_at,
               coalesce(b.expected_on, CAST(:transit AS integer) + CAST(
                   coalesce(b.first_scan_at, b.created_at + :handing_in) AT TIME ZONE :zone AS date)) AS expected
        FROM label b WHERE b.status IN ('bought', 'sent', 'in_transit', 'delivered') AND b.created_at > :since),
    due AS (
        SELECT b.id, b.return_id, b.number, b.carrier, b.tracking, b.last_scan, b.last_scan_at, b.expected,
               r.rma, r.order_id
        FROM expected b JOIN returns r ON r.id = b.return_id
        WHERE r.status = 'filed' AND (b.expected = CAST(:day AS date) OR :overdue AND b.expected < CAST(:day AS date)
            AND (b.first_scan_at IS NOT NULL OR b.expected > CAST(:day AS date) - :patience))
        ORDER BY b.expected, b.id LIMIT :most)
"""
_ARRIVALS: Final = f"""
    {_DUE}
    SELECT b.rma, b.number AS parcel, o.number AS order_number, b.carrier, coalesce(b.tracking, '') AS tracking,
           b.last_scan AS last_event, b.last_scan_at AS last_event_at, b.expected, coalesce(i.items, '') AS items,
           coalesce(i.quantity, 0) AS quantity, coalesce(i.value, 0) AS value, o.currency
    FROM due b JOIN orders o ON o.id = b.order_id
    CROSS JOIN LATERAL (
        SELECT string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                   ORDER BY l.position) AS items, CAST(sum(a.quantity) AS integer) AS quantity,
               CAST(sum((SELECT sum(u) FROM unnest(l.unit_paid[1:a.quantity]) AS u)) AS bigint) AS value
        FROM return_line a JOIN order_line l ON l.id = a.order_line_id WHERE a.return_id = b.return_id) AS i
    ORDER BY b.expected, b.id
"""  # noqa: S608 - the interpolated text is our own
_EXPECTED: Final = f"""
    {_DUE}
    SELECT count(*) AS parcels, count(*) FILTER (WHERE b.expected < CAST(:day AS date)) AS late,
           CAST(coalesce(sum((SELECT sum(quantity) FROM return_line a WHERE a.return_id = b.return_id)), 0) AS bigint)
               AS units
    FROM due b
"""  # noqa: S608 - as above
_LONGEST: Final = timedelta(days=120)
_HANDING_IN: Final = timedelta(days=2)
"""How long people take to hand a parcel in, where nobody scans it."""
_PATIENCE: Final = 7
"""For how many days more such a parcel stays in the list."""


async def arrivals(db: AsyncConnection, actor: Actor, day: date, *, most: int | None = None) -> list[Arrival]:
    """The parcels that are expected on a day of the shop's zone; those of today with what was expected before.

    Args:
        db: The transaction.
        actor: Who asks.
        day: Of the shop's zone.
        most: No more than so many, the longest expected first; all by default.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    return [Arrival(*row) for row in await run(db, _ARRIVALS, **await _values(db, day), most=most)]


async def expected(db: AsyncConnection, actor: Actor, day: date) -> Expected:
    """How much that is, without a look at each of them: a page that asks every few seconds can bear it.

    Raises:
        ForbiddenError: as `arrivals`.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    [row] = await run(db, _EXPECTED, **await _values(db, day), most=None)
    return Expected(*row)


async def _values(db: AsyncConnection, day: date) -> dict[str, object]:
    shop, policy = await current(db), await carrier_policy(db)
    now = clock.now()
    return {
        "day": day,
        "overdue": day == now.astimezone(ZoneInfo(shop.timezone)).date(),
        "zone": shop.timezone,
        "transit": policy.transit_days,
        "handing_in": _HANDING_IN,
        "patience": _PATIENCE,
        "since": now - _LONGEST,
    }

"""What the dock is to expect: parcels on their way, by the day on which they should come."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.labels.policy import carrier_policy
from returns_portal.shop.queries import current


class Arrival(msgspec.Struct, frozen=True):
    """A parcel that is expected. `value` is what was paid for its goods, in minor units of `currency`."""

    label_id: UUID
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
    fellows: list[str] = []
    """The numbers of the returns of other orders that travel in the same parcel; `items` has theirs, too."""


class ArrivalPage(msgspec.Struct, frozen=True):
    """A page of what is expected, the longest expected first; `next_cursor` asks for the following one."""

    items: list[Arrival]
    next_cursor: str | None


class _Place(NamedTuple):
    """Where in the list a page begins: behind this parcel."""

    expected: date | None = None
    label_id: UUID | None = None


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
            AND (CAST(:after AS date) IS NULL OR (b.expected, b.id) > (CAST(:after AS date), CAST(:after_id AS uuid)))
        ORDER BY b.expected, b.id LIMIT :most)
"""
# The return whose label it is, and those of other orders that travel in its parcel.
_HELD: Final = """
    (SELECT b.return_id AS id UNION ALL
     SELECT f.id FROM returns f WHERE f.travels_with = b.return_id AND f.status <> 'cancelled') AS held
"""
_ARRIVALS: Final = f"""
    {_DUE}
    SELECT b.id AS label_id, b.rma, b.number AS parcel, o.number AS order_number, b.carrier,
           coalesce(b.tracking, '') AS tracking,
           b.last_scan AS last_event, b.last_scan_at AS last_event_at, b.expected, coalesce(i.items, '') AS items,
           coalesce(i.quantity, 0) AS quantity, coalesce(i.value, 0) AS value, o.currency,
           ARRAY(SELECT f.rma FROM returns f WHERE f.travels_with = b.return_id AND f.status <> 'cancelled'
                ORDER BY f.id) AS fellows
    FROM due b JOIN orders o ON o.id = b.order_id
    CROSS JOIN LATERAL (
        SELECT string_agg(concat_ws(', ', a.quantity || ' × ' || l.title, nullif(l.size, '')), '; '
                   ORDER BY l.position) AS items, CAST(sum(a.quantity) AS integer) AS quantity,
               CAST(sum((SELECT sum(u) FROM unnest(l.unit_paid[1:a.quantity]) AS u)) AS bigint) AS value
        FROM {_HELD} JOIN return_line a ON a.return_id = held.id JOIN order_line l ON l.id = a.order_line_id) AS i
    ORDER BY b.expected, b.id
"""  # noqa: S608 - the interpolated text is our own
_EXPECTED: Final = f"""
    {_DUE}
    SELECT count(*) AS parcels, count(*) FILTER (WHERE b.expected < CAST(:day AS date)) AS late,
           CAST(coalesce(sum((SELECT sum(quantity) FROM {_HELD} JOIN return_line a ON a.return_id = held.id)), 0)
               AS bigint) AS units
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
    return await _arrivals(db, day, _Place(), most)


async def page_of_arrivals(db: AsyncConnection, actor: Actor, day: date, cursor: str | None, limit: int) -> ArrivalPage:
    """The same in pages.

    Raises:
        ForbiddenError: as `arrivals`.
        InvalidError: the cursor is not one that a page gave.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    found = await _arrivals(db, day, _place(cursor), limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return ArrivalPage(found[:limit], f"{last.expected}_{last.label_id}" if last else None)


def _place(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place()
    day, _separator, label_id = cursor.partition("_")
    try:
        return _Place(date.fromisoformat(day), UUID(label_id))
    except ValueError as error:
        raise InvalidError(mark("This cursor is none that a page gave."), field="cursor") from error


async def _arrivals(db: AsyncConnection, day: date, place: _Place, most: int | None) -> list[Arrival]:
    return [Arrival(*row) for row in await run(db, _ARRIVALS, **await _values(db, day, place, most))]


async def expected(db: AsyncConnection, actor: Actor, day: date) -> Expected:
    """How much that is, without a look at each of them: a page that asks every few seconds can bear it.

    Raises:
        ForbiddenError: as `arrivals`.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    [row] = await run(db, _EXPECTED, **await _values(db, day, _Place(), None))
    return Expected(*row)


async def _values(db: AsyncConnection, day: date, place: _Place, most: int | None) -> dict[str, object]:
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
        "after": place.expected,
        "after_id": place.label_id,
        "most": most,
    }

"""The dock at a glance, for whoever leads it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run


class Worth(msgspec.Struct, frozen=True):
    """An amount in minor units."""

    currency: str
    amount: int


class Person(msgspec.Struct, frozen=True):
    """What one person checked in: parcels by the hour of the shop's day (0 to 23), and units in all."""

    name: str
    hours: dict[int, int]
    parcels: int
    units: int


class Pulse(msgspec.Struct, frozen=True):
    """How the dock stands."""

    arrived: int
    units: int
    waiting: int
    """Units that wait for a decision about the money."""
    waiting_since: datetime | None
    value_waiting: list[Worth]
    homeless: int
    """Items of which nobody has said where they go."""
    nameless: int
    """Parcels of which nobody knows whose they are."""
    nameless_since: datetime | None
    restocked: int
    findings: dict[str, int]
    people: list[Person]


_FIGURES: Final = """
    SELECT (SELECT count(*) FROM parcel WHERE (checked_in_at >= :since OR counted_at >= :since) AND undone_at IS NULL)
               AS arrived,
           (SELECT coalesce(sum(i.quantity), 0) FROM parcel p JOIN parcel_item i ON i.parcel_id = p.id
            WHERE (p.checked_in_at >= :since OR p.counted_at >= :since) AND p.undone_at IS NULL) AS units,
           (SELECT count(*) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE i.disposition = ''
            AND i.acceptance <> 'waiting' AND i.condition NOT IN ('not_shipped', 'kept')
            AND p.undone_at IS NULL) AS homeless,
           (SELECT count(*) FROM found_parcel WHERE matched_at IS NULL AND closed_at IS NULL) AS nameless,
           (SELECT min(found_at) FROM found_parcel WHERE matched_at IS NULL AND closed_at IS NULL) AS nameless_since,
           (SELECT coalesce(sum(quantity), 0) FROM restock_event WHERE at >= :since) AS restocked
"""
# The first units of a line stand for those that wait: which of several alike ones it is, nobody knows.
_WAITING: Final = """
    SELECT o.currency, sum(i.quantity) AS units, min(p.checked_in_at) AS since,
           CAST(sum((SELECT sum(u) FROM unnest(l.unit_paid[1:i.quantity]) AS u)) AS bigint) AS amount
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN order_line l ON l.id = i.order_line_id
    JOIN orders o ON o.id = l.order_id WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL GROUP BY o.currency
    ORDER BY o.currency
"""
_FINDINGS: Final = """
    SELECT f.kind, count(*) AS times FROM parcel_finding f JOIN parcel p ON p.id = f.parcel_id
    WHERE (p.checked_in_at >= :since OR p.counted_at >= :since) AND p.undone_at IS NULL GROUP BY f.kind
"""
_PEOPLE: Final = """
    SELECT coalesce(s.name, p.checked_in_by) AS name,
           CAST(extract(hour FROM coalesce(p.counted_at, p.checked_in_at) AT TIME ZONE :zone) AS integer) AS hour,
           count(*) AS parcels, coalesce(sum((SELECT sum(quantity) FROM parcel_item i WHERE i.parcel_id = p.id)), 0)
               AS units
    FROM parcel p LEFT JOIN staff s ON 'staff:' || s.id = p.checked_in_by
    WHERE (p.checked_in_at >= :since OR p.counted_at >= :since) AND p.undone_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""


async def pulse(db: AsyncConnection, actor: Actor, since: datetime, zone: str) -> Pulse:
    """How the dock stands since the shop's day began.

    Raises:
        ForbiddenError: the actor has nothing to do with the dock.
    """
    actor.require("warehouse", "support", "finance")
    [figures] = await run(db, _FIGURES, since=since)
    waiting = await run(db, _WAITING)
    return Pulse(
        arrived=figures.arrived,
        units=int(figures.units),
        waiting=sum(int(row.units) for row in waiting),
        waiting_since=min((row.since for row in waiting), default=None),
        value_waiting=[Worth(row.currency, row.amount) for row in waiting],
        homeless=figures.homeless,
        nameless=figures.nameless,
        nameless_since=figures.nameless_since,
        restocked=int(figures.restocked),
        findings={row.kind: row.times for row in await run(db, _FINDINGS, since=since)},
        people=_people(await run(db, _PEOPLE, since=since, zone=zone)),
    )


def _people(rows: Sequence[Any]) -> list[Person]:
    """One entry a person, of rows by person and hour."""
    names = dict.fromkeys(row.name for row in rows)
    of = {name: [row for row in rows if row.name == name] for name in names}
    return [
        Person(
            name,
            {row.hour: row.parcels for row in hours},
            sum(row.parcels for row in hours),
            sum(int(row.units) for row in hours),
        )
        for name, hours in of.items()
    ]

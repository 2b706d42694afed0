"""What the warehouse has to pack and to send: trials and purchases whose money is made sure of, the oldest first."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.sizes import arranged
from returns_portal.db import run
from returns_portal.ids import parse_trial_number
from returns_portal.warehouse.rules import readings, rma_of

SHOWN: Final = 100
"""Parcels on the list; what is sent makes room for the next."""


class Thing(msgspec.Struct, frozen=True):
    """So many of a variant that go into a parcel."""

    sku: str
    title: str
    size: str
    color: str
    quantity: int


class Pick(msgspec.Struct, frozen=True):
    """One parcel to be packed, or packed and to be sent; or sent, where one more may follow."""

    number: str
    mode: str
    packed: bool
    sent: bool
    """A parcel of it has left already: shown where it is asked for by its number, so that one more can follow."""
    name: str
    country: str
    since: datetime
    """When the bank agreed."""
    things: list[Thing]


_PICKS: Final = """
    SELECT t.number, t.mode, t.status = 'packed' AS packed, t.status IN ('shipped', 'delivered') AS sent,
           o.name, o.address->>'country' AS country,
           coalesce(t.authorised_at, t.placed_at) AS since,
           (SELECT json_agg(json_build_object('sku', g.sku, 'title', g.title, 'size', g.size, 'color', g.color,
                'quantity', g.quantity) ORDER BY g.position)
            FROM (SELECT l.sku, l.title, l.size, l.color, count(*) AS quantity, min(i.position) AS position
                  FROM trial_item i JOIN order_line l ON l.id = i.order_line_id WHERE i.trial_id = t.id
                  GROUP BY l.sku, l.title, l.size, l.color) AS g) AS things
    FROM trial t JOIN orders o ON o.id = t.order_id
    WHERE (CAST(:number AS text) IS NULL AND t.status IN ('authorised', 'packed'))
     OR (t.number = :number AND t.status IN ('authorised', 'packed', 'shipped', 'delivered'))
    ORDER BY t.authorised_at, t.id LIMIT :limit
"""


async def picks(db: AsyncConnection, actor: Actor, *, number: str | None = None) -> list[Pick]:
    """What is to be packed and sent; one parcel alone where its number is given.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
    """
    actor.require("warehouse", "support")
    rows = await run(db, _PICKS, number=number, limit=SHOWN)
    return [_in_order(msgspec.convert(row._asdict(), Pick)) for row in rows]


def _in_order(pick: Pick) -> Pick:
    things = arranged(pick.things, lambda thing: (thing.title, thing.size))
    return msgspec.structs.replace(pick, things=things)


_BY_RMA: Final = "SELECT t.number FROM trial t JOIN returns r ON r.id = t.return_id WHERE r.rma = :rma"


async def number_of(db: AsyncConnection, code: str) -> str | None:
    """The trial of a code that was scanned: its own number, or that of the label which goes into its parcel."""
    for reading in readings(code):
        if number := parse_trial_number(reading):
            return number
    rma = rma_of(code)
    rows = await run(db, _BY_RMA, rma=rma) if rma else []
    return str(rows[0].number) if rows else None

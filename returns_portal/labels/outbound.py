"""The parcels in which goods went out."""

from typing import Final, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.shop.warehouses import name_of
from returns_portal.texts import one_line

MAX_CARRIER: Final = 60

_ADD: Final = """
    INSERT INTO outbound_parcel AS known (id, order_id, carrier, tracking, created_at, warehouse)
    VALUES (:id, :order_id, :carrier, :tracking, :now,
            coalesce(:warehouse, (SELECT warehouses[1] FROM shop WHERE cardinality(warehouses) = 1)))
    ON CONFLICT (order_id, carrier, tracking) DO UPDATE SET warehouse = :warehouse
    WHERE known.warehouse IS DISTINCT FROM coalesce(:warehouse, known.warehouse) RETURNING warehouse
"""
_KNOWN: Final = """
    SELECT warehouse FROM outbound_parcel
    WHERE order_id = :order_id AND carrier = :carrier AND tracking = :tracking
"""


async def sent_out(
    db: AsyncConnection, actor: Actor, number: str, carrier: str, tracking: str, warehouse: str | None = None
) -> str | None:
    """Keep the carrier's number of a parcel of an order, and which warehouse sent it; what is kept of that is returned.

    A shop's only warehouse need not be said. The same again changes nothing, another warehouse puts the one before
    right, and without one what was said stays.

    Raises:
        InvalidError: this is no name of a carrier, or of a warehouse; names the field.
        NotFoundError: there is no such order, or it is not the actor's.
    """
    carrier = one_line(carrier, "carrier", MAX_CARRIER)
    rows = await run(db, "SELECT id FROM orders WHERE number = :number", number=number)
    if not rows or not actor.sees_order(rows[0].id):
        raise NotFoundError(mark("There is no such order."), code="order_not_found")
    name = None if warehouse is None else name_of(warehouse)
    parcel = {"order_id": rows[0].id, "carrier": carrier, "tracking": tracking}
    changed = await run(db, _ADD, id=new_id(), **parcel, warehouse=name, now=clock.now())
    if not changed:
        return cast("str | None", (await run(db, _KNOWN, **parcel))[0].warehouse)
    kept: str | None = changed[0].warehouse
    told = {"carrier": carrier, "tracking": tracking} | ({"warehouse": kept} if kept else {})
    await history.record(db, actor, ("order", rows[0].id, "parcel_sent_out", told))
    return kept

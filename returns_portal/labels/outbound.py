"""The parcels in which goods went out."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

_ADD: Final = """
    INSERT INTO outbound_parcel (id, order_id, carrier, tracking, created_at)
    VALUES (:id, :order_id, :carrier, :tracking, :now) ON CONFLICT (order_id, carrier, tracking) DO NOTHING RETURNING id
"""


async def sent_out(db: AsyncConnection, actor: Actor, number: str, carrier: str, tracking: str) -> None:
    """Keep the carrier's number of a parcel of an order. The same again changes nothing.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
    """
    rows = await run(db, "SELECT id FROM orders WHERE number = :number", number=number)
    if not rows or not actor.sees_order(rows[0].id):
        raise NotFoundError(mark("There is no such order."), code="order_not_found")
    added = await run(db, _ADD, id=new_id(), order_id=rows[0].id, carrier=carrier, tracking=tracking, now=clock.now())
    if added:
        await history.record(
            db, actor, ("order", rows[0].id, "parcel_sent_out", {"carrier": carrier, "tracking": tracking})
        )

"""The pick-ups that are to come, for the people who plan them."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run


class PlannedPickup(msgspec.Struct, frozen=True):
    """A pick-up that is asked for or planned."""

    id: UUID
    rma: str
    customer: str
    status: str
    carrier: str
    line1: str
    postal_code: str
    city: str
    phone: str
    begins_at: datetime
    ends_at: datetime
    courier_name: str
    confirmation: str


_PLANNED: Final = """
    SELECT p.id, r.rma, o.name AS customer, p.status, p.carrier, p.line1, p.postal_code, p.city, p.phone, p.begins_at,
           p.ends_at, p.courier_name, p.confirmation
    FROM pickup p JOIN returns r ON r.id = p.return_id JOIN orders o ON o.id = r.order_id
    WHERE p.status IN ('requested', 'scheduled') ORDER BY p.begins_at, p.id LIMIT 200
"""


async def planned_pickups(db: AsyncConnection, actor: Actor) -> list[PlannedPickup]:
    """What is to come, the next one first.

    Raises:
        ForbiddenError: the actor plans no pick-ups.
    """
    actor.require("support", "warehouse", "finance")
    return [PlannedPickup(*row) for row in await run(db, _PLANNED)]

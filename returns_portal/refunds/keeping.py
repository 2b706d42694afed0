"""Goods that the customer keeps and gets the money for, since the policy says that they are not worth the trip.

They are counted as kept when the return is filed, in the same transaction and under the order's lock, so that it
happens once: the refund is planned as if they had come in good order, and nothing is put on any shelf.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.refunds.actions import Released, release_counted
from returns_portal.refunds.parts import Due
from returns_portal.refunds.rules import Claim
from returns_portal.settings import Settings
from returns_portal.warehouse import actions as dock
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.rules import Counted


async def release_kept(db: AsyncConnection, settings: Settings, rma: str, units: Mapping[UUID, int]) -> Released:
    """Count these units of each line as kept, and set their refund going.

    What the shop's system says was refunded already waits for a person, as any count of such an order.

    Raises:
        ConflictError: it was counted before.
    """
    counts = [Counted(line_id, count, Condition.KEPT) for line_id, count in units.items()]
    checked, _lines = await dock.check_in(db, SYSTEM, rma, counts)
    dues = [
        Due([Claim(item.line_id, item.quantity)])
        for item in checked.items
        if item.line_id is not None and item.acceptance is Acceptance.ACCEPTED
    ]
    return await release_counted(db, settings, checked, dues, clock.now())

"""What the warehouse has back of a trial can be ordered again: the catalogue's stock follows where it goes.

The shop's own system keeps the stock of every other order. A unit is put back once, however often it is looked at,
because its row says whether it was; and it is taken out again when a count is undone or corrected, or it goes
elsewhere.
"""

from collections import Counter
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.catalog.actions import give_back_stock, take_out_stock
from returns_portal.db import run

_LOCK: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
# What goes anywhere else is not for sale, or not before it was cleaned; and what never left the shop goes nowhere: it
# was given back when it was called off.
_ITEMS: Final = """
    SELECT i.id, i.trial_id, i.variant_id, i.restocked_at IS NOT NULL AS restocked, EXISTS (
        SELECT FROM parcel_item c JOIN parcel p ON p.id = c.parcel_id
        WHERE c.order_line_id = i.order_line_id AND p.undone_at IS NULL
        AND c.acceptance IN ('accepted', 'part') AND c.disposition = 'restock') AS on_shelf
    FROM trial_item i JOIN trial t ON t.id = i.trial_id WHERE t.order_id = :id ORDER BY i.position
"""
_MARK: Final = "UPDATE trial_item SET restocked_at = :at WHERE id = ANY(:ids)"


async def restock(db: AsyncConnection, order_id: UUID) -> None:
    """Let the stock follow what stands as counted of a trial's items. Again, it changes nothing.

    A unit that was ordered by somebody else meanwhile cannot be taken out again: it stays marked as put back, so that
    counting it anew does not put it back twice.
    """
    await run(db, _LOCK, id=order_id)
    items = await run(db, _ITEMS, id=order_id)
    back = [item for item in items if item.on_shelf and not item.restocked]
    await give_back_stock(db, Counter(item.variant_id for item in back))
    gone = [item for item in items if item.restocked and not item.on_shelf]
    left = await take_out_stock(db, Counter(item.variant_id for item in gone))
    out = []
    for item in gone:
        if left[item.variant_id]:
            left[item.variant_id] -= 1
            out.append(item)
    for changed, restocked in ((back, True), (out, False)):
        if changed:
            await run(db, _MARK, ids=[item.id for item in changed], at=clock.now() if restocked else None)
            told = {"items": [str(item.id) for item in changed]}
            event = "put_into_stock" if restocked else "taken_out_of_stock"
            await history.record(db, SYSTEM, ("trial", changed[0].trial_id, event, told))

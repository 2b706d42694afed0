"""What a count is worth by now: units that were counted before anything was paid for them.

A unit of a trial costs nothing until it is charged. One that the warehouse counted while its charge was on its way was
worth nothing then; by the time that the charge is recorded, what was paid for it is owed. The same goes for what was
sent at once in exchange, and came back before the goods that pay for it.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext
from returns_portal.refunds.models import Kind
from returns_portal.refunds.parts import Owed, Paid, due
from returns_portal.refunds.queries import balance_of, paid_for
from returns_portal.refunds.releasing import Cause, release
from returns_portal.refunds.rules import plan
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings

_COUNTED: Final = """
    SELECT p.id AS parcel_id, r.id AS return_id, r.refund_to, r.bonus_percent, r.created_at, i.order_line_id,
           sum(i.quantity) FILTER (WHERE i.acceptance = 'accepted') AS units,
           sum(i.quantity) FILTER (WHERE i.acceptance = 'part') AS part_units,
           sum(i.amount) FILTER (WHERE i.acceptance = 'part') AS part
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
    WHERE r.order_id = :order_id AND (CAST(:line_id AS uuid) IS NULL OR i.order_line_id = :line_id)
      AND p.undone_at IS NULL AND i.acceptance IN ('accepted', 'part')
    GROUP BY p.id, r.id, i.order_line_id ORDER BY p.checked_in_at, p.id, i.order_line_id
"""


async def release_late(
    db: AsyncConnection, order_id: UUID, *, livemode: bool, line_id: UUID | None = None
) -> list[UUID]:
    """Refund what the counts of an order, or of one line, are worth beyond what was paid for them; the refunds' ids.

    Under the order's lock. Done again, it does nothing.
    """
    made: list[UUID] = []
    for row in await run(db, _COUNTED, order_id=order_id, line_id=line_id):
        balance = await balance_of(db, order_id)
        line = next(line for line in balance.lines if line.line_id == row.order_line_id)
        paid = (await paid_for(db, row.parcel_id)).get(line.line_id, Paid())
        before = [Owed(int(row.part_units), int(row.part or 0))] if row.part_units else []
        found = due(line, paid, before, Owed(int(row.units or 0)))
        planned = plan(
            balance,
            found.claims,
            rests=found.rests,
            refund_to=RefundTo(row.refund_to),
            bonus_percent=row.bonus_percent,
        )
        if not planned.total:
            continue
        cause = Cause(
            release_id=new_id(),
            order_id=order_id,
            kind=Kind.RETURN,
            requested_at=row.created_at,
            return_id=row.return_id,
            parcel_id=row.parcel_id,
        )
        made += await release(db, balance, planned, cause, due_at=clock.now(), livemode=livemode)
    return made


async def release_line(context: JobContext, order_id: UUID, line_id: UUID) -> None:
    """Refund what was counted of a line before it was paid for. Done again, it does nothing."""
    async with context.begin() as db:
        await run(db, "SELECT id FROM orders WHERE id = :id FOR UPDATE", id=order_id)
        await release_late(db, order_id, livemode=context.service(Settings).livemode, line_id=line_id)

"""Giving back what was paid in advance and that nothing is kept for: the deposit of a trial, or what is left of it."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import run
from returns_portal.ids import new_id
from returns_portal.payments.models import Tender
from returns_portal.refunds.models import Kind
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.releasing import Cause, release
from returns_portal.refunds.rules import OrderBalance, shared_out
from returns_portal.returns.models import RefundTo

_LEFT: Final = """
    SELECT o.placed_at, o.extras_paid - coalesce((
        SELECT sum(f.amount) FROM refund f
        WHERE f.order_id = o.id AND f.kind = 'deposit' AND f.status <> 'canceled'), 0)::bigint AS amount
    FROM orders o WHERE o.id = :order_id
"""


async def give_back(db: AsyncConnection, order_id: UUID, *, first: Collection[UUID] = (), livemode: bool) -> int:
    """Refund all of the order's extras that were not refunded yet; how much that is, in minor units.

    It is no price of anything, so that there is no tax in it. Under the order's lock; done again, it does nothing.

    Args:
        db: The transaction.
        order_id: The order.
        first: The payments of which it is taken before any other.
        livemode: Whether real money moves.
    """
    [row] = await run(db, _LEFT, order_id=order_id)
    if row.amount <= 0:
        return 0
    balance = await balance_of(db, order_id)
    shares = shares_of(balance, row.amount, first)
    planned = shared_out(balance, [], shares, RefundTo.ORIGINAL, 0)
    now = clock.now()
    cause = Cause(release_id=new_id(), order_id=order_id, kind=Kind.DEPOSIT, requested_at=now)
    await release(db, balance, planned, cause, due_at=now, livemode=livemode)
    return planned.total


def shares_of(balance: OrderBalance, amount: int, first: Collection[UUID]) -> Sequence[int]:
    """What each payment gives: those that are to be first before the others, and points not at all."""
    shares = dict.fromkeys((tender.payment_id for tender in balance.tenders), 0)
    for tender in sorted(balance.tenders, key=lambda tender: tender.payment_id not in first):
        if tender.tender is not Tender.POINTS:
            shares[tender.payment_id] = min(amount, tender.left)
            amount -= shares[tender.payment_id]
    return list(shares.values())

"""What a refund does to points: those that it gives, those that come back, and those that go with the goods.

Refunds lie above points; this knows their table by its name, and is told what happened.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Rows, run
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.points.actions import lock_account_by_id
from returns_portal.points.lots import Portion, granted, take
from returns_portal.points.models import LotKind, MoveCause, PointsClawback
from returns_portal.points.rules import CLAWED, clawed, expiry, restored_expiry
from returns_portal.shop.queries import current


class AsPoints(msgspec.Struct, frozen=True):
    """A refund that is given as points."""

    refund_id: UUID
    order_id: UUID
    order_number: str
    currency: str
    amount: int
    bonus: int
    paid_with_points: bool
    """Whether points had paid for it: then they come back, rather than money that turns into points."""


async def lots_of(db: AsyncConnection, account_id: UUID, refund: AsPoints) -> Rows:
    """The lots that a refund brings, to be inserted with its posting. The caller holds the account's lock.

    Points that had paid last as long as they would have, or 30 days where they have expired meanwhile.
    """
    shop = await current(db)
    new = expiry(clock.now(), shop.points_months, shop.timezone)
    if not refund.paid_with_points:
        portions = [Portion(LotKind.REFUND, refund.amount, new), Portion(LotKind.BONUS, refund.bonus, new)]
    else:
        portions = await _restored(db, account_id, refund, new)
    return granted(account_id, refund.currency, ("refund", refund.refund_id), portions)


_SPENT: Final = """
    WITH spent AS (
        SELECT m.lot_id, -sum(m.delta) AS points FROM points_redemption r
        JOIN points_move m ON m.cause_id = r.id AND m.cause = 'redemption'
        WHERE r.account_id = :account_id AND r.currency = :currency AND r.order_number = :number
         AND r.status = 'captured' GROUP BY m.lot_id),
    restored AS (
        SELECT l.origin_id, sum(l.granted) AS points FROM refund f
        JOIN points_lot l ON l.cause_id = f.id AND l.cause = 'refund' AND l.kind = 'restored'
        WHERE f.order_id = :order_id GROUP BY l.origin_id)
    SELECT s.lot_id, l.expires_at, CAST(s.points - coalesce(r.points, 0) AS bigint) AS points
    FROM spent s JOIN points_lot l ON l.id = s.lot_id LEFT JOIN restored r ON r.origin_id = s.lot_id
    WHERE s.points > coalesce(r.points, 0) ORDER BY l.expires_at DESC NULLS FIRST, s.lot_id
"""


async def _restored(
    db: AsyncConnection, account_id: UUID, refund: AsPoints, otherwise: datetime | None
) -> list[Portion]:
    """Points that come back to where they were spent from, those that last longest first.

    What was not spent here (orders of before, another checkout) lasts as new points do.
    """
    rows = await run(
        db,
        _SPENT,
        account_id=account_id,
        currency=refund.currency,
        number=refund.order_number,
        order_id=refund.order_id,
    )
    left, portions = refund.amount, []
    for row in rows:
        points = min(left, row.points)
        portions.append(Portion(LotKind.RESTORED, points, restored_expiry(row.expires_at, clock.now()), row.lot_id))
        left -= points
    return [*portions, Portion(LotKind.RESTORED, left, otherwise)]


# Two refunds of one order that succeed at once wait for each other here, so that the second sees the first.
_EARNING: Final = """
    SELECT account_id, currency, points, basis FROM points_earning WHERE order_id = :order_id FOR UPDATE
"""
_SO_FAR: Final = """
    SELECT (SELECT CAST(coalesce(sum(due), 0) AS bigint) FROM points_clawback WHERE order_id = :order_id) AS due,
           (SELECT CAST(coalesce(sum(f.amount), 0) AS bigint) FROM refund f JOIN payment p ON p.id = f.payment_id
            WHERE f.order_id = :order_id AND f.kind = 'return' AND f.status = 'succeeded'
            AND p.tender <> 'points' AND NOT EXISTS (
                SELECT FROM returns r WHERE r.id = f.return_id AND r.gift_id IS NOT NULL)) AS refunded,
           (SELECT CAST(coalesce(sum(p.amount - p.refunded_before), 0) AS bigint) FROM payment p
            WHERE p.order_id = :order_id AND p.tender <> 'points') AS paid
"""


async def claw_back(db: AsyncConnection, actor: Actor, order_id: UUID, *, everything: bool = False) -> list[Rows]:
    """Take earned points back, in proportion to the money that went back for goods; rows to be inserted with it.

    What was earned on money that the order was changed not to cost any more goes with it.

    What the customer has spent already is not there to be taken: it stays the shop's expense. Nothing is taken from
    points that stand for the customer's own money.

    Args:
        db: The transaction.
        actor: Who refunds.
        order_id: The order of which goods came back.
        everything: The whole purchase is off, whatever of its money went back through this portal.
    """
    found = await run(db, _EARNING, order_id=order_id)
    if not found:
        return []
    [earning] = found
    [so_far] = await run(db, _SO_FAR, order_id=order_id)
    lost = max(0, earning.basis - so_far.paid)
    refunded = earning.basis if everything else so_far.refunded
    due = clawed(earning.points, earning.basis, refunded, so_far.due, lost)
    if not due:
        return []
    await lock_account_by_id(db, earning.account_id)
    clawback_id = new_id()
    taken = await take(
        db,
        earning.account_id,
        earning.currency,
        due,
        (MoveCause.CLAWBACK, clawback_id),
        kinds=CLAWED,
        own=order_id,
    )
    row = {"id": clawback_id, "order_id": order_id, "due": due, "taken": taken, "created_at": clock.now()}
    told = {"order": str(order_id), "due": due, "taken": taken, "currency": earning.currency}
    writes: list[Rows] = [
        (PointsClawback, [row]),
        history.rows(actor, ("points_account", earning.account_id, "points_clawed_back", told)),
    ]
    if taken:
        writes += ledger.rows(
            "points_clawed_back",
            ("points_clawback", clawback_id),
            earning.currency,
            [
                Posting(Account.CUSTOMER_POINTS, taken, earning.account_id),
                Posting(Account.POINTS_EXPENSE, -taken),
            ],
        )
    return writes

"""Points for purchases: once for each order, when it is taken in as paid.

An order earns on what was paid with money, at the rate of that moment, if it was placed since the shop began to give
points. What is refunded for goods takes its share back; an order that is off as a whole takes back all of them.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.orders.models import FinancialStatus
from returns_portal.points.actions import lock_account
from returns_portal.points.lots import Portion, granted
from returns_portal.points.models import LotKind, PointsEarning
from returns_portal.points.refunding import claw_back
from returns_portal.points.rules import earned, expiry
from returns_portal.shop.queries import current

PAID: Final = frozenset({FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED})
OFF: Final = frozenset({FinancialStatus.REFUNDED, FinancialStatus.VOIDED})

_ORDER: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
_STATE: Final = """
    SELECT o.id, o.email, o.currency, o.placed_at, o.cancelled_at IS NOT NULL AS cancelled, o.financial_status,
           EXISTS (SELECT FROM points_earning e WHERE e.order_id = o.id) AS known,
           -- What is left of a deposit paid for nothing, and goes back.
           (SELECT CAST(coalesce(sum(p.amount - p.refunded_before - (SELECT coalesce(sum(f.amount), 0) FROM refund f
                WHERE f.payment_id = p.id AND f.kind = 'deposit' AND f.status <> 'canceled')), 0) AS bigint)
            FROM payment p
            WHERE p.order_id = o.id AND p.tender <> 'points' AND p.status <> 'failed') AS paid
    FROM orders o WHERE o.id = :id
"""
# A refund that is just succeeding has not seen that the order earns: so it is waited for, and counted here.
_REFUNDS: Final = "SELECT id FROM refund WHERE order_id = :id ORDER BY id FOR SHARE"


async def settle(db: AsyncConnection, actor: Actor, order_id: UUID) -> None:
    """Give an order's points, or take them back where it is off. Done twice, it is done once."""
    await run(db, _ORDER, id=order_id)
    for order in await run(db, _STATE, id=order_id):
        off = order.cancelled or order.financial_status in OFF
        if order.known:
            if off:
                await insert_rows(db, *await claw_back(db, actor, order_id, everything=True))
        elif not off and order.financial_status in PAID and order.email.strip():
            await _earn(db, actor, order)


async def _earn(db: AsyncConnection, actor: Actor, order: Any) -> None:  # noqa: ANN401 - a row
    shop = await current(db)
    points = earned(order.paid, shop.points_rate)
    if points <= 0 or shop.points_since is None or order.placed_at < shop.points_since:
        return
    await run(db, _REFUNDS, id=order.id)
    account_id = await lock_account(db, order.email)
    now = clock.now()
    earning = {
        "order_id": order.id,
        "account_id": account_id,
        "currency": order.currency,
        "points": points,
        "basis": order.paid,
        "created_at": now,
    }
    cause = ("order", order.id)
    lot = Portion(LotKind.EARNED, points, expiry(now, shop.points_months, shop.timezone))
    told = {"order": str(order.id), "points": points, "currency": order.currency}
    await insert_rows(
        db,
        (PointsEarning, [earning]),
        granted(account_id, order.currency, cause, [lot]),
        *ledger.rows(
            "points_earned",
            cause,
            order.currency,
            [Posting(Account.POINTS_EXPENSE, points), Posting(Account.CUSTOMER_POINTS, -points, account_id)],
        ),
        history.rows(actor, ("points_account", account_id, "points_earned", told)),
    )
    await insert_rows(db, *await claw_back(db, actor, order.id))

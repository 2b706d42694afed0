"""Points for purchases: once for each order, when it is taken in as paid.

An order earns on what was paid with money, at the rate of that moment, if it was placed since the shop began to give
points. What is refunded for goods takes its share back; an order that is off as a whole takes back all of them. An
order that costs something else by now, before anything was refunded, has earned on that.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows, run
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.orders.models import TRIAL, FinancialStatus
from returns_portal.points.actions import lock_account, lock_account_by_id
from returns_portal.points.lots import Portion, granted
from returns_portal.points.models import LotKind, PointsEarning
from returns_portal.points.refunding import claw_back
from returns_portal.points.rules import earned, earned_anew, expiry
from returns_portal.shop.queries import ShopInfo, current

PAID: Final = frozenset({FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED})
OFF: Final = frozenset({FinancialStatus.REFUNDED, FinancialStatus.VOIDED})

_ORDER: Final = "SELECT id FROM orders WHERE id = :id FOR UPDATE"
_STATE: Final = """
    SELECT o.id, o.email, o.currency, o.placed_at, o.source, o.financial_status,
           o.cancelled_at IS NOT NULL AS cancelled,
           EXISTS (SELECT FROM points_earning e WHERE e.order_id = o.id) AS known,
           -- What is left of a deposit, or was paid on top for an exchange that ended, paid for nothing, and goes back.
           (SELECT CAST(coalesce(sum(p.amount - p.refunded_before - (SELECT coalesce(sum(f.amount), 0) FROM refund f
                WHERE f.payment_id = p.id AND f.kind IN ('deposit', 'exchange')
                AND f.status <> 'canceled')), 0) AS bigint)
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
            elif order.source != TRIAL:
                await _earn_anew(db, actor, order)
        elif not off and order.financial_status in PAID and order.email.strip():
            await _earn(db, actor, order)


async def _earn(db: AsyncConnection, actor: Actor, order: Any) -> None:  # noqa: ANN401 - a row
    shop = await current(db)
    points = earned(order.paid, shop.points_rate)
    if points <= 0 or shop.points_since is None or order.placed_at < shop.points_since:
        return
    await run(db, _REFUNDS, id=order.id)
    account_id = await lock_account(db, order.email)
    earning = {
        "order_id": order.id,
        "account_id": account_id,
        "currency": order.currency,
        "points": points,
        "basis": order.paid,
        "created_at": clock.now(),
    }
    await insert_rows(db, (PointsEarning, [earning]), *_given(actor, shop, PointsEarning(**earning), points))
    await insert_rows(db, *await claw_back(db, actor, order.id))


def _given(actor: Actor, shop: ShopInfo, earning: Any, points: int, sequence: int = 1) -> list[Rows]:  # noqa: ANN401 - a row
    """The rows that give points for a purchase: lot, posting, history."""
    account_id, currency, cause = earning.account_id, earning.currency, ("order", earning.order_id)
    lot = Portion(LotKind.EARNED, points, expiry(clock.now(), shop.points_months, shop.timezone))
    postings = [Posting(Account.POINTS_EXPENSE, points), Posting(Account.CUSTOMER_POINTS, -points, account_id)]
    told = {"order": str(earning.order_id), "points": points, "currency": currency}
    return [
        granted(account_id, currency, cause, [lot]),
        *ledger.rows("points_earned", cause, currency, postings, sequence=sequence),
        history.rows(actor, ("points_account", account_id, "points_earned", told)),
    ]


# Refunds take their own share back. What the customer had spent before it was taken back is given once only.
_EARNED: Final = """
    SELECT e.order_id, e.account_id, e.currency, e.points, e.basis, CAST(coalesce(c.due, 0) AS bigint) AS gone,
           coalesce(c.taken, 0) = coalesce(c.due, 0) AND NOT EXISTS (
               SELECT FROM refund f WHERE f.order_id = e.order_id) AS may_rise,
           (SELECT count(*) + 1 FROM ledger_transaction t
            WHERE t.kind = 'points_earned' AND t.cause = 'order' AND t.cause_id = e.order_id) AS next
    FROM points_earning e
    LEFT JOIN (SELECT order_id, sum(due) AS due, sum(taken) AS taken FROM points_clawback GROUP BY order_id) AS c
        ON c.order_id = e.order_id
    WHERE e.order_id = :id
"""
_RAISE: Final = "UPDATE points_earning SET points = :points, basis = :basis WHERE order_id = :id"


async def _earn_anew(db: AsyncConnection, actor: Actor, order: Any) -> None:  # noqa: ANN401 - a row
    """Settle the difference where the order costs something else than what it earned on."""
    await run(db, _REFUNDS, id=order.id)
    [earning] = await run(db, _EARNED, id=order.id)
    shop = await current(db)
    points = earned_anew(earning.points, earning.basis, order.paid, shop.points_rate)
    more = points - (earning.points - earning.gone)
    if more < 0:
        await insert_rows(db, *await claw_back(db, actor, order.id))
    elif more > 0 and earning.may_rise:
        # So much money as all that was ever earned is for: then what was taken back stands for what is missing of it.
        basis = order.paid * (earning.points + more) // points
        await run(db, _RAISE, id=order.id, points=earning.points + more, basis=basis)
        await lock_account_by_id(db, earning.account_id)
        await insert_rows(db, *_given(actor, shop, earning, more, earning.next))

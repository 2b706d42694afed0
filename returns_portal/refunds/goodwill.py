"""Gestures: support gives money back without goods, or the outbound postage, within what is left of the payments.

Above the shop's limit a second person approves first (`approvals.py`). A gesture lowers what is left, so that a later
return gives back the rest and never more than was paid in all.
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.ids import new_id
from returns_portal.money import exponent
from returns_portal.notifications import actions as notifications
from returns_portal.notifications.actions import Letter
from returns_portal.orders.queries import lock_order
from returns_portal.refunds.gestures import plan_goodwill
from returns_portal.refunds.models import Goodwill, GoodwillDecision, Kind
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.releasing import Cause, release
from returns_portal.refunds.rules import Claim, OrderBalance, RefundPlan
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import UNPAID
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo

MAX_REASON: Final = 500


class Gesture(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to give back: an amount in minor units, or (`shipping`) what the delivery cost.

    `units` are paid for in full in place of an amount, although nothing of them comes back. `points_consent` says that
    the customer expressly agreed to points instead of money.
    """

    order_number: str
    reason: str
    amount: int = 0
    shipping: bool = False
    units: tuple[Claim, ...] = ()
    refund_to: RefundTo = RefundTo.ORIGINAL
    points_consent: bool = False


class Given(msgspec.Struct, frozen=True):
    """A gesture as it stands: its refunds, or none while it waits for a second person."""

    id: UUID
    decision: GoodwillDecision
    amount: int
    currency: str
    refund_ids: list[UUID] = []


async def give(db: AsyncConnection, actor: Actor, settings: Settings, shop: ShopInfo, wish: Gesture) -> Given:
    """Give money back without goods, or ask a second person to, where the shop's limit is passed.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: there is no such order.
        InvalidError: no reason, no consent to points, nothing to give, or more than is left of the payments.
        ConflictError: nothing was paid for the order.
    """
    actor.require("refunds:write", "support", "finance")
    _check(wish)
    order = await lock_order(db, actor, wish.order_number)
    if order.financial_status in UNPAID:
        raise ConflictError("This order is not paid, so there is nothing to give back.", code="not_paid")
    balance = await balance_of(db, order.id)
    planned = plan_goodwill(balance, wish.amount, refund_to=wish.refund_to, shipping=wish.shipping, units=wish.units)
    waits = shop.second_person and await _beyond_limit(db, shop, order.id, planned)
    row = _row(actor, order.id, wish, planned, GoodwillDecision.WAITING if waits else GoodwillDecision.NOT_NEEDED)
    told = {"order": str(order.id), "amount": planned.total, "shipping": wish.shipping}
    told_of = history.rows(actor, ("goodwill", row["id"], "asked" if waits else "given", told))
    await insert_rows(db, (Goodwill, [row]), told_of)
    if waits:
        return Given(row["id"], GoodwillDecision.WAITING, planned.total, planned.currency)
    return await pay(db, settings, order, Goodwill(**row), balance, planned)


def _check(wish: Gesture) -> None:
    if not wish.reason.strip():
        raise InvalidError("Say why: the customer reads the reason.", code="no_reason", field="reason")
    if len(wish.reason) > MAX_REASON:
        raise InvalidError("This is longer than {limit} characters.", field="reason", limit=MAX_REASON)
    if wish.refund_to is RefundTo.POINTS and not wish.points_consent:
        raise InvalidError(
            "Money comes back as points only if the customer has expressly agreed to it.",
            code="no_consent",
            field="points_consent",
        )


_UNSEEN: Final = """
    SELECT coalesce(sum(amount), 0)::bigint AS amount FROM goodwill
    WHERE order_id = :order_id AND decision = 'not_needed'
"""


async def _beyond_limit(db: AsyncConnection, shop: ShopInfo, order_id: UUID, planned: RefundPlan) -> bool:
    """Whether this, with all that nobody else has seen of this order, is more than one person may give."""
    [unseen] = await run(db, _UNSEEN, order_id=order_id)
    return bool(unseen.amount + planned.total > limit_of(shop, planned.currency))


def limit_of(shop: ShopInfo, currency: str) -> int:
    """What one person may give back of an order without a second one, in minor units of a currency."""
    return int(shop.goodwill_limit * 10 ** exponent(currency) // 100)


def _row(
    actor: Actor, order_id: UUID, wish: Gesture, planned: RefundPlan, decision: GoodwillDecision
) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": new_id(),
        "order_id": order_id,
        "shipping": wish.shipping,
        "units": [{"line_id": str(unit.line_id), "quantity": unit.quantity} for unit in wish.units],
        "refund_to": wish.refund_to,
        "currency": planned.currency,
        "amount": planned.total,
        "reason": wish.reason.strip(),
        "points_consent_at": now if wish.refund_to is RefundTo.POINTS else None,
        "requested_by": actor.label,
        "requested_at": now,
        "decision": decision,
        "decided_by": "",
        "decision_note": "",
    }


async def pay(
    db: AsyncConnection,
    settings: Settings,
    order: Any,  # noqa: ANN401 - a row
    gesture: Any,  # noqa: ANN401 - a row
    balance: OrderBalance,
    planned: RefundPlan,
) -> Given:
    """Write the refunds of a gesture and the e-mail that tells the customer why. Under the order's lock."""
    cause = Cause(
        release_id=gesture.id,
        order_id=order.id,
        kind=Kind.GOODWILL,
        requested_at=gesture.requested_at,
        reason=gesture.reason,
        points_consent_at=gesture.points_consent_at,
    )
    letters = notifications.rows(_letter(order, gesture, planned))
    now: datetime = clock.now()
    ids = await release(db, balance, planned, cause, letters, due_at=now, livemode=settings.livemode)
    return Given(gesture.id, GoodwillDecision(gesture.decision), planned.total, planned.currency, ids)


def _letter(order: Any, gesture: Any, planned: RefundPlan) -> Letter:  # noqa: ANN401 - rows
    values = {
        "order_number": order.number,
        "reason": gesture.reason,
        "shipping": gesture.shipping,
        "refunds": [
            {"destination": leg.destination, "amount": leg.amount, "bonus": leg.bonus, "currency": planned.currency}
            for leg in planned.legs
        ],
        "url": f"/orders/{quote(order.number)}",
    }
    return Letter("goodwill", order.email, order.locale, values, order.id)

"""The second person: gestures above the shop's limit wait for somebody else than the one who wants to make them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.orders.queries import lock_order
from returns_portal.refunds.gestures import plan_goodwill
from returns_portal.refunds.goodwill import Given, pay
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import Claim, OrderBalance
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings

SHOWN: Final = 200
MAX_NOTE: Final = 500


class GestureView(msgspec.Struct, frozen=True):
    """A gesture as staff see it; `amount` in minor units of `currency`. People are named, programs by their label."""

    id: UUID
    order_number: str
    customer: str
    shipping: bool
    refund_to: str
    currency: str
    amount: int
    reason: str
    requested_by: str
    requested_by_label: str
    requested_at: datetime
    decision: str
    decided_by: str
    decided_at: datetime | None
    decision_note: str


_VIEW: Final = """
    SELECT g.id, o.number AS order_number, o.name AS customer, g.shipping, g.refund_to, g.currency, g.amount, g.reason,
           coalesce(a.name, g.requested_by) AS requested_by, g.requested_by AS requested_by_label, g.requested_at,
           g.decision, coalesce(b.name, g.decided_by) AS decided_by, g.decided_at, g.decision_note
    FROM goodwill g JOIN orders o ON o.id = g.order_id LEFT JOIN staff a ON g.requested_by = 'staff:' || a.id
    LEFT JOIN staff b ON g.decided_by = 'staff:' || b.id
"""
_WAITING: Final = f"{_VIEW} WHERE g.decision = 'waiting' ORDER BY g.requested_at, g.id LIMIT {SHOWN}"
_OF_ORDER: Final = f"{_VIEW} WHERE g.order_id = :order_id ORDER BY g.requested_at, g.id"
_ONE: Final = f"{_VIEW} WHERE g.id = (SELECT release_id FROM refund WHERE id = :id)"  # noqa: S608 - our own text


async def waiting(db: AsyncConnection, actor: Actor) -> list[GestureView]:
    """What waits for a second person, the longest waiting first.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("refunds:write", "finance", "support")
    return [GestureView(*row) for row in await run(db, _WAITING)]


async def gestures_of(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[GestureView]:
    """Every gesture of an order, oldest first.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("refunds:write", "finance", "support")
    return [GestureView(*row) for row in await run(db, _OF_ORDER, order_id=order_id)]


async def gesture_of(db: AsyncConnection, actor: Actor, refund_id: UUID) -> GestureView | None:
    """The gesture that a refund comes from, if it comes from one.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("refunds:write", "finance", "support")
    rows = await run(db, _ONE, id=refund_id)
    return GestureView(*rows[0]) if rows else None


async def approve(db: AsyncConnection, actor: Actor, settings: Settings, gesture_id: UUID) -> Given:
    """Let a gesture be made: its refunds are written now, from what is left of the payments now.

    Raises:
        ForbiddenError: the actor is not of finance, or asked for it.
        NotFoundError: there is no such gesture.
        ConflictError: it was decided already, or less is left of the payments than it gives.
    """
    order, row = await _locked(db, actor, gesture_id)
    balance = await balance_of(db, order.id)
    try:
        planned = plan_goodwill(
            balance,
            row.amount,
            refund_to=RefundTo(row.refund_to),
            shipping=row.shipping,
            units=msgspec.convert(row.units, list[Claim]),
        )
    except InvalidError as error:
        raise ConflictError(
            "Less is left of the payments than when this was asked for. Nothing was refunded: decline it.",
            code="nothing_left",
        ) from error
    if planned.total != row.amount or not await _reducible(db, gesture_id, balance):
        # What units are worth follows from the rest of the order, and what was asked for is what was agreed to.
        raise ConflictError(
            mark("These items are worth something else by now. Nothing was refunded: decline it, and ask again."),
            code="worth_changed",
        )
    await _decided(db, actor, row, GoodwillDecision.APPROVED, "")
    given = await pay(db, settings, order, row, balance, planned)
    return msgspec.structs.replace(given, decision=GoodwillDecision.APPROVED)


_REDUCING: Final = """
    SELECT k.order_line_id, k.reduced FROM item_claim_line k JOIN item_claim c ON c.id = k.claim_id
    WHERE c.goodwill_id = :id AND c.status = 'reduced'
"""


async def _reducible(db: AsyncConnection, gesture_id: UUID, balance: OrderBalance) -> bool:
    """Whether the items whose price this reduces, if it reduces any, were not paid back since it was asked for."""
    left = {line.line_id: sum(line.unit_paid[unit] for unit in line.free) for line in balance.lines}
    return all(row.reduced <= left[row.order_line_id] for row in await run(db, _REDUCING, id=gesture_id))


async def decline(db: AsyncConnection, actor: Actor, gesture_id: UUID, note: str) -> Given:
    """Let a gesture not be made; nothing is refunded, and the customer is not told of it.

    Raises:
        ForbiddenError: the actor is not of finance, or asked for it.
        NotFoundError: there is no such gesture.
        ConflictError: it was decided already.
    """
    _order, row = await _locked(db, actor, gesture_id)
    await _decided(db, actor, row, GoodwillDecision.DECLINED, note.strip()[:MAX_NOTE])
    return Given(row.id, GoodwillDecision.DECLINED, row.amount, row.currency)


async def _locked(db: AsyncConnection, actor: Actor, gesture_id: UUID) -> tuple[Any, Any]:
    """The order, locked, and the gesture behind that lock, for somebody who may decide it."""
    actor.require("refunds:write", "finance")
    found = await run(db, "SELECT order_id FROM goodwill WHERE id = :id", id=gesture_id)
    if not found:
        raise NotFoundError("There is no such request.")
    order = await lock_order(db, actor, found[0].order_id)
    [row] = await run(db, "SELECT * FROM goodwill WHERE id = :id FOR UPDATE", id=gesture_id)
    if row.decision != GoodwillDecision.WAITING:
        raise ConflictError("This was decided already. Nothing was changed.", code="already_decided")
    if row.requested_by == actor.label:
        raise ForbiddenError("Nobody approves what they asked for: somebody else has to decide.", code="own_request")
    return order, row


_DECIDE: Final = """
    UPDATE goodwill SET decision = :decision, decided_by = :by, decided_at = :now, decision_note = :note WHERE id = :id
"""


async def _decided(
    db: AsyncConnection,
    actor: Actor,
    row: Any,  # noqa: ANN401 - a row
    decision: GoodwillDecision,
    note: str,
) -> None:
    values = {"id": row.id, "decision": decision.value, "by": actor.label, "now": clock.now(), "note": note}
    await run(db, _DECIDE, **values)
    await history.record(db, actor, ("goodwill", row.id, decision.value, {"amount": row.amount}))

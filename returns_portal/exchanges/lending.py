"""What is sent before the goods are back: how it comes out, and what of its price is taken of the card.

What was lent costs its line nothing until that is known. The goods then pay for it, as they do for every exchange, and
at most the difference is taken of the hold; or they do not, and all of it is. What is not taken is released.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.life import charge_to, move_to
from returns_portal.exchanges.models import (
    BEGUN_CHARGES,
    ChargeKind,
    ChargeStatus,
    ExchangeCharge,
    ExchangeStatus,
    Outcome,
)
from returns_portal.exchanges.queries import ExchangeView, exchange_by_id
from returns_portal.ids import new_id
from returns_portal.jobs import defer

C = ChargeStatus
S = ExchangeStatus
PAID_WITHIN: Final = timedelta(days=7)
"""So long goods that are here wait for the difference to be paid, and a replacement that is not sent at once after all
for its goods; then the money goes back."""
RELEASED: Final = frozenset({Outcome.GOODS, Outcome.GIVEN_BACK})
"""With these the customer pays the difference at most."""

_OUTCOME: Final = """
    UPDATE exchange SET outcome = :outcome, due = :due, changed_at = :now,
        covered_at = CASE WHEN CAST(:due AS bigint) = 0 THEN CAST(:now AS timestamptz) END
    WHERE id = :id AND outcome IS NULL RETURNING id
"""


async def settle(db: AsyncConnection, actor: Actor, exchange: ExchangeView, outcome: Outcome, due: int) -> None:
    """It is known how it comes out: take what is due (minor units) of the card, and release the rest. Once.

    Under the order's lock, with the exchange as it was read under it.
    """
    if not await run(db, _OUTCOME, id=exchange.id, outcome=outcome.value, due=due, now=clock.now()):
        return
    await history.record(db, actor, ("exchange", exchange.id, "settled", {"reason": outcome.value, "amount": due}))
    await _collect(db, exchange, due)
    told = await exchange_by_id(db, exchange.id)
    if told is not None:
        await tell(db, "exchange_released" if outcome in RELEASED else "exchange_charged", [told])


async def _collect(db: AsyncConnection, exchange: ExchangeView, due: int) -> None:
    hold = exchange.hold
    if hold is None or hold.status is not C.HELD:
        if due and hold is None:
            await charge_card(db, exchange, due)
    elif due:
        await capture(db, hold.id, due)
    else:
        await let_go(db, hold.id)


async def capture(db: AsyncConnection, charge_id: UUID, due: int) -> None:
    """Have so much of a hold taken; the bank releases the rest by that."""
    await charge_to(db, charge_id, C.CAPTURING, to_capture=due)
    await defer(db, "exchanges.charge", charge_id=str(charge_id))


async def let_go(db: AsyncConnection, charge_id: UUID) -> None:
    """Have a hold released, or a payment given up that waits for the customer."""
    await charge_to(db, charge_id, C.CANCELING)
    await defer(db, "exchanges.charge", charge_id=str(charge_id))


async def let_all_go(db: AsyncConnection, exchange: ExchangeView) -> None:
    """Nothing is to be paid for it any more: release what is held, and give up what waits for the customer.

    What a bank is just being asked is let go when it answers.
    """
    if exchange.hold is not None and exchange.hold.status is C.HELD:
        await let_go(db, exchange.hold.id)
    if exchange.charge is not None and exchange.charge.status is C.ACTION_NEEDED:
        await let_go(db, exchange.charge.id)


async def after_all(db: AsyncConnection, actor: Actor, exchange: ExchangeView) -> None:
    """It is not sent at once after all, but as any other: when the goods are here, and the difference is paid.

    Under the order's lock.
    """
    unpaid = exchange.to_pay > 0 and exchange.paid_at is None
    await move_to(
        db,
        actor,
        exchange.id,
        S.AWAITING_PAYMENT if unpaid else S.AWAITING_GOODS,
        at_once=False,
        days=None,
        outcome=None,
        due=0,
        covered_at=None,
        reserved_until=max(exchange.reserved_until, clock.now() + PAID_WITHIN),
    )
    await let_all_go(db, exchange)


async def hold_over(db: AsyncConnection, exchange: ExchangeView) -> None:
    """The bank holds the money no longer: what has not left waits for the goods, what has is charged."""
    if exchange.status is S.SENT:
        await settle(db, SYSTEM, exchange, Outcome.HOLD_ENDED, exchange.price)
    else:
        await after_all(db, SYSTEM, exchange)
        told = await exchange_by_id(db, exchange.id)
        if told is not None:
            await tell(db, "exchange_hold_lost", [told])


_CARD: Final = """
    SELECT customer, payment_method FROM exchange_charge
    WHERE exchange_id = :id AND kind = 'hold' AND customer IS NOT NULL AND payment_method IS NOT NULL
      AND capture_before IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT 1
"""
_BEGUN: Final = "SELECT id FROM exchange_charge WHERE exchange_id = :id AND status = ANY(:begun)"


async def charge_card(db: AsyncConnection, exchange: ExchangeView, due: int) -> None:
    """Nothing is held any more: take what is due of the card that was held, without the customer."""
    await _ask_card(db, exchange, ChargeKind.PAYMENT, due)


async def renew(db: AsyncConnection, exchange: ExchangeView) -> None:
    """Have the card hold the price anew. The old hold stands until the bank agrees, so that it can still be taken."""
    await _ask_card(db, exchange, ChargeKind.HOLD, exchange.price)


async def _ask_card(db: AsyncConnection, exchange: ExchangeView, kind: ChargeKind, amount: int) -> None:
    begun = [status.value for status in BEGUN_CHARGES]
    cards = await run(db, _CARD, id=exchange.id)
    if not cards or await run(db, _BEGUN, id=exchange.id, begun=begun):
        return
    row = {
        **new_charge(exchange, kind, amount, clock.now()),
        "status": C.SUBMITTING,
        "customer": cards[0].customer,
        "payment_method": cards[0].payment_method,
        "unattended": True,
    }
    action = "renewal_begun" if kind is ChargeKind.HOLD else "payment_begun"
    told = ("exchange", exchange.id, action, {"charge": str(row["id"])})
    await insert_rows(db, (ExchangeCharge, [row]), history.rows(SYSTEM, told))
    await defer(db, "exchanges.charge", charge_id=str(row["id"]))


def new_charge(exchange: ExchangeView, kind: ChargeKind, amount: int, now: datetime) -> dict[str, object]:
    """The row of a payment or a hold that is about to be begun, without its status and its card."""
    return {
        "id": new_id(),
        "exchange_id": exchange.id,
        "kind": kind,
        "currency": exchange.currency,
        "amount": amount,
        "to_capture": 0,
        "captured": 0,
        "unattended": False,
        "failure": "",
        "attempts": 0,
        "created_at": now,
        "changed_at": now,
    }

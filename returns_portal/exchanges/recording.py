"""What follows from a bank's answer: the difference came in, a price is held, or it is not."""

from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.catalog.rules import tax_in
from returns_portal.db import insert_rows, run
from returns_portal.exchanges.asking import status_of
from returns_portal.exchanges.lending import after_all, capture, charge_card, hold_over, let_go
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.life import charge_to, move_to
from returns_portal.exchanges.models import ChargeKind, ChargeStatus, ExchangeStatus, Outcome
from returns_portal.exchanges.queries import ChargeView, ExchangeView, exchange_by_id, open_charge
from returns_portal.exchanges.rules import LEAST_LEFT
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer
from returns_portal.orders.exchanges import price_replacement
from returns_portal.orders.trials import take_deposit
from returns_portal.payments.gateway import GatewayIntent
from returns_portal.payments.models import Payment, PaymentStatus, Tender
from returns_portal.settings import Settings

log = structlog.get_logger(__name__)

C = ChargeStatus
S = ExchangeStatus


async def record(context: JobContext, charge_id: UUID, intent: GatewayIntent) -> None:
    """Record what the gateway said, unless another run of the job already did."""
    async with context.begin() as db:
        found = await open_charge(db, charge_id)
        status = status_of(found[1], intent) if found else None
        if found is None or status is None or status is found[1].status:
            return
        exchange, known = found
        learnt: dict[str, Any] = {"reference": intent.id or None, "failure": intent.failure}
        if status is C.HELD:
            learnt |= {"capture_before": intent.capture_before, "payment_method": intent.payment_method}
        if status is C.CAPTURED:
            learnt["captured"] = intent.received
            if known.status is C.HELD:
                # Somebody took it in the gateway's dashboard.
                await charge_to(db, charge_id, C.CAPTURING, to_capture=intent.received)
        await charge_to(db, charge_id, status, **learnt)
        if status is C.CAPTURED:
            await _book(db, exchange, intent, livemode=context.service(Settings).livemode)
        else:
            await follow(db, exchange.id, known, status)


async def follow(db: AsyncConnection, exchange_id: UUID, known: ChargeView, status: ChargeStatus) -> None:
    """Do what follows for the exchange where nothing was paid. `known` is the payment as it was before."""
    exchange = await exchange_by_id(db, exchange_id)
    if exchange is None or not (exchange.at_once or known.kind is ChargeKind.HOLD):
        return
    if status is C.HELD:
        await _held(db, exchange, known.id)
    elif status in {C.FAILED, C.CANCELED} and known.status is not C.CANCELING:
        await _not_held(db, exchange, known)


_OTHERS: Final = """
    SELECT id, status FROM exchange_charge
    WHERE exchange_id = :exchange_id AND id <> :id AND status IN ('held', 'capturing')
"""


async def _held(db: AsyncConnection, exchange: ExchangeView, charge_id: UUID) -> None:
    """The bank holds the price: it can be sent; or, if this renews a hold, the earlier one is released."""
    others = await run(db, _OTHERS, exchange_id=exchange.id, id=charge_id)
    owed = exchange.due > 0 and exchange.covered_at is None
    taken = any(other.status == C.CAPTURING for other in others)
    wanted = exchange.at_once and exchange.status is not S.ENDED and (exchange.outcome is None or owed)
    if taken or not wanted:
        await let_go(db, charge_id)
        return
    for other in others:
        await let_go(db, other.id)
    if owed:
        await capture(db, charge_id, exchange.due)
    elif exchange.status is S.AWAITING_HOLD:
        await move_to(db, SYSTEM, exchange.id, S.TO_SEND)


async def _not_held(db: AsyncConnection, exchange: ExchangeView, known: ChargeView) -> None:
    """A bank refused, or a hold has ended by itself."""
    if exchange.status in {S.ENDED, S.AWAITING_HOLD} or not exchange.at_once:
        return
    if exchange.outcome is None:
        if exchange.hold is None or known.unattended:
            await hold_over(db, exchange)
    elif exchange.due and exchange.covered_at is None and exchange.hold is None:
        if known.kind is ChargeKind.HOLD:
            await charge_card(db, exchange, exchange.due)
        elif exchange.status is S.TO_SEND:
            await after_all(db, SYSTEM, exchange)
        elif known.unattended:
            await tell(db, "exchange_unpaid", [exchange])


_PAID: Final = """
    UPDATE exchange SET payment_id = :payment_id, paid_at = :now, changed_at = :now,
        reserved_until = greatest(reserved_until, :until) WHERE id = :id
"""
_COVERED: Final = """
    UPDATE exchange SET covered_at = :now, outcome = coalesce(outcome, :outcome), due = :amount WHERE id = :id
"""


async def _book(db: AsyncConnection, exchange: ExchangeView, intent: GatewayIntent, *, livemode: bool) -> None:
    """Money came in: a payment of the order, held as part of its extras until the replacement is sent."""
    now, payment_id = clock.now(), new_id()
    if exchange.payment_id is not None or (exchange.outcome and exchange.covered_at):
        log.error("exchange.paid_beside", exchange=exchange.number, reference=intent.id)
    payment = {
        "id": payment_id,
        "order_id": exchange.order_id,
        "tender": Tender.STRIPE,
        "status": PaymentStatus.CAPTURED,
        "reference": intent.id,
        "method": "",
        "card_brand": intent.card_brand,
        "card_last4": intent.card_last4,
        "amount": intent.received,
        "refunded_before": 0,
        "refunds_before": [],
        "currency": exchange.currency,
        "livemode": livemode,
        "created_at": now,
    }
    told = ("payment", payment_id, PaymentStatus.CAPTURED.value, {"exchange": exchange.number})
    await insert_rows(db, (Payment, [payment]), history.rows(SYSTEM, told))
    await take_deposit(db, exchange.order_id, intent.received)
    await run(db, _PAID, id=exchange.id, payment_id=payment_id, now=now, until=now + LEAST_LEFT)
    if exchange.status is S.ENDED:
        # It ended while the bank was asked: what came in goes back.
        await defer(db, "refunds.end_exchange", exchange_id=str(exchange.id))
    elif exchange.at_once:
        await _cover(db, exchange, intent.received)
    else:
        await move_to(db, SYSTEM, exchange.id, S.TO_SEND if exchange.arrived_at else S.AWAITING_GOODS)


async def _cover(db: AsyncConnection, exchange: ExchangeView, amount: int) -> None:
    """What was due for something that is sent at once came in: once it is a line, that is what it cost."""
    await run(db, _COVERED, id=exchange.id, now=clock.now(), amount=amount, outcome=Outcome.HOLD_ENDED.value)
    if exchange.replacement_line_id is not None:
        await pay_for(db, exchange, amount, tax_in(amount, exchange.tax_rate))


async def pay_for(db: AsyncConnection, exchange: ExchangeView, amount: int, tax: int) -> None:
    """Let so much have paid for a replacement that was sent before; what came back of it meanwhile is refunded."""
    line_id = exchange.replacement_line_id
    if line_id is None:
        return
    await price_replacement(db, line_id, amount, tax)
    # Refunds stand above exchanges, and are not imported here.
    await defer(db, "refunds.release_late", order_id=str(exchange.order_id), line_id=str(line_id))

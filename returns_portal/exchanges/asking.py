"""What is asked of the gateway for a payment or a hold, and what its answer means. Nothing is decided here.

The key of everything that is sent is the payment's own id. Whoever does not know what became of an earlier request
looks for it first.
"""

from typing import Final

import msgspec

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.exchanges.models import ChargeKind, ChargeStatus
from returns_portal.exchanges.queries import ChargeView, ExchangeView
from returns_portal.payments.gateway import GatewayIntent, GatewayRefusedError
from returns_portal.payments.holds import NewPayment
from returns_portal.payments.stripe import StripeGateway

C = ChargeStatus
CREATING: Final = frozenset({C.SUBMITTING, C.UNKNOWN})
"""In these the payment is to be made, and may have been."""


class Asked(msgspec.Struct, frozen=True):
    """A payment for which the gateway is asked, and whether it may have been asked before."""

    exchange: ExchangeView
    charge: ChargeView
    before: bool


async def ask(begin: Begin, gateway: StripeGateway, asked: Asked) -> GatewayIntent:
    """Ask for what the payment's status says, at most once, or what became of it.

    Raises:
        GatewayRefusedError: the bank declined.
        GatewayUnknownError: nobody knows; the same is to be asked again.
    """
    known = asked.charge
    if known.status in CREATING or known.reference is None:
        customer = known.customer or await customer_of(begin, gateway, known, again=asked.before)
        found = await gateway.find_intent(customer, str(known.id), setup=False) if asked.before else None
        if found is None and known.status not in CREATING:
            return _never_begun(known)
        if found is None or known.status in CREATING:
            return found or await create(gateway, asked, customer)
        known = msgspec.structs.replace(known, reference=found.id)
    if known.status == C.CANCELING:
        return await _cancel(gateway, known.reference or "")
    return await _go_on(gateway, known)


async def _cancel(gateway: StripeGateway, intent: str) -> GatewayIntent:
    try:
        return await gateway.cancel(intent)
    except GatewayRefusedError:
        return await gateway.read_intent(intent)


async def _go_on(gateway: StripeGateway, known: ChargeView) -> GatewayIntent:
    """What became of what was made before; what is due of a hold is taken."""
    answer = await gateway.read_intent(known.reference or "")
    if known.status == C.CAPTURING:
        return await _capture(gateway, known, answer)
    # What was confirmed from here and failed is over; in the customer's browser another card may follow.
    if known.payment_method and answer.failure and answer.status == "requires_payment_method":
        return await gateway.cancel(answer.id)
    return answer


async def _capture(gateway: StripeGateway, known: ChargeView, found: GatewayIntent) -> GatewayIntent:
    """Take what is due of a hold, unless that was done: a hold can be captured once, whatever the key."""
    if found.status != "requires_capture":
        return found
    try:
        return await gateway.capture(found.id, key=None, amount=known.to_capture, currency=known.currency)
    except GatewayRefusedError:
        again = await gateway.read_intent(found.id)
        # What will not be captured must not go on holding either.
        return await gateway.cancel(found.id) if again.status == "requires_capture" else again


def _never_begun(known: ChargeView) -> GatewayIntent:
    """What is told of a payment that the gateway has not."""
    return GatewayIntent(
        id="",
        status="canceled",
        payment_method=None,
        card_brand="",
        card_last4="",
        failure="",
        client_secret="",
        our_id=str(known.id),
        created=clock.now(),
    )


_CUSTOMER: Final = """
    UPDATE exchange_charge SET customer = coalesce(customer, :customer) WHERE id = :id RETURNING customer
"""


async def customer_of(begin: Begin, gateway: StripeGateway, known: ChargeView, *, again: bool) -> str:
    """Stripe's customer, by whom the payment is found again: kept before anything else is asked."""
    key = None if again else f"{known.id}:customer"
    made = await gateway.create_customer(key=key, metadata={"charge_id": str(known.id)})
    async with begin() as db:
        [row] = await run(db, _CUSTOMER, id=known.id, customer=made)
    return str(row.customer)


async def create(gateway: StripeGateway, asked: Asked, customer: str) -> GatewayIntent:
    """Make the payment; without a payment method the customer's browser is to confirm it.

    Raises:
        GatewayRefusedError: the bank declined.
        GatewayUnknownError: it may have happened.
    """
    known = asked.charge
    # Stripe may forget a key after 24 hours, and until then answers under it what it answered first.
    days = (clock.now() - known.submitted_at).days if known.submitted_at else 0
    payment = NewPayment(
        amount=known.amount,
        currency=known.currency,
        customer=customer,
        payment_method=known.payment_method,
        metadata={"charge_id": str(known.id), "exchange_id": str(asked.exchange.id)},
        hold=known.kind == ChargeKind.HOLD,
        off_session=known.unattended,
    )
    return await gateway.create_payment(key=f"{known.id}:{days}" if days else str(known.id), payment=payment)


def status_of(known: ChargeView, intent: GatewayIntent) -> ChargeStatus | None:
    """The payment's status by the gateway's word; None where nothing new was learnt."""
    if intent.status == "succeeded":
        return C.CAPTURED
    if intent.status == "requires_capture":
        return None if known.status in {C.HELD, C.CAPTURING, C.CANCELING} else C.HELD
    if intent.status == "canceled":
        return C.FAILED if known.status == C.ACTION_NEEDED and intent.failure else C.CANCELED
    if known.status in CREATING:
        return C.FAILED if intent.failure and intent.status == "requires_payment_method" else C.ACTION_NEEDED
    return None

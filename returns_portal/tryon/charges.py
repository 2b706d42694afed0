"""What is asked of the gateway for one charge of a trial, and what its answer means. Nothing is written here.

The key of everything that is sent is the charge's own id. Whoever does not know what became of an earlier request
looks for it first: Stripe forgets keys after 24 hours, and the same key then makes a second payment. Until then it
answers under a key what it answered first, be it an error of its own; so what was shown not to have happened is sent
under another key, a payment only when the earlier request cannot be on its way any more.
"""

from typing import Any, Final

import msgspec

from returns_portal import clock
from returns_portal.payments.gateway import GatewayIntent, GatewayRefusedError, GatewayUnknownError
from returns_portal.payments.holds import NewPayment
from returns_portal.payments.stripe import StripeGateway
from returns_portal.tryon.models import ChargeKind, ChargeStatus, TrialStatus
from returns_portal.tryon.queries import Charge, TrialView

C = ChargeStatus
NO_CARD: Final = "no_card"
"""Why a charge failed that nothing could be asked for; a word of ours, beside Stripe's and the banks'."""
_PRESENT: Final = frozenset(
    {
        TrialStatus.PLACED,
        TrialStatus.AUTHORISATION_FAILED,
        TrialStatus.AUTHORISATION_EXPIRED,
        TrialStatus.PAYMENT_ACTION_NEEDED,
        TrialStatus.OVERDUE,
    }
)
"""In these a charge begins because the customer has just given a card."""


class Asked(msgspec.Struct, frozen=True):
    """A charge for which the gateway is asked, and whether it may have been asked before."""

    trial: TrialView
    charge: Charge
    before: bool


class Refused(msgspec.Struct, frozen=True):
    """The gateway's no, in the bank's word or its own: nothing is held or charged by it."""

    code: str


class Meaning(msgspec.Struct, frozen=True):
    """What an answer means: the status of the charge, and what was learnt."""

    status: ChargeStatus
    columns: dict[str, Any] = {}


Answer = GatewayIntent | Refused


def is_present(trial: TrialView, charge: Charge) -> bool:
    """Whether the customer is there to answer their bank."""
    return trial.status in _PRESENT and not charge.unattended


async def ask(gateway: StripeGateway, asked: Asked) -> Answer:
    """Ask the gateway for what the charge's status says, at most once, or what became of it.

    Raises:
        GatewayUnknownError: nobody knows; the same is to be asked again.
    """
    charge = asked.charge
    try:
        if charge.status == C.CAPTURING:
            return await _capture(gateway, asked)
        if charge.status == C.CANCELING:
            return await _cancel(gateway, asked)
        if charge.status in {C.ACTION_NEEDED, C.HELD}:
            return await _read(gateway, charge)
        found = await _found(gateway, asked) if asked.before else None
        return found or await _create(gateway, asked)
    except GatewayRefusedError as error:
        return Refused(error.decline_code or error.code or "refused")


async def _found(gateway: StripeGateway, asked: Asked) -> GatewayIntent | None:
    if asked.trial.customer is None:
        return None  # Nothing is sent before the customer's id is kept.
    try:
        is_setup = asked.charge.kind == ChargeKind.SETUP
        return await gateway.find_intent(asked.trial.customer, str(asked.charge.id), setup=is_setup)
    except GatewayRefusedError as error:
        # A key that may not list proves nothing about what was done before.
        raise GatewayUnknownError(str(error)) from error


async def _create(gateway: StripeGateway, asked: Asked) -> Answer:
    trial, charge = asked.trial, asked.charge
    if trial.payment_method is None or trial.customer is None:
        return Refused(NO_CARD)
    return await create(gateway, trial, charge, trial.payment_method)


async def create(gateway: StripeGateway, trial: TrialView, charge: Charge, payment_method: str | None) -> GatewayIntent:
    """Make the intent of a charge; without a payment method the customer's browser is to confirm it.

    Raises:
        GatewayRefusedError: the bank declined.
        GatewayUnknownError: it may have happened.
    """
    key, metadata = _key_of(charge), {"charge_id": str(charge.id), "trial_id": str(trial.id)}
    customer = trial.customer or ""
    if charge.kind == ChargeKind.SETUP:
        return await gateway.create_setup(key=key, customer=customer, payment_method=payment_method, metadata=metadata)
    payment = NewPayment(
        amount=charge.amount,
        currency=charge.currency,
        customer=customer,
        payment_method=payment_method,
        hold=charge.kind == ChargeKind.HOLD,
        off_session=not is_present(trial, charge),
        metadata=metadata,
    )
    return await gateway.create_payment(key=key, payment=payment)


def _key_of(charge: Charge) -> str:
    """The charge's id; each day after it was first sent another key, for what the search has not found."""
    days = (clock.now() - charge.submitted_at).days if charge.submitted_at else 0
    return f"{charge.id}:{days}" if days > 0 else str(charge.id)


async def _capture(gateway: StripeGateway, asked: Asked) -> GatewayIntent:
    charge, intent = asked.charge, asked.charge.reference or ""
    if asked.before:
        known = await gateway.read_intent(intent)
        if known.status != "requires_capture":
            return known
    # A hold can be captured once, whatever the key.
    key = None if asked.before else f"{charge.id}:capture"
    try:
        return await gateway.capture(intent, key=key, amount=charge.to_capture, currency=charge.currency)
    except GatewayRefusedError:
        known = await gateway.read_intent(intent)
        if known.status != "requires_capture":
            return known
        # It will not be captured, so it must not go on holding either: the card on file is charged instead.
        return await gateway.cancel(intent)


async def _cancel(gateway: StripeGateway, asked: Asked) -> Answer:
    charge = asked.charge
    if charge.reference is None:
        return Refused("")  # The customer never began it.
    try:
        if charge.kind == ChargeKind.SETUP:
            await _forget_card(gateway, asked)
        return await gateway.cancel(charge.reference)
    except GatewayRefusedError:
        return await gateway.read_intent(charge.reference)


async def _forget_card(gateway: StripeGateway, asked: Asked) -> None:
    """A card that was kept is no setup any more that could be cancelled: it is deleted."""
    known = await gateway.read_intent(asked.charge.reference or "")
    if known.status == "succeeded" and known.payment_method:
        await gateway.detach(known.payment_method)


async def _read(gateway: StripeGateway, charge: Charge) -> GatewayIntent:
    known = await gateway.read_intent(charge.reference or "")
    # An intent that was confirmed from here and failed is over; one in the customer's browser may have another card.
    if charge.status == C.ACTION_NEEDED and charge.attempts and known.failure and _waits(known):
        return await gateway.cancel(known.id)
    return known


def _waits(intent: GatewayIntent) -> bool:
    return intent.status in {"requires_payment_method", "requires_confirmation"}


def meaning(charge: Charge, answer: Answer) -> Meaning | None:
    """What an answer means for a charge, as it stands now; None where nothing new was learnt."""
    if isinstance(answer, Refused):
        return _refused(charge, answer.code)
    learnt: dict[str, Any] = {"reference": answer.id, "failure": answer.failure, "next_try_at": None}
    status = _status(charge, answer)
    if status == C.HELD:
        learnt["capture_before"] = answer.capture_before
    if status in {None, charge.status} or charge.status in {C.CAPTURED, C.CANCELED, C.EXPIRED, C.FAILED}:
        return None
    return Meaning(status, learnt)


def _refused(charge: Charge, code: str) -> Meaning | None:
    if charge.status == C.CANCELING:
        return Meaning(C.CANCELED)
    if charge.status in {C.SUBMITTING, C.UNKNOWN}:
        return Meaning(C.FAILED, {"failure": code, "next_try_at": None})
    return None


def _status(charge: Charge, intent: GatewayIntent) -> ChargeStatus | None:  # noqa: PLR0911 - one line for each word
    """The charge's status by the gateway's word; None where it only tells what is known."""
    before = charge.status
    if intent.status == "succeeded":
        if charge.kind != ChargeKind.SETUP:
            return C.CAPTURED
        return C.CANCELED if before == C.CANCELING else C.HELD
    if intent.status == "requires_capture":
        return None if before in {C.HELD, C.CAPTURING, C.CANCELING} else C.HELD
    if intent.status == "canceled":
        if before in {C.HELD, C.CAPTURING}:
            return C.EXPIRED
        return C.FAILED if before == C.ACTION_NEEDED and intent.failure else C.CANCELED
    if before not in {C.SUBMITTING, C.UNKNOWN}:
        return None
    return C.FAILED if _waits(intent) and intent.failure else C.ACTION_NEEDED

"""The end of a payment intent: captured, cancelled, or a hold that nobody captured in time."""

from returns_portal.payments.sandbox import charging, clock, objects
from returns_portal.payments.sandbox.currencies import check_step
from returns_portal.payments.sandbox.errors import ApiError, missing, unexpected_state
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.params import IntentCancel, IntentCapture
from returns_portal.payments.sandbox.unit import Unit

_CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)


async def lock_intent(unit: Unit, intent_id: str) -> Document:
    """Lock the payment intent.

    Raises:
        ApiError: there is none with this id.
    """
    intent = await unit.lock("payment_intent", intent_id)
    if intent is None:
        raise missing("payment_intent", intent_id, "intent")
    return intent


async def capture(unit: Unit, params: IntentCapture, intent_id: str) -> Document:
    """Capture a held payment once, in whole or in part; what is not captured is released."""
    intent = await lock_intent(unit, intent_id)
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
            intent,
        )
    amount = intent["amount_capturable"] if params.amount_to_capture is None else params.amount_to_capture
    if amount < 1:
        raise ApiError(
            400,
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    if amount > intent["amount_capturable"]:
        raise ApiError(
            400,
            "The payment could not be captured because the requested capture amount is greater than the amount you "
            "can capture for this charge.",
            code="amount_too_large",
            param="amount_to_capture",
            payment_intent=intent,
        )
    check_step(amount, intent["currency"], "amount_to_capture")
    charge = await _held_charge(unit, intent)
    intent["metadata"] = objects.merged(intent["metadata"], params.metadata)
    charging.take(unit, intent, charge, amount)
    unit.tell("charge.captured", charge)
    unit.tell("payment_intent.succeeded", intent)
    return intent


async def _held_charge(unit: Unit, intent: Document) -> Document:
    charge = await unit.lock("charge", intent["latest_charge"])
    if charge is None:
        raise missing("charge", intent["latest_charge"])
    return charge


async def cancel(unit: Unit, params: IntentCancel, intent_id: str) -> Document:
    """Cancel a payment intent that has not succeeded; a held amount is released."""
    intent = await lock_intent(unit, intent_id)
    if intent["status"] not in _CANCELABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(_CANCELABLE)}.",
            intent,
        )
    _cancel(unit, intent, params.cancellation_reason)
    return intent


async def expire(unit: Unit, intent_id: str, *, by: int | None = None) -> Document:
    """Let a hold end that was not captured in time: the intent is canceled.

    Args:
        unit: where it is written.
        intent_id: the payment intent.
        by: only if it ends by then, in Unix seconds; None ends it in any case.

    Raises:
        ApiError: there is no such intent, or it holds nothing.
    """
    intent = await lock_intent(unit, intent_id)
    if intent["status"] != "requires_capture":
        raise unexpected_state(f"This PaymentIntent's status is {intent['status']}: it holds nothing.", intent)
    charge = await _held_charge(unit, intent)
    if by is None or charging.capture_before(charge) <= by:
        unit.put(charge)
        unit.tell("charge.expired", charge)
        _cancel(unit, intent, "automatic")
    return intent


def _cancel(unit: Unit, intent: Document, reason: str | None) -> None:
    intent["status"] = "canceled"
    intent["canceled_at"] = clock.now()
    intent["cancellation_reason"] = reason
    intent["amount_capturable"] = 0
    intent["next_action"] = None
    unit.put(intent)
    unit.tell("payment_intent.canceled", intent)

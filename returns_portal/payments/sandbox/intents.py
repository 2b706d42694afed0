"""Payment intents: created, confirmed, captured, cancelled."""

from returns_portal.payments.sandbox import objects
from returns_portal.payments.sandbox.cards import BY_LAST4, BY_NAME, BY_NUMBER, DECLINE_MESSAGES, Card
from returns_portal.payments.sandbox.currencies import check_currency, check_payment_amount, check_step
from returns_portal.payments.sandbox.errors import ApiError, missing, unexpected_state
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.params import (
    IntentCancel,
    IntentCapture,
    IntentConfirm,
    IntentCreate,
    MethodData,
)
from returns_portal.payments.sandbox.store import Unit

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)


async def create(unit: Unit, params: IntentCreate) -> Document:
    """Create a payment intent and, when asked, confirm it at once."""
    currency = check_currency(params.currency)
    check_payment_amount(params.amount, currency)
    automatic = params.automatic_payment_methods
    intent = objects.payment_intent(
        params.amount,
        currency,
        automatic_payment_methods=None
        if automatic is None
        else {"allow_redirects": automatic.allow_redirects, "enabled": automatic.enabled},
        capture_method=params.capture_method,
        description=params.description,
        metadata=params.metadata,
        receipt_email=params.receipt_email,
        shipping=params.shipping,
        statement_descriptor=params.statement_descriptor,
        statement_descriptor_suffix=params.statement_descriptor_suffix,
    )
    await _attach(unit, intent, params.payment_method, params.payment_method_data)
    if params.confirm:
        await _confirm(unit, intent, off_session=params.off_session, return_url=params.return_url)
    unit.put(intent)
    return intent


async def confirm(unit: Unit, params: IntentConfirm, intent_id: str) -> Document:
    """Confirm a payment intent: charge its card, or ask the customer to authenticate."""
    intent = await lock_intent(unit, intent_id)
    if intent["status"] not in _CONFIRMABLE:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
            if intent["status"] == "succeeded"
            else f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed.",
            intent,
        )
    await _attach(unit, intent, params.payment_method, params.payment_method_data)
    await _confirm(unit, intent, off_session=params.off_session, return_url=params.return_url)
    unit.put(intent)
    return intent


async def lock_intent(unit: Unit, intent_id: str) -> Document:
    """Lock the payment intent.

    Raises:
        ApiError: there is none with this id.
    """
    intent = await unit.lock("payment_intent", intent_id)
    if intent is None:
        raise missing("payment_intent", intent_id, "intent")
    return intent


async def _attach(unit: Unit, intent: Document, name: str | None, data: MethodData | None) -> None:
    """Give the intent its payment method; a test card's name makes a new one, as it does at Stripe."""
    if name is None and data is None:
        return
    if name is not None and (known := await unit.find("payment_method", name)):
        method = known
    else:
        method = objects.payment_method(_card(name, data))
        unit.put(method)
    intent["payment_method"] = method["id"]
    intent["status"] = "requires_confirmation"


def _card(name: str | None, data: MethodData | None) -> Card:
    if name is not None:
        if name not in BY_NAME:
            raise missing("PaymentMethod", name, "payment_method")
        return BY_NAME[name]
    number = data.card.number.replace(" ", "") if data else ""
    if number not in BY_NUMBER:
        raise ApiError(
            402,
            "Your card number is incorrect.",
            type_="card_error",
            code="incorrect_number",
            param="payment_method_data[card][number]",
        )
    return BY_NUMBER[number]


async def _confirm(unit: Unit, intent: Document, *, off_session: bool, return_url: str | None) -> None:
    method = intent["payment_method"] and await unit.find("payment_method", intent["payment_method"])
    if not method:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            intent,
        )
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and not (return_url or off_session):
        raise ApiError(
            400,
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. If "
            "you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents.",
        )
    card = BY_LAST4[method["card"]["last4"]]
    if card.authenticate and off_session:
        _decline(unit, intent, method, card, "authentication_required")
    elif card.authenticate:
        intent["status"] = "requires_action"
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect"},
        }
    elif card.decline:
        _decline(unit, intent, method, card, card.decline)
    else:
        pay(unit, intent, method, card)


def _decline(unit: Unit, intent: Document, method: Document, card: Card, decline: str) -> None:
    """Record the refused charge and raise the card error; intent and charge remain, as they do at Stripe."""
    refused = Card(card.name, card.number, brand=card.brand, decline=decline)
    charge = objects.charge(intent, method, refused)
    code = "authentication_required" if decline == "authentication_required" else "card_declined"
    error = {
        "charge": charge["id"],
        "code": code,
        "decline_code": decline,
        "message": DECLINE_MESSAGES[decline],
        "payment_method": method,
        "type": "card_error",
    }
    charge["failure_code"], charge["failure_message"] = code, error["message"]
    intent["latest_charge"] = charge["id"]
    intent["last_payment_error"] = error
    intent["payment_method"] = None
    intent["next_action"] = None
    intent["status"] = "requires_payment_method"
    unit.put(intent, charge)
    raise ApiError(
        402,
        DECLINE_MESSAGES[decline],
        type_="card_error",
        code=code,
        charge=charge["id"],
        decline_code=decline,
        payment_intent=intent,
        payment_method=method,
    )


def pay(unit: Unit, intent: Document, method: Document, card: Card) -> None:
    """Charge the card: hold the amount where it is to be captured later, else take it."""
    charge = objects.charge(intent, method, card)
    intent["latest_charge"] = charge["id"]
    intent["last_payment_error"] = None
    intent["next_action"] = None
    if intent["capture_method"] == "manual":
        intent["status"] = "requires_capture"
        intent["amount_capturable"] = intent["amount"]
        unit.put(charge)
    else:
        _take(unit, intent, charge, intent["amount"])


def _take(unit: Unit, intent: Document, charge: Document, amount: int) -> None:
    charge["captured"] = True
    charge["amount_captured"] = amount
    line = objects.balance_transaction(charge, "charge", amount, fee=True)
    charge["balance_transaction"] = line["id"]
    intent["status"] = "succeeded"
    intent["amount_received"] = amount
    intent["amount_capturable"] = 0
    unit.put(charge, line)


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
    intent["metadata"] |= params.metadata
    _take(unit, intent, charge, amount)
    unit.put(intent)
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
    intent["status"] = "canceled"
    intent["canceled_at"] = objects.now()
    intent["cancellation_reason"] = params.cancellation_reason
    intent["amount_capturable"] = 0
    intent["next_action"] = None
    unit.put(intent)
    return intent


async def authenticate(unit: Unit, intent_id: str, *, succeeds: bool) -> Document:
    """Let the customer pass or fail the authentication that the intent waits for."""
    intent = await lock_intent(unit, intent_id)
    if intent["status"] != "requires_action":
        raise unexpected_state(f"This PaymentIntent's status is {intent['status']}: nobody has to act.", intent)
    method = await unit.find("payment_method", intent["payment_method"])
    if method is None:
        raise missing("PaymentMethod", intent["payment_method"])
    if succeeds:
        pay(unit, intent, method, BY_LAST4[method["card"]["last4"]])
    else:
        intent["status"] = "requires_payment_method"
        intent["payment_method"] = None
        intent["next_action"] = None
        intent["last_payment_error"] = {
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
            "a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
            "payment_method": method,
            "type": "card_error",
        }
    unit.put(intent)
    return intent

"""Setup intents: cards kept for later, with the customer's authentication where the card's bank wants it."""

import secrets

from returns_portal.payments.sandbox import clock, methods, objects
from returns_portal.payments.sandbox.cards import DECLINE_MESSAGES
from returns_portal.payments.sandbox.errors import ApiError, missing
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.intents import automatic, check_return
from returns_portal.payments.sandbox.methods import SET_UP
from returns_portal.payments.sandbox.objects import Document, merged
from returns_portal.payments.sandbox.params import SetupCancel, SetupConfirm, SetupCreate, SetupUpdate
from returns_portal.payments.sandbox.unit import Unit

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


async def create(unit: Unit, params: SetupCreate) -> Document:
    """Create a setup intent and, when asked, confirm it at once."""
    await methods.check_customer(unit, params.customer)
    intent = _setup_intent() | {
        "automatic_payment_methods": automatic(params.automatic_payment_methods),
        "customer": params.customer,
        "description": params.description,
        "metadata": params.metadata,
        "usage": params.usage,
    }
    unit.tell("setup_intent.created", intent)
    method = await methods.chosen(unit, params.payment_method, params.payment_method_data, params.customer)
    _give(intent, method)
    if params.confirm:
        _confirm(unit, intent, method, to=params.return_url)
    unit.put(intent)
    return intent


async def confirm(unit: Unit, params: SetupConfirm, intent_id: str) -> Document:
    """Confirm a setup intent: keep its card, or ask the customer to authenticate."""
    intent = await _locked(unit, intent_id)
    _check_open(intent, "confirm")
    given = await methods.chosen(unit, params.payment_method, params.payment_method_data, intent["customer"])
    _give(intent, given)
    method = given or (intent["payment_method"] and await unit.find("payment_method", intent["payment_method"]))
    _confirm(unit, intent, method, to=params.return_url)
    unit.put(intent)
    return intent


async def update(unit: Unit, params: SetupUpdate, intent_id: str) -> Document:
    """Change whose it is, and what is noted with it."""
    intent = await _locked(unit, intent_id)
    if params.customer is not None:
        _check_open(intent, "update the customer of")
        await methods.check_customer(unit, params.customer)
        intent["customer"] = params.customer
    if params.description is not None:
        intent["description"] = params.description
    intent["metadata"] = merged(intent["metadata"], params.metadata)
    unit.put(intent)
    return intent


async def cancel(unit: Unit, params: SetupCancel, intent_id: str) -> Document:
    """Give up a setup intent that has not succeeded."""
    intent = await _locked(unit, intent_id)
    _check_open(intent, "cancel")
    intent["status"] = "canceled"
    intent["cancellation_reason"] = params.cancellation_reason
    intent["next_action"] = None
    unit.put(intent)
    unit.tell("setup_intent.canceled", intent)
    return intent


async def authenticate(unit: Unit, intent_id: str, *, succeeds: bool) -> Document:
    """Let the customer pass or fail the authentication that the intent waits for.

    Raises:
        ApiError: there is no such intent, or nobody has to act.
    """
    intent = await _locked(unit, intent_id)
    if intent["status"] != "requires_action":
        raise _unexpected(f"This SetupIntent's status is {intent['status']}: nobody has to act.", intent)
    method = await unit.find("payment_method", intent["payment_method"])
    if method is None:
        raise missing("PaymentMethod", intent["payment_method"])
    if succeeds:
        _succeed(unit, intent, method)
    else:
        error = {
            "code": "setup_intent_authentication_failure",
            "message": "The latest attempt to set up the payment method has failed because authentication failed.",
            "payment_method": method,
            "type": "invalid_request_error",
        }
        _fail(unit, intent, error)
    return intent


def _give(intent: Document, method: Document | None) -> None:
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"


def _confirm(unit: Unit, intent: Document, method: Document | None, *, to: str | None) -> None:
    if not method:
        raise _unexpected(
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a "
            "payment method and then confirm it again.",
            intent,
        )
    check_return(intent, "SetupIntent", to=to)
    card = methods.card_of(method)
    if card.decline and not card.saves:
        raise _decline(unit, intent, method, card.decline)
    if card.authenticate in {"always", "unless_set_up"}:
        intent["status"] = "requires_action"
        intent["next_action"] = objects.authentication()
        unit.put(intent)
        unit.tell("setup_intent.requires_action", intent)
    else:
        _succeed(unit, intent, method)


def _succeed(unit: Unit, intent: Document, method: Document) -> None:
    intent["status"] = "succeeded"
    intent["next_action"] = None
    intent["last_setup_error"] = None
    if intent["customer"]:
        methods.keep(unit, method, intent["customer"])
    if intent["usage"] == "off_session":
        unit.put(method, mark=SET_UP)
    unit.put(intent)
    unit.tell("setup_intent.succeeded", intent)


def _decline(unit: Unit, intent: Document, method: Document, decline: str) -> ApiError:
    error = {
        "code": methods.decline_code(decline),
        "decline_code": decline,
        "message": DECLINE_MESSAGES[decline],
        "payment_method": method,
        "type": "card_error",
    }
    _fail(unit, intent, error)
    return methods.declined(decline, setup_intent=intent, payment_method=method)


def _fail(unit: Unit, intent: Document, error: Document) -> None:
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["next_action"] = None
    intent["last_setup_error"] = error
    unit.put(intent)
    unit.tell("setup_intent.setup_failed", intent)


async def _locked(unit: Unit, intent_id: str) -> Document:
    intent = await unit.lock("setup_intent", intent_id)
    if intent is None:
        raise missing("setupintent", intent_id, "intent")
    return intent


def _check_open(intent: Document, what: str) -> None:
    if intent["status"] not in _OPEN:
        raise _unexpected(
            f"You cannot {what} this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            f"with one of the following statuses allows this: {', '.join(_OPEN)}.",
            intent,
        )


def _unexpected(message: str, intent: Document) -> ApiError:
    return ApiError(400, message, code="setup_intent_unexpected_state", setup_intent=intent)


def _setup_intent() -> Document:
    id_ = new_id("setup_intent")
    return {
        "id": id_,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{id_}_secret_{secrets.token_hex(12)}",
        "created": clock.now(),
        "customer": None,
        "description": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }

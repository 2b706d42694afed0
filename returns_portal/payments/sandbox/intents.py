"""Payment intents: created, changed, confirmed."""

from returns_portal.payments.sandbox import charging, holds, methods, objects
from returns_portal.payments.sandbox.cards import Card
from returns_portal.payments.sandbox.currencies import check_currency, check_payment_amount
from returns_portal.payments.sandbox.errors import ApiError, missing, unexpected_state
from returns_portal.payments.sandbox.methods import SET_UP
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.params import (
    AutomaticMethods,
    IntentConfirm,
    IntentCreate,
    IntentUpdate,
)
from returns_portal.payments.sandbox.unit import Unit

_UNCONFIRMED = ("requires_payment_method", "requires_confirmation", "requires_action")


async def create(unit: Unit, params: IntentCreate) -> Document:
    """Create a payment intent and, when asked, confirm it at once."""
    currency = check_currency(params.currency)
    check_payment_amount(params.amount, currency)
    if params.off_session and not params.confirm:
        raise ApiError(400, "off_session can only be used when confirm=true.", param="off_session")
    await methods.check_customer(unit, params.customer)
    intent = objects.payment_intent(
        params.amount,
        currency,
        automatic_payment_methods=automatic(params.automatic_payment_methods),
        capture_method=params.capture_method,
        customer=params.customer,
        description=params.description,
        metadata=params.metadata,
        receipt_email=params.receipt_email,
        setup_future_usage=params.setup_future_usage,
        shipping=params.shipping,
        statement_descriptor=params.statement_descriptor,
        statement_descriptor_suffix=params.statement_descriptor_suffix,
    )
    unit.tell("payment_intent.created", intent)
    method = await methods.chosen(unit, params.payment_method, params.payment_method_data, params.customer)
    _give(intent, method)
    if params.confirm:
        impatient = params.off_session or params.error_on_requires_action
        await _confirm(unit, intent, method, off_session=params.off_session, impatient=impatient, to=params.return_url)
    unit.put(intent)
    return intent


def automatic(given: AutomaticMethods | None) -> Document | None:
    """Write `automatic_payment_methods` as it is answered."""
    return None if given is None else {"allow_redirects": given.allow_redirects, "enabled": given.enabled}


async def confirm(unit: Unit, params: IntentConfirm, intent_id: str) -> Document:
    """Confirm a payment intent: charge its card, or ask the customer to authenticate."""
    intent = await holds.lock_intent(unit, intent_id)
    if intent["status"] not in _UNCONFIRMED:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
            if intent["status"] == "succeeded"
            else f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed.",
            intent,
        )
    if params.setup_future_usage is not None:
        intent["setup_future_usage"] = params.setup_future_usage
    given = await methods.chosen(unit, params.payment_method, params.payment_method_data, intent["customer"])
    _give(intent, given)
    method = given or (intent["payment_method"] and await unit.find("payment_method", intent["payment_method"]))
    off = params.off_session
    await _confirm(unit, intent, method, off_session=off, impatient=off, to=params.return_url)
    unit.put(intent)
    return intent


async def update(unit: Unit, params: IntentUpdate, intent_id: str) -> Document:
    """Change a payment intent; its amount only before it is confirmed."""
    intent = await holds.lock_intent(unit, intent_id)
    if params.amount is not None:
        if intent["status"] not in _UNCONFIRMED:
            raise unexpected_state(
                "This PaymentIntent's amount could not be updated because it has a status of "
                f"{intent['status']}. You may only update the amount of a PaymentIntent with one of the following "
                f"statuses: {', '.join(_UNCONFIRMED)}.",
                intent,
            )
        check_payment_amount(params.amount, intent["currency"])
        intent["amount"] = params.amount
    if params.customer is not None:
        if intent["status"] not in _UNCONFIRMED:
            raise unexpected_state("You cannot modify `customer` on a PaymentIntent once it was confirmed.", intent)
        await methods.check_customer(unit, params.customer)
        intent["customer"] = params.customer
    for name in ("description", "receipt_email"):
        if getattr(params, name) is not None:
            intent[name] = getattr(params, name)
    intent["metadata"] = objects.merged(intent["metadata"], params.metadata)
    unit.put(intent)
    return intent


def _give(intent: Document, method: Document | None) -> None:
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"


async def _confirm(
    unit: Unit, intent: Document, method: Document | None, *, off_session: bool, impatient: bool, to: str | None
) -> None:
    """Confirm, with the customer there or not; `impatient` is who takes no `requires_action` for an answer."""
    if not method:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            intent,
        )
    check_return(intent, "PaymentIntent", to=to, off_session=off_session)
    card = methods.card_of(method)
    if await _must_authenticate(unit, card, method, off_session=off_session):
        if impatient:
            raise charging.refused(unit, intent, method, "authentication_required")
        intent["status"] = "requires_action"
        intent["next_action"] = objects.authentication()
        unit.put(intent)
        unit.tell("payment_intent.requires_action", intent)
    else:
        charging.attempt(unit, intent, method)


def check_return(intent: Document, name: str, *, to: str | None, off_session: bool = False) -> None:
    """Refuse to confirm where a redirect would have nowhere to return to.

    Raises:
        ApiError: a `return_url` is needed.
    """
    given = intent["automatic_payment_methods"]
    if given and given["allow_redirects"] == "always" and not (to or off_session):
        raise ApiError(
            400,
            f"This {name} is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. If "
            "you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents.",
        )


async def _must_authenticate(unit: Unit, card: Card, method: Document, *, off_session: bool) -> bool:
    match card.authenticate:
        case "never":
            return False
        case "always":
            return True
        case "on_session":
            return not off_session
        case _:
            return not (off_session and await unit.mark_of(method["id"]) == SET_UP)


async def authenticate(unit: Unit, intent_id: str, *, succeeds: bool) -> Document:
    """Let the customer pass or fail the authentication that the intent waits for.

    Raises:
        ApiError: there is no such intent, or nobody has to act; or the card refuses after all.
    """
    intent = await holds.lock_intent(unit, intent_id)
    if intent["status"] != "requires_action":
        raise unexpected_state(f"This PaymentIntent's status is {intent['status']}: nobody has to act.", intent)
    method = await unit.find("payment_method", intent["payment_method"])
    if method is None:
        raise missing("PaymentMethod", intent["payment_method"])
    if succeeds:
        charging.attempt(unit, intent, method)
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
        unit.tell("payment_intent.payment_failed", intent)
    return intent

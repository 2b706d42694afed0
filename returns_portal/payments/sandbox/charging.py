"""Charging a card for a payment intent: what is paid, held or refused."""

from returns_portal.payments.sandbox import balance, disputes, methods, objects
from returns_portal.payments.sandbox.cards import DECLINE_MESSAGES
from returns_portal.payments.sandbox.currencies import fee_of
from returns_portal.payments.sandbox.errors import ApiError
from returns_portal.payments.sandbox.methods import SET_UP, USED
from returns_portal.payments.sandbox.objects import Document
from returns_portal.payments.sandbox.unit import Unit


def attempt(unit: Unit, intent: Document, method: Document) -> None:
    """Charge the card.

    Raises:
        ApiError: it is refused; intent and charge say so.
    """
    card = methods.card_of(method)
    if card.decline:
        raise refused(unit, intent, method, card.decline)
    _pay(unit, intent, method)


def refused(unit: Unit, intent: Document, method: Document, decline: str) -> ApiError:
    """Record the refused charge and build the card error; intent and charge remain, as they do at Stripe."""
    charge = objects.charge(intent, method, decline)
    code = methods.decline_code(decline)
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
    unit.tell("charge.failed", charge)
    unit.tell("payment_intent.payment_failed", intent)
    return methods.declined(decline, charge=charge["id"], payment_intent=intent, payment_method=method)


def _pay(unit: Unit, intent: Document, method: Document) -> None:
    """Hold the amount where it is to be captured later, else take it."""
    charge = objects.charge(intent, method)
    intent["latest_charge"] = charge["id"]
    intent["last_payment_error"] = None
    intent["next_action"] = None
    _keep(unit, intent, method)
    if intent["capture_method"] == "manual":
        intent["status"] = "requires_capture"
        intent["amount_capturable"] = intent["amount"]
        unit.put(charge, intent)
        unit.put(objects.plan(hold=intent["id"]), due=capture_before(charge))
        unit.tell("charge.succeeded", charge)
        unit.tell("payment_intent.amount_capturable_updated", intent)
    else:
        take(unit, intent, charge, intent["amount"])
        unit.tell("charge.succeeded", charge)
        unit.tell("payment_intent.succeeded", intent)


def _keep(unit: Unit, intent: Document, method: Document) -> None:
    """Keep the card where it is set up for later; one that belongs to nobody was used up by this payment."""
    if intent["setup_future_usage"] and intent["customer"]:
        methods.keep(unit, method, intent["customer"])
        if intent["setup_future_usage"] == "off_session":
            unit.put(method, mark=SET_UP)
    elif method["customer"] is None:
        unit.put(method, mark=USED)


def take(unit: Unit, intent: Document, charge: Document, amount: int) -> None:
    """Take what was held or is charged at once, and let what the test card foresees be planned."""
    charge["captured"] = True
    charge["amount_captured"] = amount
    line = balance.line(charge, "charge", amount, fee=fee_of(amount, charge["currency"]))
    charge["balance_transaction"] = line["id"]
    intent["status"] = "succeeded"
    intent["amount_received"] = amount
    intent["amount_capturable"] = 0
    unit.put(charge, line, intent)
    if (foreseen := disputes.foreseen(charge, unit.later)) is not None:
        planned, due = foreseen
        unit.put(planned, due=due)


def capture_before(charge: Document) -> int:
    """Return until when a held charge can be captured, in Unix seconds."""
    moment: int = charge["payment_method_details"]["card"]["capture_before"]
    return moment

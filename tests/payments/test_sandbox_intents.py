"""Payment intents in the sandbox: the states of a payment, and what each refuses."""

from typing import Any

import pytest
import stripe

from tests.payments.conftest import Pay, refused
from tests.sandboxes import SandboxProcess


def held(pay: Pay, amount: int = 1000) -> str:
    return str(pay(amount, capture_method="manual").id)


def test_an_intent_waits_for_its_card_and_its_confirmation(sdk: stripe.StripeClient) -> None:
    intents = sdk.v1.payment_intents
    intent = intents.create({"amount": 1000, "currency": "eur"})
    assert intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as caught:
        intents.confirm(intent.id)
    assert refused(caught)[1] == "payment_intent_unexpected_state"
    confirmed = intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
    assert (confirmed.status, confirmed.amount_received) == ("succeeded", 1000)
    with pytest.raises(stripe.InvalidRequestError, match="already succeeded"):
        intents.confirm(intent.id)


def test_a_card_can_be_given_by_number(sdk: stripe.StripeClient, sandbox: SandboxProcess) -> None:
    form = (
        "amount=1000&currency=eur&confirm=true&off_session=true&payment_method_data[type]=card"
        "&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2034"
        "&payment_method_data[card][cvc]=123&payment_method_data[card][number]="
    )
    status, intent, _ = sandbox.send("POST", "/v1/payment_intents", form + "4242424242424242")
    assert (status, intent["status"]) == (200, "succeeded")
    method = sdk.v1.payment_methods.retrieve(intent["payment_method"])
    assert method.card is not None
    assert method.card.last4 == "4242"
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", form + "4242424242424241")
    assert (status, answer["error"]["code"]) == (402, "incorrect_number")


@pytest.mark.parametrize(
    ("card", "decline", "message"),
    [
        ("pm_card_chargeDeclined", "generic_decline", "Your card was declined."),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "Your card has insufficient funds."),
    ],
)
def test_a_declined_card_leaves_intent_and_failed_charge(
    sdk: stripe.StripeClient, pay: Pay, card: str, decline: str, message: str
) -> None:
    with pytest.raises(stripe.CardError) as caught:
        pay(payment_method=card)
    error = caught.value.error
    assert error is not None
    assert (caught.value.http_status, caught.value.code, error.decline_code) == (402, "card_declined", decline)
    assert caught.value.user_message == message
    assert error.payment_intent is not None
    intent = sdk.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    charge = sdk.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.status, charge.paid, charge.captured) == ("failed", False, False)
    assert charge.failure_code == "card_declined"
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        sdk.v1.refunds.create({"payment_intent": intent.id})
    paid = sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    assert sdk.v1.refunds.create({"payment_intent": intent.id}).amount == 1000


def test_an_authentication_is_passed_failed_or_impossible(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay
) -> None:
    waiting = pay(payment_method="pm_card_authenticationRequired")
    assert waiting.status == "requires_action"
    assert waiting.next_action is not None
    sandbox.control(f"payment_intents/{waiting.id}/authenticate", succeeds=True)
    assert sdk.v1.payment_intents.retrieve(waiting.id).amount_received == 1000
    failing = pay(payment_method="pm_card_authenticationRequired")
    sandbox.control(f"payment_intents/{failing.id}/authenticate", succeeds=False)
    assert sdk.v1.payment_intents.retrieve(failing.id).status == "requires_payment_method"
    with pytest.raises(stripe.CardError) as caught:
        pay(payment_method="pm_card_authenticationRequired", off_session=True)
    assert refused(caught)[:2] == (402, "authentication_required")


def test_a_held_amount_is_captured_once_in_part(sdk: stripe.StripeClient, pay: Pay) -> None:
    intents = sdk.v1.payment_intents
    intent_id = held(pay)
    charge = sdk.v1.charges.list({"payment_intent": intent_id}).data[0]
    assert (charge.captured, charge.amount_captured, charge.balance_transaction) == (False, 0, None)
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.capture_before == charge.created + 7 * 86400
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        intents.capture(intent_id, {"amount_to_capture": 1001})
    assert refused(too_much) == (400, "amount_too_large", "amount_to_capture")
    captured = intents.capture(intent_id, {"amount_to_capture": 700})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 700, 0)
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded") as twice:
        intents.capture(intent_id)
    assert refused(twice)[1] == "payment_intent_unexpected_state"
    assert sdk.v1.refunds.create({"payment_intent": intent_id}).amount == 700


def test_a_canceled_hold_can_be_neither_captured_nor_refunded(sdk: stripe.StripeClient, pay: Pay) -> None:
    intents = sdk.v1.payment_intents
    intent_id = held(pay)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        sdk.v1.refunds.create({"payment_intent": intent_id})
    canceled = intents.cancel(intent_id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at is not None
    for attempt in (intents.capture, intents.cancel, intents.confirm):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            attempt(intent_id)
        assert refused(caught)[1] == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.refunds.create({"payment_intent": intent_id})


def test_a_paid_intent_cannot_be_canceled(sdk: stripe.StripeClient, pay: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="You cannot cancel this PaymentIntent") as caught:
        sdk.v1.payment_intents.cancel(pay().id)
    assert refused(caught)[:2] == (400, "payment_intent_unexpected_state")


@pytest.mark.parametrize(
    ("amount", "currency", "code", "message"),
    [
        (49, "eur", "amount_too_small", "Amount must be at least €0.50 eur"),
        (49, "jpy", "amount_too_small", "Amount must be at least ¥50 jpy"),
        (100_000_000, "usd", "amount_too_large", "Amount must be no more than $999,999.99"),
        (0, "usd", "parameter_invalid_integer", "greater than or equal to 1"),
        (150, "isk", "invalid_charge_amount_no_decimal_compatible", "effectively zero-decimal"),
        (5124, "kwd", "parameter_invalid_integer", "divisible by 10"),
        (1000, "xxx", None, "Invalid currency: xxx"),
    ],
)
def test_amounts_and_currencies_are_checked(
    sdk: stripe.StripeClient, amount: int, currency: str, code: str | None, message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.payment_intents.create({"amount": amount, "currency": currency})
    assert refused(caught)[:2] == (400, code)
    assert message in str(caught.value)


def test_redirects_need_somewhere_to_return_to(pay: Pay) -> None:
    automatic: dict[str, Any] = {"automatic_payment_methods": {"enabled": True}}
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        pay(**automatic)
    assert pay(**automatic, return_url="https://shop.example/paid").status == "succeeded"


def test_an_unknown_card_is_refused(pay: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod") as caught:
        pay(payment_method="pm_card_nobody")
    assert refused(caught)[1:] == ("resource_missing", "payment_method")

"""Cards on file in the sandbox: set up with the customer there, charged when the customer is not."""

from typing import Any

import pytest
import stripe

from tests.payments.conftest import Listen, Pay, refused
from tests.payments.test_sandbox_webhooks import kept_types
from tests.sandboxes import SandboxProcess

AUTOMATIC: Any = {"enabled": True, "allow_redirects": "never"}


@pytest.fixture
def customer(sdk: stripe.StripeClient) -> str:
    return str(sdk.v1.customers.create({"email": "anna@example.com", "name": "Anna"}).id)


def set_up(sdk: stripe.StripeClient, sandbox: SandboxProcess, customer: str, card: str) -> str:
    """Keep a card for later; the customer authenticates where that is asked. Returns the payment method."""
    intent = sdk.v1.setup_intents.create(
        {
            "customer": customer,
            "confirm": True,
            "payment_method": card,
            "usage": "off_session",
            "automatic_payment_methods": AUTOMATIC,
        }
    )
    if intent.status == "requires_action":
        assert intent.next_action is not None
        sandbox.control(f"setup_intents/{intent.id}/authenticate")
    done = sdk.v1.setup_intents.retrieve(intent.id)
    assert done.status == "succeeded"
    return str(done.payment_method)


def off_session(sdk: stripe.StripeClient, customer: str, method: str, **more: Any) -> stripe.PaymentIntent:  # noqa: ANN401 - the API's
    given: Any = {
        "amount": 2500,
        "currency": "eur",
        "customer": customer,
        "payment_method": method,
        "off_session": True,
        "confirm": True,
    } | more
    return sdk.v1.payment_intents.create(given)


@pytest.mark.parametrize(
    "card",
    ["pm_card_visa", "pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequiredSetupForOffSession"],
)
def test_a_card_that_was_set_up_is_charged_without_its_holder(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, customer: str, card: str
) -> None:
    method = set_up(sdk, sandbox, customer, card)
    first = off_session(sdk, customer, method)
    assert (first.status, first.customer, first.payment_method) == ("succeeded", customer, method)
    assert off_session(sdk, customer, method, amount=700).amount_received == 700
    assert {intent.id for intent in sdk.v1.payment_intents.list({"customer": customer}).data} >= {first.id}
    assert sdk.v1.charges.list({"customer": customer}).data[-1].payment_method == method


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        (
            "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
        ),
    ],
)
def test_a_payment_without_its_holder_may_be_refused(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, customer: str, card: str, code: str, decline: str
) -> None:
    method = set_up(sdk, sandbox, customer, card)
    with pytest.raises(stripe.CardError) as caught:
        off_session(sdk, customer, method)
    error = caught.value.error
    assert error is not None
    assert (caught.value.http_status, error.code, error.decline_code) == (402, code, decline)
    assert error.payment_intent is not None
    intent = sdk.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.payment_method is not None
    assert intent.last_payment_error.payment_method.id == method


def test_the_customer_comes_back_to_authenticate(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, customer: str, listen: Listen
) -> None:
    listen("*")
    method = set_up(sdk, sandbox, customer, "pm_card_authenticationRequired")
    with pytest.raises(stripe.CardError) as caught:
        off_session(sdk, customer, method)
    assert caught.value.error is not None
    assert caught.value.error.payment_intent is not None
    intent_id = str(caught.value.error.payment_intent.id)
    waiting = sdk.v1.payment_intents.confirm(intent_id, {"payment_method": method})
    assert waiting.status == "requires_action"
    sandbox.control(f"payment_intents/{intent_id}/authenticate")
    assert sdk.v1.payment_intents.retrieve(intent_id).status == "succeeded"
    assert kept_types(sandbox, intent_id) == [
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
    ]


def test_a_setup_is_declined_failed_or_canceled(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, customer: str, listen: Listen
) -> None:
    listen("*")
    setups = sdk.v1.setup_intents
    intent = setups.create({"customer": customer, "payment_method": "pm_card_chargeDeclined"})
    assert (intent.status, intent.usage) == ("requires_confirmation", "off_session")
    with pytest.raises(stripe.CardError) as caught:
        setups.confirm(intent.id)
    assert refused(caught)[:2] == (402, "card_declined")
    assert caught.value.error is not None
    assert caught.value.error.setup_intent is not None
    acting = setups.confirm(intent.id, {"payment_method": "pm_card_authenticationRequired"})
    assert acting.status == "requires_action"
    sandbox.control(f"setup_intents/{intent.id}/authenticate", succeeds=False)
    failed = setups.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_setup_error is not None
    assert failed.last_setup_error.code == "setup_intent_authentication_failure"
    canceled = setups.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    for attempt in (setups.confirm, setups.cancel):
        with pytest.raises(stripe.InvalidRequestError) as late:
            attempt(intent.id)
        assert refused(late)[1] == "setup_intent_unexpected_state"
    assert kept_types(sandbox, intent.id) == [
        "setup_intent.created",
        "setup_intent.setup_failed",
        "setup_intent.requires_action",
        "setup_intent.setup_failed",
        "setup_intent.canceled",
    ]
    assert [found.id for found in setups.list({"customer": customer}).data] == [intent.id]


def test_a_setup_needs_a_card(sdk: stripe.StripeClient) -> None:
    intent = sdk.v1.setup_intents.create({"metadata": {"order": "1"}})
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as caught:
        sdk.v1.setup_intents.confirm(intent.id)
    assert refused(caught)[1] == "setup_intent_unexpected_state"
    changed = sdk.v1.setup_intents.update(intent.id, {"description": "trial", "metadata": {"order": ""}})
    assert changed.description == "trial"
    assert changed.metadata is not None
    assert "order" not in changed.metadata


def test_a_payment_can_keep_its_card_for_later(sdk: stripe.StripeClient, pay: Pay, customer: str) -> None:
    method = pay(customer=customer, setup_future_usage="off_session").payment_method
    assert [kept.id for kept in sdk.v1.payment_methods.list({"customer": customer, "type": "card"}).data] == [method]
    assert off_session(sdk, customer, str(method)).status == "succeeded"


def test_a_card_that_belongs_to_nobody_is_used_once(sdk: stripe.StripeClient, pay: Pay, customer: str) -> None:
    method = str(pay().payment_method)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(payment_method=method)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        sdk.v1.payment_methods.attach(method, {"customer": customer})


def test_a_card_is_kept_until_it_is_detached(sdk: stripe.StripeClient, pay: Pay, customer: str) -> None:
    methods = sdk.v1.payment_methods
    made = methods.create({"type": "card", "card": {"token": "tok_mastercard"}, "billing_details": {"name": "Anna"}})
    assert made.card is not None
    assert (made.card.brand, made.billing_details.name, made.customer) == ("mastercard", "Anna", None)
    assert methods.attach(made.id, {"customer": customer}).customer == customer
    with pytest.raises(stripe.InvalidRequestError, match="already been attached"):
        methods.attach(made.id, {"customer": customer})
    assert [kept.id for kept in sdk.v1.customers.payment_methods.list(customer).data] == [made.id]
    other = str(sdk.v1.customers.create().id)
    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the Customer"):
        pay(payment_method=made.id, customer=other)
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        pay(payment_method=made.id)
    changed = methods.update(made.id, {"metadata": {"a": "b"}, "billing_details": {"email": "anna@example.com"}})
    assert (changed.billing_details.name, changed.billing_details.email) == ("Anna", "anna@example.com")
    assert methods.detach(made.id).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="detachment is impossible"):
        methods.detach(made.id)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        methods.attach(made.id, {"customer": customer})


def test_a_card_that_is_refused_is_not_kept(sdk: stripe.StripeClient, customer: str) -> None:
    with pytest.raises(stripe.CardError) as caught:
        sdk.v1.payment_methods.attach("pm_card_chargeDeclinedExpiredCard", {"customer": customer})
    assert refused(caught)[:2] == (402, "expired_card")
    kept = sdk.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    assert kept.id != "pm_card_visa"


@pytest.mark.parametrize(
    ("form", "status", "code", "param"),
    [
        ("type=card", 400, "parameter_missing", "card"),
        ("card[token]=tok_visa", 400, "parameter_missing", "type"),
        ("type=card&card[token]=tok_none", 404, "resource_missing", "card[token]"),
        ("type=card&card[number]=4242424242424242", 400, "parameter_missing", "card[exp_month]"),
        (
            "type=card&card[number]=4242424242424242&card[exp_month]=13&card[exp_year]=2034",
            402,
            "invalid_expiry_month",
            "card[exp_month]",
        ),
        (
            "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2019",
            402,
            "invalid_expiry_year",
            "card[exp_year]",
        ),
        (
            "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=34&card[cvc]=99",
            402,
            "invalid_cvc",
            "card[cvc]",
        ),
        ("type=sepa_debit", 400, None, "type"),
        ("type=card&sepa_debit[iban]=DE89370400440532013000", 501, "not_simulated", None),
    ],
)
def test_cards_are_checked(
    sandbox: SandboxProcess, form: str, status: int, code: str | None, param: str | None
) -> None:
    found, answer, _ = sandbox.send("POST", "/v1/payment_methods", form)
    assert (found, answer["error"].get("code"), answer["error"].get("param")) == (status, code, param)


def test_customers_are_found_and_changed(sdk: stripe.StripeClient, customer: str) -> None:
    assert customer in {found.id for found in sdk.v1.customers.list({"email": "anna@example.com"}).data}
    changed = sdk.v1.customers.update(customer, {"name": "", "phone": "+359 2 000000", "metadata": {"x": "1"}})
    assert (changed.name, changed.phone, changed.email) == (None, "+359 2 000000", "anna@example.com")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.payment_intents.create({"amount": 1000, "currency": "eur", "customer": "cus_none"})
    assert refused(caught) == (404, "resource_missing", "customer")
    with_card = sdk.v1.customers.create({"payment_method": "pm_card_visa"})
    assert len(sdk.v1.payment_methods.list({"customer": with_card.id}).data) == 1


def test_being_away_goes_with_confirming(sandbox: SandboxProcess) -> None:
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", "amount=500&currency=eur&off_session=true")
    assert (status, answer["error"]["param"]) == (400, "off_session")

"""The balance and the payouts of the sandbox: every line has its cause, and every payout the sum of its lines."""

import time
from collections.abc import Iterator

import pytest
import stripe

from tests.payments.conftest import Listen, Pay
from tests.payments.test_sandbox_webhooks import kept_types
from tests.sandboxes import SandboxProcess


@pytest.fixture
def emptied(sandbox: SandboxProcess) -> Iterator[None]:
    """Pay out what other tests left, so that the next payouts hold what this test did; debts are earned back."""
    form = "amount=99999999&currency={}&confirm=true&payment_method=pm_card_visa"
    for currency in ("eur", "usd"):
        sandbox.send("POST", "/v1/payment_intents", form.format(currency))
    sandbox.control("payouts")
    yield
    sandbox.control("payouts")


def lines(sdk: stripe.StripeClient, payout: str) -> list[tuple[str, int, int, int]]:
    page = sdk.v1.balance_transactions.list({"payout": payout, "limit": 100})
    return [(line.type, line.amount, line.fee, line.net) for line in reversed(page.data)]


@pytest.mark.usefixtures("emptied")
def test_a_payout_holds_everything_since_the_last_one(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay, listen: Listen
) -> None:
    listen("*")
    intent = pay(5000)
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    dollars = pay(2000, "usd")
    made = {payout["currency"]: payout for payout in sandbox.control("payouts")["data"]}
    assert made.keys() == {"eur", "usd"}
    assert lines(sdk, made["eur"]["id"]) == [
        ("charge", 5000, 100, 4900),
        ("refund", -1000, 0, -1000),
        ("payout", -3900, 0, -3900),
    ]
    payout = sdk.v1.payouts.retrieve(made["eur"]["id"], {"expand": ["balance_transaction"]})
    assert (payout.amount, payout.status, payout.automatic) == (3900, "paid", True)
    assert isinstance(payout.balance_transaction, stripe.BalanceTransaction)
    assert payout.balance_transaction.source == payout.id
    assert lines(sdk, made["usd"]["id"])[0] == ("charge", 2000, 55, 1945)
    assert sandbox.control("payouts")["data"] == []
    assert kept_types(sandbox, payout.id) == ["payout.created", "payout.paid"]
    by_source = sdk.v1.balance_transactions.list({"source": str(dollars.latest_charge)})
    assert [line.reporting_category for line in by_source.data] == ["charge"]


@pytest.mark.usefixtures("emptied")
def test_nothing_is_paid_out_of_a_debt(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    intent = pay(1000)
    sdk.v1.refunds.create({"payment_intent": intent.id})
    assert sandbox.control("payouts")["data"] == []
    pay(3000)
    made = sandbox.control("payouts", currency="eur")["data"]
    assert [payout["amount"] for payout in made] == [3000 - 70 - 40]


@pytest.mark.usefixtures("emptied")
def test_a_payout_may_come_back(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay, listen: Listen) -> None:
    listen("*")
    pay(5000)
    payout = sandbox.control("payouts", currency="eur", status="pending")["data"][0]["id"]
    for status in ("in_transit", "paid", "failed"):
        sandbox.control(f"payouts/{payout}/settle", status=status)
    failed = sdk.v1.payouts.retrieve(payout, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert failed.failure_balance_transaction.amount == 4900
    assert kept_types(sandbox, payout) == ["payout.created", "payout.updated", "payout.paid", "payout.failed"]
    again = sandbox.http.post(f"/_sandbox/payouts/{payout}/settle", json={"status": "paid"})
    assert again.status_code == 400
    returned = sandbox.control("payouts", currency="eur")["data"][0]
    assert [kind for kind, *_ in lines(sdk, returned["id"])] == ["payout_failure", "payout"]


@pytest.mark.usefixtures("emptied")
def test_a_payout_can_be_cut_off_in_time(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    pay(5000)
    time.sleep(1.1)  # Lines are dated to the second.
    later = pay(700)
    payout = sandbox.control("payouts", currency="eur", before=later.created)["data"][0]
    assert [amount for _, amount, _, _ in lines(sdk, payout["id"])] == [5000, -4900]


def test_lines_are_found_by_type_currency_and_time(sdk: stripe.StripeClient, pay: Pay) -> None:
    intent = pay(1000, "pln")
    refund = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 10})
    now = int(time.time())
    of_currency = sdk.v1.balance_transactions.list({"currency": "pln", "created": {"gte": now - 60}, "limit": 2})
    assert [line.source for line in of_currency.data] == [refund.id, intent.latest_charge]
    refunds = sdk.v1.balance_transactions.list({"type": "refund", "limit": 1})
    assert refunds.data[0].id == refund.balance_transaction
    expanded = sdk.v1.balance_transactions.list({"type": "refund", "limit": 1, "expand": ["data.source"]})
    assert isinstance(expanded.data[0].source, stripe.Refund)


def test_payouts_are_listed_by_status_and_arrival(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    pay(99_999_999, "czk")
    made = sandbox.control("payouts", currency="czk")["data"][0]
    listed = sdk.v1.payouts.list({"status": "paid", "limit": 1, "arrival_date": {"lte": made["arrival_date"]}})
    assert listed.data[0].id == made["id"]
    assert sdk.v1.payouts.list({"arrival_date": {"gt": made["arrival_date"]}}).data == []
    assert sandbox.send("GET", "/v1/balance_transactions", "payout=po_none")[0] == 404

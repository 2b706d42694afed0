"""Disputes in the sandbox: what they take, what they ask, and what brings the money back."""

import time

import pytest
import stripe

from tests.payments.conftest import Listen, Pay, refused
from tests.payments.test_sandbox_webhooks import kept_types
from tests.sandboxes import SandboxProcess


def opened(sandbox: SandboxProcess, intent: stripe.PaymentIntent, **more: object) -> str:
    return str(sandbox.control("disputes", payment_intent=intent.id, **more)["id"])


def lines_of(sdk: stripe.StripeClient, source: str) -> list[tuple[str, str, int, int, int]]:
    page = sdk.v1.balance_transactions.list({"source": source})
    return [(line.type, line.reporting_category, line.amount, line.fee, line.net) for line in reversed(page.data)]


def until(sdk: stripe.StripeClient, dispute: str, status: str) -> stripe.Dispute:
    deadline = time.monotonic() + 10
    while (found := sdk.v1.disputes.retrieve(dispute)).status != status:
        assert time.monotonic() < deadline, found.status
        time.sleep(0.05)
    return found


def test_a_chargeback_takes_the_money_and_its_fee_until_it_is_won(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay, listen: Listen
) -> None:
    listen("*")
    intent = pay(5000)
    dispute_id = opened(sandbox, intent)
    dispute = sdk.v1.disputes.retrieve(dispute_id, {"expand": ["charge"]})
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 5000, "fraudulent")
    assert isinstance(dispute.charge, stripe.Charge)
    assert dispute.charge.disputed
    assert not dispute.is_charge_refundable
    assert [line.net for line in dispute.balance_transactions] == [-7000]
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back") as caught:
        sdk.v1.refunds.create({"payment_intent": intent.id})
    assert refused(caught)[:2] == (400, "charge_disputed")
    sandbox.control(f"disputes/{dispute_id}/settle", status="won")
    assert lines_of(sdk, dispute_id) == [
        ("adjustment", "dispute", -5000, 2000, -7000),
        ("adjustment", "dispute_reversal", 5000, -2000, 7000),
    ]
    assert sdk.v1.refunds.create({"payment_intent": intent.id}).amount == 5000
    assert kept_types(sandbox, dispute_id) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_a_lost_dispute_stays_lost(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    intent = pay(1000)
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 400})
    dispute_id = opened(sandbox, intent, reason="product_not_received")
    assert sdk.v1.disputes.retrieve(dispute_id).amount == 600
    assert sdk.v1.disputes.close(dispute_id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be closed"):
        sdk.v1.disputes.close(dispute_id)
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back"):
        sdk.v1.refunds.create({"payment_intent": intent.id})
    assert len(lines_of(sdk, dispute_id)) == 1
    answer = sandbox.http.post(f"/_sandbox/disputes/{dispute_id}/settle", content=b'{"status": "won"}')
    assert answer.status_code == 400


def test_an_inquiry_only_asks(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    intent = pay(1000)
    dispute_id = opened(sandbox, intent, inquiry=True)
    dispute = sdk.v1.disputes.retrieve(dispute_id)
    assert (dispute.status, dispute.is_charge_refundable, dispute.balance_transactions) == (
        "warning_needs_response",
        True,
        [],
    )
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    assert sdk.v1.disputes.retrieve(dispute_id).status == "warning_needs_response"
    sdk.v1.refunds.create({"payment_intent": intent.id})
    assert sdk.v1.disputes.retrieve(dispute_id).status == "warning_closed"


def test_an_inquiry_may_become_a_chargeback(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    dispute_id = opened(sandbox, pay(1000), inquiry=True)
    sandbox.control(f"disputes/{dispute_id}/settle", status="needs_response")
    dispute = sdk.v1.disputes.retrieve(dispute_id)
    assert dispute.payment_method_details is not None
    assert dispute.payment_method_details.card is not None
    assert dispute.payment_method_details.card.case_type == "chargeback"
    assert lines_of(sdk, dispute_id) == [("adjustment", "dispute", -1000, 2000, -3000)]


@pytest.mark.parametrize(("text", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_is_submitted_once_and_decides(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay, text: str, status: str
) -> None:
    dispute_id = opened(sandbox, pay(1000))
    draft = sdk.v1.disputes.update(dispute_id, {"evidence": {"customer_name": "A"}, "submit": False})
    assert (draft.status, draft.evidence.customer_name) == ("needs_response", "A")
    assert (draft.evidence_details.has_evidence, draft.evidence_details.submission_count) == (True, 0)
    sent = sdk.v1.disputes.update(dispute_id, {"evidence": {"uncategorized_text": text}})
    assert (sent.status, sent.evidence_details.submission_count) == ("under_review", 1)
    with pytest.raises(stripe.InvalidRequestError, match="no evidence any more"):
        sdk.v1.disputes.update(dispute_id, {"evidence": {"uncategorized_text": "more"}})
    assert until(sdk, dispute_id, status).evidence.customer_name == "A"
    assert sdk.v1.disputes.update(dispute_id, {"metadata": {"case": "7"}}).metadata["case"] == "7"


@pytest.mark.parametrize(
    ("card", "status", "reason"),
    [
        ("pm_card_createDispute", "needs_response", "fraudulent"),
        ("pm_card_createDisputeProductNotReceived", "needs_response", "product_not_received"),
        ("pm_card_createDisputeInquiry", "warning_needs_response", "fraudulent"),
    ],
)
def test_test_cards_are_disputed_a_little_later(
    sdk: stripe.StripeClient, pay: Pay, card: str, status: str, reason: str
) -> None:
    intent = pay(payment_method=card)
    deadline = time.monotonic() + 10
    while not (found := sdk.v1.disputes.list({"payment_intent": intent.id}).data):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [(dispute.status, dispute.reason) for dispute in found] == [(status, reason)]
    assert sdk.v1.disputes.list({"charge": str(intent.latest_charge)}).data[0].id == found[0].id


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"charge": "ch_none"}, 404),
        ({"payment_intent": "pi_none"}, 404),
        ({"amount": 1001}, 400),
        ({"amount": 0}, 400),
        ({"reason": "boredom"}, 400),
    ],
)
def test_what_cannot_be_disputed_is_refused(
    sandbox: SandboxProcess, pay: Pay, body: dict[str, object], status: int
) -> None:
    given = body if body.keys() & {"charge", "payment_intent"} else body | {"payment_intent": pay(1000).id}
    assert sandbox.http.post("/_sandbox/disputes", json=given).status_code == status


def test_a_charge_has_one_open_dispute(sandbox: SandboxProcess, pay: Pay) -> None:
    intent = pay(1000)
    dispute_id = opened(sandbox, intent, amount=400)
    again = sandbox.http.post("/_sandbox/disputes", json={"payment_intent": intent.id})
    assert again.status_code == 400
    sandbox.control(f"disputes/{dispute_id}/settle", status="won")
    assert opened(sandbox, intent) != dispute_id

"""Refunds in the sandbox: never more than was captured, whatever happens at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.payments.conftest import Pay, refused
from tests.sandboxes import SandboxProcess


def test_partial_refunds_end_where_the_charge_is_refunded(sdk: stripe.StripeClient, pay: Pay) -> None:
    intent_id = pay().id
    first = sdk.v1.refunds.create(
        {"payment_intent": intent_id, "amount": 400, "reason": "requested_by_customer", "metadata": {"refund_id": "1"}}
    )
    assert (first.status, first.reason) == ("succeeded", "requested_by_customer")
    assert first.metadata is not None
    assert first.metadata["refund_id"] == "1"
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 601})
    assert str(too_much.value.user_message) == (
        "Refund amount (€6.01) is greater than unrefunded amount on charge (€6.00)"
    )
    assert refused(too_much) == (400, None, "amount")
    assert sdk.v1.refunds.create({"payment_intent": intent_id}).amount == 600
    with pytest.raises(stripe.InvalidRequestError, match="has already been refunded") as done:
        sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 1})
    assert refused(done)[:2] == (400, "charge_already_refunded")
    charge = sdk.v1.charges.retrieve(str(first.charge))
    assert (charge.refunded, charge.amount_refunded) == (True, 1000)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_refund_has_an_amount(sdk: stripe.StripeClient, pay: Pay, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.refunds.create({"payment_intent": pay().id, "amount": amount})
    assert refused(caught) == (400, "parameter_invalid_integer", "amount")


def test_what_is_not_there_cannot_be_refunded(sdk: stripe.StripeClient, pay: Pay) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent: 'pi_none'") as intent:
        sdk.v1.refunds.create({"payment_intent": "pi_none"})
    assert refused(intent) == (404, "resource_missing", "payment_intent")
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_none'") as charge:
        sdk.v1.refunds.create({"charge": "ch_none"})
    assert refused(charge) == (404, "resource_missing", "charge")
    with pytest.raises(stripe.InvalidRequestError) as neither:
        sdk.v1.refunds.create({})
    assert refused(neither)[:2] == (400, "parameter_missing")
    other = pay().latest_charge
    with pytest.raises(stripe.InvalidRequestError, match="does not belong"):
        sdk.v1.refunds.create({"payment_intent": pay().id, "charge": str(other)})


def test_two_refunds_at_once_share_what_is_there(sandbox: SandboxProcess, pay: Pay) -> None:
    intent_id = pay().id
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: sandbox.send("POST", "/v1/refunds", f"payment_intent={intent_id}&amount=300"), range(8))
        )
    assert sorted(status for status, _, _ in answers) == [200] * 3 + [400] * 5
    _, intent, _ = sandbox.send("GET", f"/v1/payment_intents/{intent_id}", "expand[]=latest_charge")
    assert intent["latest_charge"]["amount_refunded"] == 900


def test_the_next_refunds_go_as_ordered(sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay) -> None:
    intent_id = pay().id
    sandbox.control("refund-outcomes", status="pending", pending_reason="insufficient_funds")
    sandbox.control("refund-outcomes", status="failed", failure_reason="lost_or_stolen_card")
    pending = sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 300})
    assert (pending.status, pending.pending_reason) == ("pending", "insufficient_funds")
    failed = sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 700})
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert failed.failure_balance_transaction is not None
    assert sdk.v1.refunds.create({"payment_intent": intent_id}).amount == 700
    sandbox.control(f"refunds/{pending.id}/settle", status="failed", failure_reason="declined")
    charge = sdk.v1.charges.retrieve(str(pending.charge))
    assert (charge.amount_refunded, charge.refunded) == (700, False)


def test_a_pending_refund_can_be_planned_to_fail(sandbox: SandboxProcess, pay: Pay) -> None:
    sandbox.control("refund-outcomes", status="pending", then="failed", after=0.1, failure_reason="unknown")
    _, refund, _ = sandbox.send("POST", "/v1/refunds", f"payment_intent={pay().id}&metadata[refund_id]=7")
    _, changed, _ = sandbox.send("POST", f"/v1/refunds/{refund['id']}", "metadata[note]=x&metadata[refund_id]=")
    assert changed["metadata"] == {"note": "x"}
    failed = sandbox.settled(refund["id"], "failed")
    assert (failed["failure_reason"], failed["metadata"]) == ("unknown", {"note": "x"})


def test_a_replayed_request_does_not_use_up_an_ordered_outcome(sandbox: SandboxProcess, pay: Pay) -> None:
    form = f"payment_intent={pay().id}&amount=100"
    _, first, _ = sandbox.send("POST", "/v1/refunds", form, key=f"ordered:{form}")
    sandbox.control("refund-outcomes", status="pending")
    _, replayed, _ = sandbox.send("POST", "/v1/refunds", form, key=f"ordered:{form}")
    assert replayed == first
    _, second, _ = sandbox.send("POST", "/v1/refunds", form)
    assert second["status"] == "pending"


def test_a_refund_is_canceled_only_while_the_customer_has_to_act(
    sdk: stripe.StripeClient, sandbox: SandboxProcess, pay: Pay
) -> None:
    intent_id = pay().id
    done = sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 300})
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        sdk.v1.refunds.cancel(done.id)
    sandbox.control("refund-outcomes", status="requires_action")
    waiting = sdk.v1.refunds.create({"payment_intent": intent_id})
    assert sdk.v1.refunds.cancel(waiting.id).status == "canceled"
    assert sdk.v1.charges.retrieve(str(waiting.charge)).amount_refunded == 300


def test_what_has_ended_is_not_settled_again(sandbox: SandboxProcess, pay: Pay) -> None:
    _, refund, _ = sandbox.send("POST", "/v1/refunds", f"payment_intent={pay().id}")
    sandbox.control(f"refunds/{refund['id']}/settle", status="failed")
    again = sandbox.http.post(f"/_sandbox/refunds/{refund['id']}/settle", json={"status": "succeeded"})
    assert again.status_code == 400
    _, charge, _ = sandbox.send("GET", f"/v1/charges/{refund['charge']}")
    assert charge["amount_refunded"] == 0


def test_the_balance_tells_charge_refund_and_failure(
    sdk: stripe.StripeClient, pay: Pay, sandbox: SandboxProcess
) -> None:
    charge_id = str(pay(10_000).latest_charge)
    refund = sdk.v1.refunds.create({"charge": charge_id, "amount": 4000})
    sandbox.control(f"refunds/{refund.id}/settle", status="failed")
    (paid,) = sdk.v1.balance_transactions.list({"source": charge_id}).data
    assert (paid.type, paid.amount, paid.fee, paid.net) == ("charge", 10_000, 175, 9825)
    lines = sdk.v1.balance_transactions.list({"source": refund.id}).data
    assert {(line.type, line.amount, line.net) for line in lines} == {
        ("refund", -4000, -4000),
        ("refund_failure", 4000, 4000),
    }
    only = sdk.v1.balance_transactions.list({"source": refund.id, "type": "refund_failure"}).data
    assert [line.type for line in only] == ["refund_failure"]
    assert sdk.v1.balance_transactions.retrieve(paid.id).source == charge_id

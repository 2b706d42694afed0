"""The gateway against the sandbox, over HTTP, through the SDK."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import stripe

from returns_portal.payments.gateway import (
    GatewayBusyError,
    GatewayPayment,
    GatewayRefund,
    GatewayRefusedError,
    GatewayUnknownError,
)
from returns_portal.payments.stripe import API_VERSION, StripeGateway
from tests.payments.conftest import Pay
from tests.sandboxes import KEY, SandboxProcess

pytestmark = pytest.mark.anyio


async def paid(gateway: StripeGateway, amount: int = 1000, currency: str = "EUR", **more: str) -> GatewayPayment:
    return await gateway.create_sandbox_payment(
        key=str(uuid4()), amount=amount, currency=currency, metadata={"order_id": "1"}, **more
    )


async def refunded(gateway: StripeGateway, payment: GatewayPayment, amount: int, key: str = "") -> GatewayRefund:
    return await gateway.refund(
        key=key or str(uuid4()),
        payment=payment.id,
        amount=amount,
        currency=payment.currency,
        metadata={"refund_id": "ours"},
    )


async def test_a_payment_is_made_once_and_read_back(gateway: StripeGateway) -> None:
    made = await gateway.create_sandbox_payment(key="pay:1", amount=4990, currency="EUR", metadata={})
    again = await gateway.create_sandbox_payment(key="pay:1", amount=4990, currency="EUR", metadata={})
    assert again == made == await gateway.read_payment(made.id)
    assert (made.status, made.amount, made.captured, made.refunded) == ("succeeded", 4990, 4990, 0)
    assert (made.currency, made.card_brand, made.card_last4) == ("EUR", "visa", "4242")
    assert not made.livemode
    assert not made.disputed


async def test_a_refund_carries_our_id_and_the_banks_reference(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    refund = await refunded(gateway, payment, 300)
    assert (refund.status, refund.amount, refund.currency) == ("succeeded", 300, "EUR")
    assert (refund.payment, refund.charge, refund.our_id) == (payment.id, payment.charge, "ours")
    assert refund.reference is not None
    assert refund.balance_transaction is not None
    assert await gateway.read_refund(refund.id) == refund
    assert (await gateway.read_payment(payment.id)).refunded == 300


@pytest.mark.parametrize(("currency", "amount"), [("JPY", 500), ("ISK", 2500), ("MGA", 990000), ("KWD", 5120)])
async def test_other_currencies_keep_their_amounts(gateway: StripeGateway, currency: str, amount: int) -> None:
    payment = await paid(gateway, amount, currency)
    refund = await refunded(gateway, payment, amount)
    assert (payment.captured, refund.amount, refund.currency) == (amount, amount, currency)


async def test_a_charge_without_an_intent_can_be_refunded(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    assert payment.charge is not None
    refund = await gateway.refund(key=str(uuid4()), payment=payment.charge, amount=100, currency="EUR", metadata={})
    assert refund.our_id is None
    assert [found.id for found in await gateway.find_refunds(payment.charge)] == [refund.id]


async def test_all_pages_of_refunds_are_found(gateway: StripeGateway) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    payment = await paid(gateway)
    made = [(await refunded(gateway, payment, 1)).id for _ in range(103)]
    assert [refund.id for refund in await gateway.find_refunds(payment.id)] == made[::-1]
    listed = [refund.id async for refund in gateway.list_refunds(began)]
    assert set(made) <= set(listed)
    assert len(listed) == len(set(listed))


async def test_fifty_refunds_at_once_lead_to_one(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    outcomes = await asyncio.gather(
        *(refunded(gateway, payment, 1000, key=f"fifty:{payment.id}:{number}") for number in range(50)),
        return_exceptions=True,
    )
    succeeded = [outcome for outcome in outcomes if isinstance(outcome, GatewayRefund)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, GatewayRefusedError)]
    assert len(succeeded) == 1
    assert [refusal.code for refusal in refusals] == ["charge_already_refunded"] * 49
    assert [refund.id for refund in await gateway.find_refunds(payment.id)] == [succeeded[0].id]


async def test_fifty_requests_under_one_key_lead_to_one_refund(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    outcomes = await asyncio.gather(
        *(refunded(gateway, payment, 10, key=f"one:{payment.id}") for _ in range(50)), return_exceptions=True
    )
    ids = {outcome.id for outcome in outcomes if isinstance(outcome, GatewayRefund)}
    unknown = [outcome for outcome in outcomes if isinstance(outcome, GatewayUnknownError)]
    assert len(ids) == 1
    assert all(isinstance(outcome, GatewayRefund | GatewayUnknownError) for outcome in outcomes), unknown
    assert len(await gateway.find_refunds(payment.id)) == 1


async def test_a_lost_answer_is_asked_for_again_under_the_same_key(
    gateway: StripeGateway, sandbox: SandboxProcess
) -> None:
    payment = await paid(gateway)
    sandbox.control("faults", kind="drop", path="/v1/refunds", contains=payment.id)
    refund = await refunded(gateway, payment, 400)
    assert [found.id for found in await gateway.find_refunds(payment.id)] == [refund.id]


async def test_answers_that_never_come_leave_the_outcome_unknown(
    gateway: StripeGateway, sandbox: SandboxProcess
) -> None:
    payment = await paid(gateway)
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", contains=payment.id, times=3)
    with pytest.raises(GatewayUnknownError):
        await refunded(gateway, payment, 400, key=f"lost:{payment.id}")
    found = await gateway.find_refunds(payment.id)
    assert [refund.our_id for refund in found] == ["ours"]
    assert await refunded(gateway, payment, 400, key=f"lost:{payment.id}") == found[0]


@pytest.mark.parametrize("acts", [True, False])
async def test_a_server_error_is_no_answer(gateway: StripeGateway, sandbox: SandboxProcess, acts: bool) -> None:
    payment = await paid(gateway)
    sandbox.control("faults", kind="error", path="/v1/refunds", contains=payment.id, acts=acts)
    with pytest.raises(GatewayUnknownError):
        await refunded(gateway, payment, 400)
    assert len(await gateway.find_refunds(payment.id)) == int(acts)


async def test_too_many_requests_did_nothing_but_are_no_refusal(
    gateway: StripeGateway, sandbox: SandboxProcess
) -> None:
    payment = await paid(gateway)
    sandbox.control("faults", kind="rate_limit", path="/v1/refunds")
    with pytest.raises(GatewayBusyError):
        await refunded(gateway, payment, 400, key=f"busy:{payment.id}")
    assert await gateway.find_refunds(payment.id) == []
    assert (await refunded(gateway, payment, 400, key=f"busy:{payment.id}")).status == "succeeded"


async def test_a_key_in_use_is_waited_for(gateway: StripeGateway, sandbox: SandboxProcess) -> None:
    payment = await paid(gateway)
    sandbox.control("faults", kind="conflict", path="/v1/refunds")
    assert (await refunded(gateway, payment, 400)).status == "succeeded"


async def test_a_key_used_for_something_else_is_not_taken_for_a_refusal(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    await refunded(gateway, payment, 400, key=f"mixed:{payment.id}")
    with pytest.raises(GatewayUnknownError):
        await refunded(gateway, payment, 500, key=f"mixed:{payment.id}")


async def test_refusals_carry_stripes_codes(gateway: StripeGateway) -> None:
    payment = await paid(gateway)
    with pytest.raises(GatewayRefusedError, match="greater than charge amount") as too_much:
        await refunded(gateway, payment, 1001)
    assert too_much.value.code == "invalid_request_error"
    with pytest.raises(GatewayRefusedError) as unknown:
        await gateway.read_payment("pi_nothing")
    assert unknown.value.code == "resource_missing"
    with pytest.raises(GatewayRefusedError) as declined:
        await paid(gateway, payment_method="pm_card_chargeDeclinedInsufficientFunds")
    assert (declined.value.code, declined.value.decline_code) == ("card_declined", "insufficient_funds")


async def test_a_reference_cannot_lead_elsewhere(gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRefusedError) as caught:
        await gateway.read_payment("pi_1/../../refunds")
    assert caught.value.code == "resource_missing"


async def test_nothing_there_is_unknown() -> None:
    async with StripeGateway(key=KEY, base="http://127.0.0.1:1") as nowhere:
        with pytest.raises(GatewayUnknownError):
            await nowhere.read_payment("pi_1")


async def test_an_answer_that_takes_too_long_is_unknown(
    gateway: StripeGateway, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await paid(gateway)
    monkeypatch.setattr("returns_portal.payments.stripe._ATTEMPT_SECONDS", 0.2)
    sandbox.control("faults", kind="slow", path="/v1/refunds", contains=payment.id, seconds=0.5, times=3)
    with pytest.raises(GatewayUnknownError):
        await refunded(gateway, payment, 400)
    monkeypatch.undo()
    assert len(await gateway.find_refunds(payment.id)) == 1


async def test_payments_are_made_up_only_with_test_keys(sandbox: SandboxProcess) -> None:
    async with StripeGateway(key="sk_live_x", base=sandbox.base) as live:
        assert live.livemode
        with pytest.raises(GatewayRefusedError) as caught:
            await paid(live)
        assert caught.value.code == "live_key"
        # A wrong key says nothing about the payment: what was asked waits until the key is mended.
        with pytest.raises(GatewayBusyError, match="Invalid API Key"):
            await live.find_refunds("pi_1")


async def test_a_pending_refund_succeeds_later(gateway: StripeGateway, sandbox: SandboxProcess) -> None:
    payment = await paid(gateway, payment_method="pm_card_pendingRefund")
    refund = await refunded(gateway, payment, 1000)
    assert (refund.status, refund.pending_reason, refund.reference) == ("pending", "processing", None)
    assert (await gateway.read_payment(payment.id)).refunded == 1000
    sandbox.settled(refund.id, "succeeded")
    later = await gateway.read_refund(refund.id)
    assert later.pending_reason is None
    assert later.reference is not None


async def test_a_successful_refund_fails_later(gateway: StripeGateway, sandbox: SandboxProcess) -> None:
    payment = await paid(gateway, payment_method="pm_card_refundFail")
    refund = await refunded(gateway, payment, 1000)
    assert refund.status == "succeeded"
    sandbox.settled(refund.id, "failed")
    later = await gateway.read_refund(refund.id)
    assert later.failure_reason == "expired_or_canceled_card"
    assert (await gateway.read_payment(payment.id)).refunded == 0
    assert (await refunded(gateway, payment, 1000)).id != refund.id


async def test_a_partly_captured_payment_says_what_was_captured(
    gateway: StripeGateway, pay: Pay, sdk: stripe.StripeClient
) -> None:
    held = pay(1000, capture_method="manual")
    assert (await gateway.read_payment(held.id)).captured == 0
    sdk.v1.payment_intents.capture(held.id, {"amount_to_capture": 700})
    payment = await gateway.read_payment(held.id)
    assert (payment.amount, payment.captured, payment.refunded) == (1000, 700, 0)


def test_the_pinned_version_is_the_sdks() -> None:
    assert stripe.api_version == API_VERSION

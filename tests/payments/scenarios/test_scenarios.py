"""What the portal relies on a gateway for, asked of each: captures, refunds, disputes, keys, lists, the balance.

Only Stripe's own test cards and API are used, so that the same holds against Stripe itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import stripe

from returns_portal.payments.gateway import GatewayPayment, GatewayRefund, GatewayRefusedError, GatewayUnknownError
from tests.payments.scenarios.conftest import Place

pytestmark = pytest.mark.anyio

AMOUNT = 1090
T = TypeVar("T")


async def paid(place: Place, card: str = "visa") -> GatewayPayment:
    """A payment in euros with one of Stripe's test cards."""
    return await place.create_sandbox_payment(
        key=str(uuid4()),
        amount=AMOUNT,
        currency="EUR",
        metadata={"order_id": "1001"},
        payment_method=f"pm_card_{card}",
    )


async def refund(place: Place, payment: GatewayPayment, amount: int, **more: Any) -> GatewayRefund:  # noqa: ANN401 - of the call
    given = {"key": str(uuid4()), "metadata": {"refund_id": str(uuid4())}} | more
    return await place.refund(payment=payment.id, amount=amount, currency="EUR", **given)


async def later(place: Place, look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool]) -> T:
    """Look until it is as wanted."""
    async with asyncio.timeout(place.patience):
        while True:
            seen = await look()
            if wanted(seen):
                return seen
            await asyncio.sleep(place.patience / 100)


async def code_of(call: Awaitable[Any]) -> str | None:
    with pytest.raises(GatewayRefusedError) as refused:
        await call
    return refused.value.code


async def test_a_payment_is_captured_and_read(place: Place) -> None:
    payment = await paid(place)
    assert (payment.status, payment.amount, payment.captured, payment.refunded) == ("succeeded", AMOUNT, AMOUNT, 0)
    assert (payment.currency, payment.card_brand, payment.card_last4) == ("EUR", "visa", "4242")
    assert payment.charge is not None
    assert not payment.livemode
    assert await place.read_payment(payment.id) == payment
    assert (await place.read_charge(payment.charge)).payment == payment.id


async def test_what_was_held_is_captured_in_part_and_refunded_in_full(place: Place) -> None:
    intents = place._client.v1.payment_intents
    held = await intents.create_async(
        {
            "amount": AMOUNT,
            "currency": "eur",
            "confirm": True,
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert (held.status, held.amount_capturable) == ("requires_capture", AMOUNT)
    payment = await place.read_payment(held.id)
    assert (payment.status, payment.captured) == ("requires_capture", 0)
    with pytest.raises(stripe.InvalidRequestError) as more:
        await intents.capture_async(held.id, {"amount_to_capture": AMOUNT + 1})
    assert more.value.code == "amount_too_large"
    await intents.capture_async(held.id, {"amount_to_capture": 700})
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await intents.capture_async(held.id)
    assert twice.value.code == "payment_intent_unexpected_state"
    assert (await place.read_payment(held.id)).captured == 700
    assert (await refund(place, payment, 700)).status == "succeeded"
    assert (await place.read_payment(held.id)).refunded == 700


async def test_a_part_and_then_the_rest(place: Place) -> None:
    payment = await paid(place)
    part = await refund(place, payment, 400)
    assert (part.status, part.amount, part.currency) == ("succeeded", 400, "EUR")
    assert (part.payment, part.charge) == (payment.id, payment.charge)
    assert (await place.read_payment(payment.id)).refunded == 400
    rest = await refund(place, payment, AMOUNT - 400)
    assert (await place.read_payment(payment.id)).refunded == AMOUNT
    found = await place.find_refunds(payment.id)
    assert [each.id for each in found] == [rest.id, part.id]
    assert await place.read_refund(part.id) == found[1]


async def test_more_than_is_left_is_refused(place: Place) -> None:
    payment = await paid(place)
    await refund(place, payment, 400)
    # Stripe has no code for it; what stands instead is the kind of its error.
    assert await code_of(refund(place, payment, AMOUNT - 399)) == "invalid_request_error"
    assert (await place.read_payment(payment.id)).refunded == 400


async def test_what_went_back_whole_does_not_go_back_again(place: Place) -> None:
    payment = await paid(place)
    await refund(place, payment, AMOUNT)
    assert await code_of(refund(place, payment, AMOUNT)) == "charge_already_refunded"
    assert await code_of(refund(place, payment, 1)) == "charge_already_refunded"
    assert len(await place.find_refunds(payment.id)) == 1


async def test_the_same_request_under_the_same_key_is_one_refund(place: Place) -> None:
    payment = await paid(place)
    same = {"key": str(uuid4()), "metadata": {"refund_id": "ours"}}
    first = await refund(place, payment, 400, **same)
    assert (await refund(place, payment, 400, **same)).id == first.id
    # Another request under the key is no answer to this one.
    with pytest.raises(GatewayUnknownError):
        await refund(place, payment, 500, **same)
    assert [each.amount for each in await place.find_refunds(payment.id)] == [400]


async def test_our_own_id_comes_back_with_the_refund(place: Place) -> None:
    payment = await paid(place)
    ours = str(uuid4())
    made = await refund(place, payment, 400, metadata={"refund_id": ours}, reason="requested_by_customer")
    other = await place.refund(key=str(uuid4()), payment=payment.id, amount=100, currency="EUR", metadata={})
    found = {each.id: each for each in await place.find_refunds(payment.id)}
    assert (found[made.id].our_id, found[made.id].reason) == (ours, "requested_by_customer")
    assert found[other.id].our_id is None
    since = datetime.now(UTC) - timedelta(minutes=10)
    listed = [each.id async for each in place.list_refunds(since) if each.payment == payment.id]
    assert listed == [other.id, made.id]


async def test_a_pending_refund_succeeds_later(place: Place) -> None:
    payment = await paid(place, "pendingRefund")
    made = await refund(place, payment, AMOUNT)
    assert made.status == "pending"
    # It is counted from the beginning, so that nothing more goes back meanwhile.
    assert (await place.read_payment(payment.id)).refunded == AMOUNT
    await later(place, lambda: place.read_refund(made.id), lambda seen: seen.status == "succeeded")


async def test_a_refund_can_fail_after_it_has_succeeded(place: Place) -> None:
    payment = await paid(place, "refundFail")
    made = await refund(place, payment, AMOUNT)
    assert made.status == "succeeded"
    failed = await later(place, lambda: place.read_refund(made.id), lambda seen: seen.status == "failed")
    assert failed.failure_reason
    assert (await place.read_payment(payment.id)).refunded == 0


async def test_a_payment_is_disputed(place: Place) -> None:
    payment = await paid(place, "createDispute")
    [dispute] = await later(place, lambda: place.find_disputes(payment.id), bool)
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", AMOUNT)
    assert (dispute.payment, dispute.charge) == (payment.id, payment.charge)
    assert dispute.evidence_due_by is not None
    await later(place, lambda: place.read_payment(payment.id), lambda seen: seen.disputed)
    taken = await later(place, lambda: place.read_dispute(dispute.id), lambda seen: seen.withdrawn > 0)
    assert taken.withdrawn == AMOUNT
    assert await code_of(refund(place, payment, 100)) == "charge_disputed"


@pytest.mark.parametrize(
    ("card", "decline"),
    [("chargeDeclined", "generic_decline"), ("chargeDeclinedInsufficientFunds", "insufficient_funds")],
)
async def test_a_card_is_declined(place: Place, card: str, decline: str) -> None:
    with pytest.raises(GatewayRefusedError) as refused:
        await paid(place, card)
    assert (refused.value.code, refused.value.decline_code) == ("card_declined", decline)


async def test_what_is_not_there_is_said_so(place: Place) -> None:
    assert await code_of(place.read_payment("pi_nothing")) == "resource_missing"
    assert await code_of(place.read_refund("re_nothing")) == "resource_missing"


async def test_the_balance_has_a_line_for_each_movement(place: Place) -> None:
    since = datetime.now(UTC) - timedelta(minutes=10)
    payment = await paid(place)
    made = await refund(place, payment, 400)
    assert made.balance_transaction is not None
    lines = {
        line.id: line async for line in place.list_balance_transactions(since=since) if line.charge == payment.charge
    }
    back = lines[made.balance_transaction]
    assert (back.category, back.source, back.our_id) == ("refund", made.id, made.our_id)
    # The balance may be of another currency than the payment.
    assert (back.payment_amount, back.payment_currency) == (-400, "EUR")
    [sale] = [line for line in lines.values() if line.category == "charge"]
    assert (sale.source, sale.payment, sale.payment_amount) == (payment.charge, payment.id, AMOUNT)
    for line in (back, sale):
        assert line.net == line.amount - line.fee

"""The sandbox's own clock, and what happens by it: holds that end, plans that come due, keys that are forgotten."""

import time
from collections.abc import Iterator

import pytest
import stripe

from tests.payments.conftest import Pay, refused
from tests.payments.test_sandbox_webhooks import kept_types
from tests.sandboxes import KEY, SandboxProcess, running

DAY = 86400


@pytest.fixture(scope="module")
def process(shared_database_url: str) -> Iterator[SandboxProcess]:
    """A sandbox of its own: what is made in the future would come first in the lists of all other tests."""
    with running(shared_database_url) as process:
        process.control("events", keep=True)
        yield process


@pytest.fixture
def clock(process: SandboxProcess) -> Iterator[SandboxProcess]:
    """The sandbox, whose clock is set right in the end."""
    yield process
    process.control("clock/reset")


@pytest.fixture(scope="module")
def sdk(process: SandboxProcess) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient()
    yield stripe.StripeClient(KEY, base_addresses={"api": process.base}, http_client=http)
    http.close()  # type: ignore[no-untyped-call]  # the SDK leaves it untyped


def test_a_hold_ends_by_itself(sdk: stripe.StripeClient, clock: SandboxProcess, pay: Pay) -> None:
    held = pay(capture_method="manual")
    clock.control("clock", advance=6 * DAY)
    assert sdk.v1.payment_intents.retrieve(held.id).status == "requires_capture"
    clock.control("clock", advance=1 * DAY)
    ended = sdk.v1.payment_intents.retrieve(held.id)
    assert (ended.status, ended.cancellation_reason, ended.amount_capturable) == ("canceled", "automatic", 0)
    assert ended.canceled_at is not None
    assert ended.canceled_at >= held.created + 7 * DAY
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.payment_intents.capture(held.id)
    assert refused(caught)[1] == "payment_intent_unexpected_state"
    assert kept_types(clock, held.id)[-1] == "payment_intent.canceled"
    assert kept_types(clock, str(held.latest_charge)) == ["charge.succeeded", "charge.expired"]


def test_a_hold_that_was_captured_does_not_end(sdk: stripe.StripeClient, clock: SandboxProcess, pay: Pay) -> None:
    held = pay(capture_method="manual")
    sdk.v1.payment_intents.capture(held.id)
    clock.control("clock", advance=8 * DAY)
    assert sdk.v1.payment_intents.retrieve(held.id).status == "succeeded"
    again = clock.http.post(f"/_sandbox/payment_intents/{held.id}/expire", content=b"{}")
    assert again.status_code == 400


def test_a_hold_can_be_ended_at_once(sdk: stripe.StripeClient, clock: SandboxProcess, pay: Pay) -> None:
    held = pay(capture_method="manual")
    clock.control(f"payment_intents/{held.id}/expire")
    assert sdk.v1.payment_intents.retrieve(held.id).cancellation_reason == "automatic"


def test_time_passes_for_everything(sdk: stripe.StripeClient, clock: SandboxProcess, pay: Pay) -> None:
    before = pay()
    clock.control("refund-outcomes", status="pending", then="failed", after=DAY)
    refund = sdk.v1.refunds.create({"payment_intent": before.id})
    assert clock.control("clock", advance=2 * DAY)["now"] >= int(time.time()) + 2 * DAY
    assert sdk.v1.refunds.retrieve(refund.id).status == "failed"
    after = pay()
    assert after.created >= before.created + 2 * DAY
    listed = sdk.v1.payment_intents.list({"created": {"gte": before.created + DAY}, "limit": 1})
    assert listed.data[0].id == after.id


def test_keys_grow_old_by_the_clock(clock: SandboxProcess, pay: Pay) -> None:
    form, key = f"payment_intent={pay().id}&amount=10", f"old:{time.time()}"
    first = clock.send("POST", "/v1/refunds", form, key=key)[1]["id"]
    clock.control("keys/forget", older_than_hours=24)
    assert clock.send("POST", "/v1/refunds", form, key=key)[1]["id"] == first
    clock.control("clock", advance=DAY + 1)
    clock.control("keys/forget", older_than_hours=24)
    assert clock.send("POST", "/v1/refunds", form, key=key)[1]["id"] != first

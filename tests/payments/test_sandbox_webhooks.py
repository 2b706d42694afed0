"""Webhooks of the sandbox: endpoints by Stripe's API, signed events, and everything that goes wrong on the way."""

import itertools
import time

import pytest
import stripe

from tests.payments.conftest import Listen, Pay, refused
from tests.sandboxes import Receiver, SandboxProcess, running


def kept_types(sandbox: SandboxProcess, object_id: str) -> list[str]:
    """The types of the events that tell of an object, oldest first."""
    page = sandbox.send("GET", "/v1/events", "limit=100")[1]["data"]
    return [event["type"] for event in reversed(page) if event["data"]["object"]["id"] == object_id]


def wait_for_nothing(sandbox: SandboxProcess) -> None:
    deadline = time.monotonic() + 10
    while sandbox.control("webhooks/waiting")["data"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_sdk_takes_what_arrives(receiver: Receiver, listen: Listen, pay: Pay, sdk: stripe.StripeClient) -> None:
    endpoint = listen("*")
    assert endpoint.secret is not None
    intent = pay()
    receiver.wait(3)
    for delivered in receiver.delivered:
        event = stripe.Webhook.construct_event(delivered.body, delivered.signature, endpoint.secret)
        assert delivered.body.startswith(b'{\n  "id": "evt_')
        assert sdk.v1.events.retrieve(event.id).type == event.type
        assert event.request is not None
        assert event.request.id is not None
    assert sorted(receiver.types()) == ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]
    created = next(one.event for one in receiver.delivered if one.type == "payment_intent.created")
    assert (created["data"]["object"]["id"], created["data"]["object"]["status"]) == (
        intent.id,
        "requires_payment_method",
    )


def test_only_what_is_wanted_is_sent_and_kept(
    receiver: Receiver, listen: Listen, pay: Pay, sdk: stripe.StripeClient, sandbox: SandboxProcess
) -> None:
    listen("refund.created", "refund.failed")
    intent = pay()
    refund = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    assert receiver.wait(1) == ["refund.created"]
    assert receiver.delivered[0].event["data"]["object"]["id"] == refund.id
    assert kept_types(sandbox, intent.id) == []
    assert kept_types(sandbox, refund.id) == ["refund.created"]


def test_events_that_nobody_wants_are_not_passed_off_as_none(sandbox: SandboxProcess, pay: Pay) -> None:
    status, answer, _ = sandbox.send("GET", "/v1/events")
    assert (status, answer["error"]["code"]) == (501, "not_simulated")
    sandbox.control("events", keep=True)
    try:
        intent = pay()
        assert kept_types(sandbox, intent.id) == ["payment_intent.created", "payment_intent.succeeded"]
        both = sandbox.send("GET", "/v1/events", "types[0]=charge.succeeded&types[1]=payment_intent.created&limit=2")
        assert {event["type"] for event in both[1]["data"]} == {"charge.succeeded", "payment_intent.created"}
    finally:
        sandbox.control("events", keep=False)


def test_a_secret_is_told_once(sdk: stripe.StripeClient) -> None:
    endpoints = sdk.v1.webhook_endpoints
    made = endpoints.create({"url": "http://127.0.0.1:9/hooks", "enabled_events": ["refund.created"]})
    assert made.secret is not None
    assert made.secret.startswith("whsec_")
    assert "secret" not in endpoints.retrieve(made.id)
    assert all("secret" not in endpoint for endpoint in endpoints.list().data)
    changed = endpoints.update(made.id, {"disabled": True, "description": "old", "enabled_events": ["*"]})
    assert (changed.status, changed.description, changed.enabled_events) == ("disabled", "old", ["*"])
    assert "secret" not in changed
    assert endpoints.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError) as caught:
        endpoints.retrieve(made.id)
    assert refused(caught)[:2] == (404, "resource_missing")


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ("url=nowhere&enabled_events[0]=*", "url"),
        ("url=http://127.0.0.1/&enabled_events[0]=Refund", "enabled_events[0]"),
        ("url=http://127.0.0.1/", "enabled_events"),
    ],
)
def test_endpoints_are_checked(sandbox: SandboxProcess, form: str, param: str) -> None:
    status, answer, _ = sandbox.send("POST", "/v1/webhook_endpoints", form)
    assert (status, answer["error"]["param"]) == (400, param)


def test_what_is_refused_is_sent_again(receiver: Receiver, listen: Listen, pay: Pay, sandbox: SandboxProcess) -> None:
    listen("charge.succeeded")
    receiver.refusals[:] = [500, 302]
    pay()
    began = time.monotonic()
    assert receiver.wait(1) == ["charge.succeeded"]
    assert time.monotonic() - began > 2.5  # One second, then two.
    wait_for_nothing(sandbox)
    assert receiver.types() == ["charge.succeeded"]


def test_a_disabled_endpoint_is_left_alone(
    receiver: Receiver, listen: Listen, pay: Pay, sdk: stripe.StripeClient
) -> None:
    endpoint = listen("charge.succeeded")
    sdk.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    pay()
    sdk.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})
    second = pay()
    receiver.wait(1)
    assert [one.event["data"]["object"]["payment_intent"] for one in receiver.delivered] == [second.id]


def test_held_events_arrive_in_any_order_that_is_asked_for(
    receiver: Receiver, listen: Listen, pay: Pay, sandbox: SandboxProcess
) -> None:
    listen("*")
    sandbox.control("webhooks/hold")
    pay()
    waiting = sandbox.control("webhooks/waiting")["data"]
    assert [one["type"] for one in waiting] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert all(one["held"] for one in waiting)
    names = {one["event"]: one["type"] for one in waiting}
    for order in itertools.permutations(names):
        receiver.delivered.clear()
        sent = sandbox.control("webhooks/send", events=[*order, order[0]])
        assert [one["status"] for one in sent["data"]] == [200] * 4
        assert receiver.types() == [names[event] for event in (*order, order[0])]
    receiver.delivered.clear()
    sandbox.control("webhooks/release")
    wait_for_nothing(sandbox)
    assert receiver.delivered == []


def test_what_was_held_is_delivered_in_the_end(
    receiver: Receiver, listen: Listen, pay: Pay, sandbox: SandboxProcess
) -> None:
    listen("charge.succeeded")
    sandbox.control("webhooks/hold")
    pay()
    time.sleep(0.7)
    assert receiver.delivered == []
    sandbox.control("webhooks/release")
    assert receiver.wait(1) == ["charge.succeeded"]


@pytest.mark.parametrize(
    ("fault", "arrives"),
    [
        ({"kind": "lost", "type": "charge."}, ["payment_intent.succeeded"]),
        ({"kind": "late", "type": "charge."}, ["payment_intent.succeeded", "charge.succeeded"]),
        ({"kind": "reversed", "times": 2}, ["payment_intent.succeeded", "charge.succeeded"]),
        (
            {"kind": "twice", "type": "charge."},
            ["charge.succeeded", "charge.succeeded", "payment_intent.succeeded"],
        ),
    ],
)
def test_deliveries_go_wrong_as_ordered(
    receiver: Receiver, listen: Listen, pay: Pay, sandbox: SandboxProcess, fault: dict[str, object], arrives: list[str]
) -> None:
    listen("charge.succeeded", "payment_intent.succeeded")
    sandbox.control("webhooks/faults", **fault)
    intent = pay()
    wait_for_nothing(sandbox)
    seen = receiver.types()
    assert (sorted(seen) if fault["kind"] == "twice" else seen) == arrives
    assert "payment_intent.succeeded" in kept_types(sandbox, intent.id)


def test_an_event_can_be_signed_without_being_sent(
    listen: Listen, pay: Pay, sandbox: SandboxProcess, receiver: Receiver
) -> None:
    endpoint = listen("charge.succeeded")
    pay()
    receiver.wait(1)
    event = receiver.delivered[0].event["id"]
    now = sandbox.control("webhooks/sign", event=event, secret=endpoint.secret)
    assert now["body"].encode() == receiver.delivered[0].body
    stripe.Webhook.construct_event(now["body"].encode(), now["signature"], endpoint.secret)
    old = sandbox.control("webhooks/sign", event=event, secret=endpoint.secret, at=int(time.time()) - 400)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(old["body"].encode(), old["signature"], endpoint.secret)


def test_a_change_that_does_not_happen_is_not_told(
    receiver: Receiver, listen: Listen, sandbox: SandboxProcess, pay: Pay
) -> None:
    listen("*")
    form = "amount=500&currency=eur&confirm=true&payment_method=pm_none"
    assert sandbox.send("POST", "/v1/payment_intents", form)[0] == 404
    form = f"payment_intent={pay().id}&amount=100"
    for _ in range(3):
        assert sandbox.send("POST", "/v1/refunds", form, key=form)[0] == 200
    wait_for_nothing(sandbox)
    assert receiver.types().count("refund.created") == 1
    assert receiver.types().count("payment_intent.created") == 1


def test_a_replayed_request_does_not_use_up_an_ordered_fault(
    receiver: Receiver, listen: Listen, sandbox: SandboxProcess, pay: Pay
) -> None:
    listen("refund.created")
    form = f"payment_intent={pay().id}&amount=100"
    sandbox.send("POST", "/v1/refunds", form, key=form)
    receiver.wait(1)
    sandbox.control("webhooks/faults", kind="lost")
    sandbox.send("POST", "/v1/refunds", form, key=form)
    sandbox.send("POST", "/v1/refunds", form)
    sandbox.send("POST", "/v1/refunds", form)
    receiver.wait(2)
    wait_for_nothing(sandbox)
    assert len(receiver.delivered) == 2


def test_a_declined_card_is_told(listen: Listen, sandbox: SandboxProcess, receiver: Receiver) -> None:
    listen("*")
    form = "amount=500&currency=eur&confirm=true&payment_method=pm_card_chargeDeclined"
    assert sandbox.send("POST", "/v1/payment_intents", form)[0] == 402
    assert sorted(receiver.wait(3)) == ["charge.failed", "payment_intent.created", "payment_intent.payment_failed"]


def test_a_refund_is_told_from_its_beginning_to_its_end(
    listen: Listen, sandbox: SandboxProcess, sdk: stripe.StripeClient, pay: Pay
) -> None:
    listen("*")
    refund = sdk.v1.refunds.create({"payment_intent": pay(payment_method="pm_card_refundFail").id})
    sandbox.settled(refund.id, "failed")
    assert kept_types(sandbox, refund.id) == [
        "refund.created",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
    ]
    assert kept_types(sandbox, str(refund.charge)) == ["charge.succeeded", "charge.refunded"]
    updated = sandbox.send("GET", "/v1/events", "type=refund.updated&limit=1")[1]["data"][0]
    assert updated["data"]["previous_attributes"] == {"status": "succeeded"}
    assert updated["request"] == {"id": None, "idempotency_key": None}


def test_events_outlive_the_process(sandbox_database: str, receiver: Receiver) -> None:
    form = "amount=500&currency=eur&confirm=true&payment_method=pm_card_visa"
    with running(sandbox_database) as sandbox:
        hooks = f"url={receiver.url}&enabled_events[0]=charge.succeeded"
        _, endpoint, _ = sandbox.send("POST", "/v1/webhook_endpoints", hooks)
        receiver.refusals[:] = [503]
        sandbox.send("POST", "/v1/payment_intents", form)
        deadline = time.monotonic() + 10
        while receiver.refusals:  # What it dies with would be sent again only when its lease is over.
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)
        sandbox.restart()
        assert receiver.wait(1, seconds=20) == ["charge.succeeded"]
        sandbox.send("POST", "/v1/payment_intents", form)
        assert receiver.wait(2)[1:] == ["charge.succeeded"]
        sandbox.send("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")

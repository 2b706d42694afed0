"""Where Stripe delivers: what was signed over these very bytes just now is stored once; nothing else is."""

import time
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy import text

from returns_portal.db import Begin
from returns_portal.payments.inbox_endpoint import SANDBOX_EVENTS, ensure
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.vault import Vault
from tests.payments.conftest import Pay
from tests.payments.webhooks import SECRET, Events, dashboard_refund, deliver, kept
from tests.portal import at_once
from tests.sandboxes import SandboxProcess
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Events]:
    with kept(sandbox) as events:
        yield events


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    given = settings.model_copy(update={"stripe_webhook_secret": SecretStr(SECRET)})
    async with browsing(given, database_url) as client:
        yield client


async def stored(begin: Begin) -> list[tuple[str, str, str]]:
    async with begin() as db:
        rows = await db.execute(text("SELECT event_id, object_kind, object_id FROM gateway_event ORDER BY received_at"))
        return [tuple(row) for row in rows]


async def jobs(begin: Begin) -> int:
    async with begin() as db:
        counted: int = await db.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'refunds.read_event'")
        )
        return counted


@pytest.fixture
def refunded(pay: Pay, sandbox: SandboxProcess, events: Events) -> dict[str, str]:
    """An event about a refund."""
    refund = dashboard_refund(sandbox, pay().id, 100)
    [event] = [event for event in events.of(refund["id"]) if event["type"] == "refund.created"]
    return {"event": event["id"], "refund": refund["id"]}


async def test_it_is_stored_as_it_came_with_its_job(
    browser: Browser, begin: Begin, events: Events, refunded: dict[str, str]
) -> None:
    body, signature = events.signed(refunded["event"])
    assert await deliver(browser, body, signature) == 200
    assert await stored(begin) == [(refunded["event"], "refund", refunded["refund"])]
    assert await jobs(begin) == 1
    async with begin() as db:
        assert bytes(await db.scalar(text("SELECT body FROM gateway_event"))) == body


async def test_fifty_at_once_are_stored_once(
    browser: Browser, begin: Begin, events: Events, refunded: dict[str, str]
) -> None:
    body, signature = events.signed(refunded["event"])
    assert set(await at_once(*(deliver(browser, body, signature) for _ in range(50)))) == {200}
    assert len(await stored(begin)) == 1
    assert await jobs(begin) == 1


async def test_what_is_not_signed_so_is_not_stored(
    browser: Browser, begin: Begin, events: Events, refunded: dict[str, str]
) -> None:
    event = refunded["event"]
    body, signature = events.signed(event)
    reserialised = msgspec.json.encode(msgspec.json.decode(body))
    assert reserialised != body
    now = int(time.time())
    for name, (sent, signed) in {
        "re-serialised": (reserialised, signature),
        "changed": (body.replace(b"succeeded", b"failed\xc3\xa9"), signature),
        "cut": (body[:-1], signature),
        "no text": (b"\xff" + body, signature),
        "another secret": events.signed(event, secret="whsec_another"),
        "stale": events.signed(event, at=now - 301),
        "no signature": (body, ""),
        "no scheme": (body, signature.replace("v1=", "v0=")),
        "no time": (body, signature.partition(",")[2]),
        "not ASCII": (body, "t=1,v1=é"),
        "empty": (b"", signature),
    }.items():
        assert await deliver(browser, sent, signed) == 400, name
    assert await stored(begin) == []
    assert await deliver(browser, *events.signed(event, at=now - 290)) == 200


async def test_what_is_signed_and_no_event_is_refused(browser: Browser, begin: Begin) -> None:
    for body in ("[]", "{}", '{"id": "evt_1", "type": "x.y", "created": "now", "data": {}}', "no json"):
        header = stripe.WebhookSignature.generate_signature_header(body, SECRET)
        assert await deliver(browser, body.encode(), header) == 400
    assert await stored(begin) == []


async def test_too_much_is_refused_and_browsers_have_nothing_to_do_here(browser: Browser) -> None:
    assert await deliver(browser, b" " * ((1 << 20) + 1), "t=1,v1=0") == 413
    assert (await browser.get("/webhooks/stripe")).status_code == 405


async def test_events_of_what_nobody_reads_are_kept_and_done(
    browser: Browser, begin: Begin, sandbox: SandboxProcess, events: Events, pay: Pay
) -> None:
    pay()
    sandbox.control("payouts", currency="eur", status="paid")
    _, page, _ = sandbox.send("GET", "/v1/events", "type=payout.paid&limit=1")
    assert await deliver(browser, *events.signed(page["data"][0]["id"])) == 200
    async with begin() as db:
        row = (await db.execute(text("SELECT object_kind, handled_at FROM gateway_event"))).one()
    assert row.object_kind == "payout"
    assert row.handled_at is not None
    assert await jobs(begin) == 0


async def test_without_a_secret_there_is_nothing_here(settings: Settings, database_url: str) -> None:
    async with browsing(settings, database_url) as browser:
        assert await deliver(browser, b"{}", "t=1,v1=0") == 404
    live = settings.model_copy(update={"stripe_secret_key": SecretStr("sk_live_1")})
    async with browsing(live, database_url) as browser:
        assert await deliver(browser, b"{}", "t=1,v1=0") == 404


async def test_the_sandboxs_endpoint_is_made_once_and_moved(
    settings: Settings, database_url: str, begin: Begin, gateway: StripeGateway, sandbox: SandboxProcess, events: Events
) -> None:
    assert settings.secret_key is not None
    vault = Vault(settings.secret_key.get_secret_value())
    try:
        await ensure(begin, gateway, vault, "http://127.0.0.1:1/webhooks/stripe")
        [first] = await gateway.list_endpoints()
        await ensure(begin, gateway, vault, "http://127.0.0.1:2/webhooks/stripe")
        [moved] = await gateway.list_endpoints()
        assert (moved.id, moved.url) == (first.id, "http://127.0.0.1:2/webhooks/stripe")
        assert set(moved.enabled_events) == set(SANDBOX_EVENTS)
        # Its secret is what lets events in; it is stored encrypted.
        async with begin() as db:
            sealed = str(await db.scalar(text("SELECT secret FROM webhook_endpoint")))
        assert "whsec" not in sealed
        refund = dashboard_refund(
            sandbox,
            (await gateway.create_sandbox_payment(key=moved.id, amount=500, currency="EUR", metadata={})).id,
            100,
        )
        [event, *_] = events.of(refund["id"])
        async with browsing(settings, database_url) as browser:
            assert await deliver(browser, *events.signed(event["id"], secret=vault.open(sealed))) == 200
            assert await deliver(browser, *events.signed(event["id"])) == 400
        # Another SECRET_KEY cannot read it: a new endpoint takes its place.
        await ensure(begin, gateway, Vault("another-secret-" * 3), "http://127.0.0.1:2/webhooks/stripe")
        [anew] = await gateway.list_endpoints()
        assert anew.id != first.id
    finally:
        for endpoint in await gateway.list_endpoints():
            await gateway.delete_endpoint(endpoint.id)

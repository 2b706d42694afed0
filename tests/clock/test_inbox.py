"""A clock that is a day wrong: the gateway's events are refused or let in, and none is lost or done twice."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
import stripe
from pydantic import SecretStr
from sqlalchemy import text

from returns_portal import clock
from returns_portal.accounts.limits import Limit, hit
from returns_portal.db import Begin
from returns_portal.errors import TooManyError
from returns_portal.payments.inbox import poll
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.payments.webhooks import SECRET, Events, dashboard_refund, deliver, kept
from tests.sandboxes import SandboxProcess
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Events]:
    with kept(sandbox) as events:
        yield events


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    given = settings.model_copy(update={"stripe_webhook_secret": SecretStr(SECRET)})
    async with browsing(given, database_url) as client:
        yield client


@pytest.fixture
async def event(gateway: StripeGateway, sandbox: SandboxProcess, events: Events) -> str:
    """An event of just now, by the gateway's clock, which is right."""
    payment = await gateway.create_sandbox_payment(key=str(time.time_ns()), amount=500, currency="EUR", metadata={})
    refund = dashboard_refund(sandbox, payment.id, 100)
    [told] = [event for event in events.of(refund["id"]) if event["type"] == "refund.created"]
    return str(told["id"])


def wrong_by(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Set the clock by which the SDK judges signatures."""
    ahead = SimpleNamespace(time=lambda: time.time() + by.total_seconds())
    monkeypatch.setattr(stripe._webhook, "time", ahead)


async def stored(begin: Begin, event: str) -> int:
    async with begin() as db:
        query = text("SELECT count(*) FROM gateway_event WHERE event_id = :event")
        return int((await db.execute(query, {"event": event})).scalar_one())


async def test_a_day_ahead_deliveries_are_refused_and_asked_for(
    browser: Browser,
    begin: Begin,
    gateway: StripeGateway,
    events: Events,
    event: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To that clock every signature is a day old. The list of events goes by the gateway's clock alone."""
    await poll(begin, gateway)
    async with begin() as db:
        await db.execute(text("DELETE FROM gateway_event"))
    wrong_by(monkeypatch, DAY)
    with clock.shifted(DAY):
        assert await deliver(browser, *events.signed(event)) == 400
        assert await stored(begin, event) == 0
        await poll(begin, gateway)
    assert await stored(begin, event) == 1


async def test_a_day_behind_they_are_let_in_once(
    browser: Browser, begin: Begin, events: Events, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, signature = events.signed(event)
    wrong_by(monkeypatch, -DAY)
    with clock.shifted(-DAY):
        assert await deliver(browser, body, signature) == 200
        assert await deliver(browser, body, signature) == 200
    assert await stored(begin, event) == 1


async def test_a_first_look_at_the_list_from_tomorrow_passes_nothing_over(
    begin: Begin, gateway: StripeGateway, event: str
) -> None:
    with clock.shifted(DAY):
        assert await poll(begin, gateway) == 0
    await poll(begin, gateway)
    assert await stored(begin, event) == 1


async def test_whoever_was_stopped_yesterday_by_a_clock_of_tomorrow_may_try_again(begin: Begin) -> None:
    door = Limit("door", times=1, seconds=60)
    with clock.shifted(DAY):
        await hit(begin, door)
        with pytest.raises(TooManyError):
            await hit(begin, door)
    await hit(begin, door)
    with pytest.raises(TooManyError):
        await hit(begin, door)

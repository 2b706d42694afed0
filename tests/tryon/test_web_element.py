"""Stripe's own form: with a key of Stripe's account no card is typed here, and that page alone lets its script in."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest
from httpx import Response
from pydantic import SecretStr

from returns_portal.tryon.pages.element import SCRIPT
from returns_portal.web.envelope import POLICY
from tests.portal import Portal
from tests.returns.visits import post, words
from tests.sandboxes import KEY, SandboxProcess
from tests.tryon.shopper import fill, typed
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, sandbox: SandboxProcess, database_url: str) -> AsyncIterator[Browser]:
    """At a shop with an account at Stripe, for which the sandbox stands in."""
    account = {
        "stripe_secret_key": SecretStr(KEY),
        "stripe_api_base": sandbox.base,
        "stripe_publishable_key": "pk_test_shop",
    }
    portal.settings = portal.settings.model_copy(update=account)
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def ordered(browser: Browser, portal: Portal) -> str:
    """Order without a card; the trial's path."""
    await fill(browser, portal, "41", "42")
    form = await browser.get("/checkout")
    assert "Your card comes next" in words(form)
    assert "card_number" not in form.text
    answer = await post(browser, "/checkout", await typed(browser))
    assert answer.status_code == 303, answer.text
    await portal.work()
    return str(answer.headers["location"])


def data(page: Response, name: str) -> str:
    found = re.search(rf'data-{name}="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


async def test_the_form_is_stripes_and_leads_to_the_trial(
    browser: Browser, portal: Portal, sandbox: SandboxProcess
) -> None:
    path = await ordered(browser, portal)
    page = await browser.get(path)
    assert "Your bank wants to hear from you" in words(page)
    assert (data(page, "key"), data(page, "kind")) == ("pk_test_shop", "setup")
    assert data(page, "back") == f"{portal.settings.public_url}{path}/confirmed"
    assert page.text.count("<script") == 2
    assert f'<script src="{SCRIPT}"></script>' in unescape(page.text)
    assert SCRIPT.startswith("https://js.stripe.com/")

    intent = data(page, "secret").split("_secret_")[0]
    status, confirmed, _headers = sandbox.send(
        "POST", f"/v1/setup_intents/{intent}/confirm", "payment_method=pm_card_visa"
    )
    assert (status, confirmed["status"]) == (200, "succeeded")
    back = await browser.get(f"{path}/confirmed?setup_intent_client_secret=said-by-nobody")
    assert back.headers["location"] == path
    await portal.work()
    assert "We are packing your parcel" in words(await browser.get(path))


async def test_the_form_stays_the_same_until_it_is_filled_in(browser: Browser, portal: Portal) -> None:
    path = await ordered(browser, portal)
    first, second = [data(await browser.get(path), "secret") for _ in range(2)]
    assert first == second


async def test_only_that_page_lets_stripes_script_in(browser: Browser, portal: Portal) -> None:
    path = await ordered(browser, portal)
    policy = (await browser.get(path)).headers["content-security-policy"]
    assert "script-src 'self' https://js.stripe.com https://*.js.stripe.com;" in policy
    assert "frame-src https://js.stripe.com" in policy
    assert "unsafe" not in policy
    for other in ("/basket", "/returns", "/shop", "/"):
        assert (await browser.get(other)).headers["content-security-policy"] == POLICY
    await post(browser, f"{path}/cancellation")
    assert (await browser.get(path)).headers["content-security-policy"] == POLICY


async def test_nobody_answers_for_the_bank_there(browser: Browser, portal: Portal) -> None:
    path = await ordered(browser, portal)
    assert (await post(browser, f"{path}/confirmation", {"answer": "yes"})).status_code == 404
    assert "is this you?" not in words(await browser.get(path))


async def test_a_gateway_that_does_not_answer_is_said_and_looked_at_again(browser: Browser, portal: Portal) -> None:
    path = await ordered(browser, portal)
    await portal.rows("UPDATE trial_charge SET reference = 'seti_of_nobody' RETURNING id")
    page = await browser.get(path)
    assert page.status_code == 200
    assert "The payment form cannot be shown just now." in words(page)
    await portal.rows("UPDATE trial_charge SET reference = NULL RETURNING id")
    assert data(await browser.get(path), "secret")

"""Points by hand, on finance's pages."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from returns_portal.payments.models import Tender
from tests.points.purse import ANA, balance, buy, policy
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    """A browser in which support is signed in, in a shop with one customer."""
    await buy(portal, "1001", (Tender.EXTERNAL, 1_000))
    await policy(portal, points_limit=500)
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "stefan@shop.example", "support")
        yield client


async def found(browser: Browser) -> str:
    answer = await post(browser, "/finance/points", {"email": ANA})
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    assert "@" not in path
    return str(path)


async def adjust(browser: Browser, path: str, amount: int, *, reason: str = "We are sorry.") -> None:
    fields = {"direction": "give" if amount > 0 else "take", "amount": str(abs(amount)), "currency": "EUR"}
    answer = await post(browser, path, {**fields, "reason": reason})
    assert (answer.status_code, answer.headers["location"]) == (303, path), answer.text


async def pending_id(portal: Portal) -> UUID:
    [(identity,)] = await portal.rows("SELECT id FROM points_adjustment WHERE status = 'pending'")
    return UUID(str(identity))


async def test_pages_say_what_is_not_there(browser: Browser) -> None:
    said = words(await browser.get("/finance/points"))
    assert "Nothing waits." in said
    assert "Nothing was given or taken by hand" in said
    assert "This customer has no points yet." in words(await browser.get(await found(browser)))


async def test_others_do_not_come_in(portal: Portal, browser: Browser, database_url: str) -> None:
    path = await found(browser)
    async with browsing(portal.settings, database_url) as other:
        assert (await other.get("/finance/points")).headers["location"].startswith("/sign-in")
        await sign_in(other, portal, "irina@shop.example", "warehouse")
        assert (await other.get("/finance/points")).status_code == 403
        assert (await other.get(path)).status_code == 403
        assert (await post(other, path, {"direction": "give", "amount": "1"})).status_code == 403


async def test_given_at_once_and_told_with_its_reason(portal: Portal, browser: Browser) -> None:
    path = await found(browser)
    await adjust(browser, path, 300)
    await adjust(browser, path, -50, reason="Counted twice.")
    said = words(await browser.get(path))
    assert "Done. It stands on the customer's statement." in said
    for sentence in ("250 points", "From us: We are sorry. +300 300", "Corrected by us: Counted twice. −50 250"):
        assert sentence in said
    lately = words(await browser.get("/finance/points"))
    assert f"{ANA} We are sorry. Mira Mira done +300 EUR" in lately
    assert (await balance(portal)).points == 250


async def test_a_large_one_waits_for_somebody_else_of_finance(
    portal: Portal, browser: Browser, database_url: str
) -> None:
    path = await found(browser)
    await adjust(browser, path, 501)
    assert "Somebody else of finance has to approve this." in words(await browser.get(path))
    assert "Somebody else decides this." in words(await browser.get("/finance/points"))
    approval = f"/finance/points/adjustments/{await pending_id(portal)}/approval"
    assert (await post(browser, approval)).status_code == 403
    assert await portal.points(ANA) == {}
    async with browsing(portal.settings, database_url) as other:
        await sign_in(other, portal, "mira@shop.example", "finance")
        assert "1 change of points waits for a second person." in words(await other.get("/finance"))
        assert "+501 EUR" in words(await other.get("/finance/points"))
        assert (await post(other, approval)).headers["location"] == "/finance/points"
        assert "Approved." in words(await other.get("/finance/points"))
        # A second click changes nothing and says so.
        await post(other, approval)
        assert "decided already" in words(await other.get("/finance/points"))
    assert (await balance(portal)).points == 501


async def test_who_asked_cannot_approve_it(portal: Portal, browser: Browser) -> None:
    await sign_in(browser, portal, "mira@shop.example", "finance")
    await adjust(browser, await found(browser), 501)
    identity = await pending_id(portal)
    for step in ("approval", "refusal"):
        await post(browser, f"/finance/points/adjustments/{identity}/{step}")
        assert "You asked for this yourself" in words(await browser.get("/finance/points"))
    assert await portal.points(ANA) == {}


async def test_declined_it_is_gone_from_the_list(portal: Portal, browser: Browser) -> None:
    await adjust(browser, await found(browser), 501)
    identity = await pending_id(portal)
    await sign_in(browser, portal, "mira@shop.example", "finance")
    await post(browser, f"/finance/points/adjustments/{identity}/refusal")
    said = words(await browser.get("/finance/points"))
    assert "Declined. Nothing was changed." in said
    assert "declined +501 EUR" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"direction": ""}, "Choose whether to give or to take."),
        ({"amount": "many"}, "Please give a whole number."),
        ({"amount": ""}, "Say how many points"),
        ({"reason": ""}, "the customer reads it on the statement"),
        ({"currency": "EUX"}, "This is no currency."),
        ({"direction": "take", "amount": "7"}, "only 0 points"),
    ],
)
async def test_what_was_typed_stays_beside_what_was_wrong(
    browser: Browser, changes: dict[str, str], sentence: str
) -> None:
    path = await found(browser)
    typed = {"direction": "give", "amount": "5", "currency": "EUR", "reason": "A late parcel", **changes}
    answer = await post(browser, path, typed)
    assert answer.status_code == 422
    assert sentence in words(answer)
    for name in ("amount", "currency", "reason"):
        assert re.search(rf'name="{name}"[^>]* value="{re.escape(typed[name])}"', answer.text), name
    if typed["direction"]:
        assert f'value="{typed["direction"]}" checked' in answer.text


@pytest.mark.parametrize(
    ("email", "sentence"), [("nobody@example.com", "Nobody with this address"), ("", "Nobody with")]
)
async def test_an_unknown_address_is_said_beside_its_field(browser: Browser, email: str, sentence: str) -> None:
    answer = await post(browser, "/finance/points", {"email": email})
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert f'value="{email}"' in answer.text


async def test_an_account_that_never_was_is_not_found(browser: Browser) -> None:
    path = f"/finance/points/{UUID(int=5)}"
    assert (await browser.get(path)).status_code == 404
    assert (
        await post(browser, path, {"direction": "give", "amount": "1", "currency": "EUR", "reason": "x"})
    ).status_code == 404

"""The basket: what is in it, what it comes to, and what the shop does not send to be tried."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.tryon.pages.basket import BASKET_COOKIE
from tests.portal import Portal
from tests.returns.visits import post, words
from tests.tryon.samples import boots
from tests.tryon.shopper import fill
from tests.tryon.test_placing import change_policy
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        yield browser


async def test_an_empty_basket_leads_to_the_shop(browser: Browser) -> None:
    said = words(await browser.get("/basket"))
    assert "There is nothing in your basket" in said
    assert (await browser.get("/checkout")).headers["location"] == "/basket"


async def test_it_says_what_is_charged_when_and_how_it_goes_back(browser: Browser, portal: Portal) -> None:
    said = words(await fill(browser, portal, "41", "42"))
    for part in ("Size 41, Black", "Size 42, Black", "Charged today nothing", "The most that can be charged €378.00"):
        assert part in said
    assert "Trial ends 7 days later" in said
    assert "A prepaid label lies in the parcel" in said


async def test_a_deposit_is_named_beforehand(browser: Browser, portal: Portal) -> None:
    await change_policy(portal, deposit_percent=10)
    assert "Charged today €37.80 deposit" in words(await fill(browser, portal, "41", "42"))


async def test_a_second_click_adds_nothing_and_each_can_be_changed_and_taken_out(
    browser: Browser, portal: Portal
) -> None:
    await fill(browser, portal, "41", "42")
    await post(browser, "/basket", {"sku": "boot-42"})
    assert "€378.00" in words(await browser.get("/basket"))
    await post(browser, "/basket/items", {"sku": "boot-42", "quantity": "2"})
    assert "€567.00" in words(await browser.get("/basket"))
    await post(browser, "/basket/items", {"sku": "boot-42", "quantity": "2", "remove": "yes"})
    said = words(await browser.get("/basket"))
    assert "Size 42" not in said
    assert "€189.00" in said


async def test_nothing_chosen_and_things_that_do_not_exist_say_so(browser: Browser, portal: Portal) -> None:
    await boots(portal)
    for skus in ({}, {"sku": ["none", "of", "these"]}):
        await post(browser, "/basket", skus)
        assert "Choose at least one size" in words(await browser.get("/basket"))


async def test_what_is_sold_out_is_said_at_the_item(browser: Browser, portal: Portal) -> None:
    said = words(await fill(browser, portal, "41", stock=0))
    assert "Size 41, Black Sold out." in said
    assert "Try it at home" not in said
    assert (await browser.get("/checkout")).headers["location"] == "/basket"


async def test_too_few_are_said_at_the_item(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", stock=1)
    await post(browser, "/basket/items", {"sku": "boot-41", "quantity": "3"})
    assert "Only 1 is left." in words(await browser.get("/basket"))


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"max_items": 1}, "the basket holds 2, and the limit is 1."),
        ({"max_value": 20_000}, "This is worth more than can be sent to be tried at a time."),
        ({"offered": False}, "We do not send anything to try at the moment."),
    ],
)
async def test_a_limit_says_why_and_offers_to_buy(
    browser: Browser, portal: Portal, policy: dict[str, object], reason: str
) -> None:
    await change_policy(portal, **policy)
    page = await fill(browser, portal, "41", "42")
    assert reason in words(page)
    assert "Buy it now, €378.00" in words(page)
    assert 'href="/checkout"' not in page.text
    assert (await browser.get("/checkout")).headers["location"] == "/basket"
    assert (await browser.get("/checkout?mode=purchase")).status_code == 200


async def test_a_basket_that_somebody_else_has_written_is_empty(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41")
    sealed = browser.cookies[BASKET_COOKIE]
    browser.cookies.set(BASKET_COOKIE, sealed[:-4] + "AAAA", domain="127.0.0.1")
    assert "There is nothing in your basket" in words(await browser.get("/basket"))


async def test_a_basket_has_an_end(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", "42")
    await post(browser, "/basket/items", {"sku": "boot-41", "quantity": "50"})
    said = words(await browser.get("/basket"))
    assert "No more than 50 items fit into the basket. It is as it was." in said
    assert "€378.00" in said


async def test_things_in_two_currencies_are_ordered_one_after_the_other(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "41", "42")
    await portal.rows("UPDATE variant SET currency = 'JPY' WHERE sku = 'boot-42' RETURNING sku")
    said = words(await browser.get("/basket"))
    assert "priced in different currencies" in said
    assert "Try it at home" not in said


async def test_sizes_in_the_basket_stand_from_small_to_large(browser: Browser, portal: Portal) -> None:
    await fill(browser, portal, "42")
    for size in ("43", "41"):
        await post(browser, "/basket", {"sku": f"boot-{size}"})
    said = words(await browser.get("/basket"))
    assert said.index("Size 41") < said.index("Size 42") < said.index("Size 43")

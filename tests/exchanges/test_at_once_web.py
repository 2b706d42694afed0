"""Sending at once on the pages and over the JSON API: the choice, the card, the second thought, the packing table."""

import re
from collections.abc import AsyncIterator

import pytest

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.exchanges.models import ExchangeStatus
from tests.exchanges.lending import held, lent
from tests.exchanges.samples import a_boot, boots, exchanged, shelf, the_one
from tests.exchanges.test_web import CARD, at_the_form, fields
from tests.labels.prints import text
from tests.portal import Portal
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

S = ExchangeStatus


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def test_it_is_chosen_with_the_size_and_a_card_is_given_on_the_next_page(
    browser: Browser, portal: Portal
) -> None:
    await shelf(portal)
    line, page = await at_the_form(browser, portal)
    assert "At once" not in words(page)
    preview = await post(browser, "/orders/1001", fields(page, line, "coat-M", step="preview", find="winter"))
    assert "At once: we hold €199.00 on your card until your parcel is here" in words(preview)
    assert re.search(r'value="no" checked', preview.text)
    assert "You pay for what you get in exchange, on the next page €40.00" in words(preview)
    chosen = fields(page, line, "coat-M", find="winter", exchange_at_once="yes")
    shown = await post(browser, "/orders/1001", chosen | {"step": "preview"})
    assert re.search(r'value="yes" checked', shown.text)
    assert "on the next page" not in words(shown)
    twice = [await post(browser, "/orders/1001", chosen) for _click in range(2)]
    assert twice[0].headers["location"] == twice[1].headers["location"]
    link = re.search(r'href="(/exchanges/E-[^"]*)"', (await browser.get(twice[0].headers["location"])).text)
    assert link, "no way to give a card"
    assert "We hold €199.00 on your card until your items are here" in words(await browser.get(link[1]))
    wrong = await post(browser, f"{link[1]}/payment", CARD | {"card_number": "1"})
    assert wrong.status_code == 422
    for _click in range(2):
        await post(browser, f"{link[1]}/payment", CARD)
    assert "We are asking your bank" in words(await browser.get(link[1]))
    await portal.work()
    assert "We hold €199.00 on your card for that" in words(await browser.get(link[1]))
    [letter] = await portal.rows("SELECT values FROM email WHERE template = 'return_filed'")
    assert (letter.values["to_pay"], letter.values["to_hold"]) == (0, 19_900)


async def test_a_bank_that_asks_holds_when_it_is_answered(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43", at_once=True)
    await come_in(browser, portal, order.number)
    path = f"/exchanges/{(await the_one(portal, filed)).number}"
    for answer, status in (("no", S.AWAITING_HOLD), ("yes", S.TO_SEND)):
        await post(browser, f"{path}/payment", CARD | {"card_number": "4000 0025 0000 3155"})
        await portal.work()
        assert "Your bank asks: is this you?" in words(await browser.get(path))
        await post(browser, f"{path}/confirmation", {"answer": answer})
        await portal.work()
        assert (await the_one(portal, filed)).status == status


async def test_a_second_thought_waits_for_the_goods(browser: Browser, portal: Portal) -> None:
    filed, _line, _total = await held(portal, "coat-M")
    await come_in(browser, portal, "1001")
    path = f"/exchanges/{(await the_one(portal, filed)).number}"
    for _click in range(2):
        await post(browser, f"{path}/later", {})
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.at_once, exchange.hold) == (S.AWAITING_PAYMENT, False, None)
    assert "Pay €40.00, and it is yours" in words(await browser.get(path))


async def test_the_warehouse_and_staff_see_that_the_goods_are_not_back(browser: Browser, portal: Portal) -> None:
    filed, _line, _total = await held(portal)
    number = (await the_one(portal, filed)).number
    await sign_in(browser, portal, "packer@example.com", "warehouse")
    assert "goes out before the old one is back" in words(await browser.get("/station/exchanges"))
    slip = await browser.get(f"/station/exchanges/{number}/slip.pdf")
    assert "предистаротодасевърне" in text(slip.content)
    await post(browser, f"/station/exchanges/{number}/sent", {})
    listed = words(await browser.get("/staff/exchanges"))
    assert "Sent before the items are back" in listed
    assert "held until" in listed


async def test_what_is_lent_stands_on_the_customers_page(browser: Browser, portal: Portal) -> None:
    filed, _line, _total = await lent(portal)
    await come_in(browser, portal, "1001")
    page = words(await browser.get(f"/exchanges/{(await the_one(portal, filed)).number}"))
    assert "Send your items back by" in page
    refused = await post(browser, f"/exchanges/{(await the_one(portal, filed)).number}/later", {})
    assert refused.status_code == 303
    assert (await the_one(portal, filed)).is_lent
    # Calling the return off means to buy both, and says so before and after.
    path = f"/returns/{filed.rma}"
    price = "€159.00"
    assert f"you keep both, and {price} is charged to your card" in words(await browser.get(path))
    await post(browser, f"{path}/cancellation")
    assert f"For what we sent you in exchange, {price} is charged to your card." in words(await browser.get(path))


async def test_over_json(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    _order, [line] = await portal.order(lines=[a_boot()], delivered_at=clock.now())
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["returns:write", "exchanges:read"])
    wanted = {"line_id": str(line), "quantity": 1, "exchange_for": "boot-43"}
    body = {"order_number": "1001", "lines": [wanted], "exchange_at_once": True}
    headers = {"Authorization": f"Bearer {key}"}
    assert (await browser.post("/api/v1/returns", json=body, headers=headers)).status_code == 201
    [found] = (await browser.get("/api/v1/exchanges", headers=headers)).json()["items"]
    assert (found["status"], found["at_once"], found["held"]) == ("awaiting_hold", True, 0)

"""The pages of exchanges over HTTP: choosing, paying, wanting the money after all, packing."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.exchanges.models import ExchangeStatus
from tests.exchanges.samples import a_boot, boots, exchanged, shelf, stock_of, the_one
from tests.labels.prints import text
from tests.portal import Portal
from tests.refunds.samples import LIKE_NEW
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

S = ExchangeStatus
CARD = {"card_number": "4242 4242 4242 4242", "card_month": "12", "card_year": "2040", "card_cvc": "123"}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def at_the_form(browser: Browser, portal: Portal, number: str = "1001") -> tuple[UUID, Response]:
    order, [line] = await portal.order(number=number, lines=[a_boot()], delivered_at=clock.now() - timedelta(days=3))
    await portal.work()
    await come_in(browser, portal, order.number)
    return line, await browser.get(f"/orders/{number}")


def fields(page: Response, line: UUID, sku: str, **others: str) -> dict[str, object]:
    return {"token": value(page, "token"), "line": str(line), f"swap-{line}": sku, "refund_to": "original", **others}


async def test_another_size_is_chosen_in_the_same_step(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    line, page = await at_the_form(browser, portal)
    assert "Size 43, Black" in words(page)
    assert 'value="boot-42"' not in page.text  # The size that does not fit is not offered again.
    preview = await post(browser, "/orders/1001", fields(page, line, "boot-43", step="preview"))
    said = words(preview)
    assert "In exchange: Chelsea boot, 43, Black -€159.00" in said
    assert "You get back €0.00" in said
    twice = [await post(browser, "/orders/1001", fields(page, line, "boot-43")) for _click in range(2)]
    assert twice[0].headers["location"] == twice[1].headers["location"]
    shown = await browser.get(twice[0].headers["location"])
    assert "What you get in exchange Chelsea boot, 43, Black set aside" in words(shown)
    assert await stock_of(portal, "boot-43") == 0
    # Nothing is promised to go back, in whichever way.
    assert "We send what you get in exchange as soon as the parcel is checked in" in words(shown)
    assert "Money back" not in words(shown)
    assert "Take points instead" not in words(shown)


async def test_a_search_says_what_it_did_not_find_and_keeps_what_was_chosen(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    line, page = await at_the_form(browser, portal)
    nothing = await post(browser, "/orders/1001", fields(page, line, "", find="parasol", step="preview"))
    assert "We have nothing in stock that is called so." in words(nothing)
    assert 'value="parasol"' in nothing.text
    found = await post(browser, "/orders/1001", fields(page, line, "", find="coat", step="preview"))
    assert "nothing in stock" not in words(found)
    # Chosen, and another word tried: the coat is still what is chosen.
    other = await post(browser, "/orders/1001", fields(page, line, "coat-M", find="sandal", step="preview"))
    assert re.search(r'value="coat-M" selected', other.text)
    assert "In exchange: Winter coat" in words(other)
    await portal.rows("UPDATE variant SET stock = 0 WHERE sku = 'coat-M' RETURNING id")
    gone = await post(browser, "/orders/1001", fields(page, line, "coat-M", find="sandal", step="preview"))
    assert "What you chose instead of Chelsea boot cannot be had any more." in words(gone)


async def test_a_dearer_product_is_found_by_its_name_and_paid_with_a_card(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    line, page = await at_the_form(browser, portal)
    found = await post(browser, "/orders/1001", fields(page, line, "", step="preview", find="winter"))
    assert "Size M, Black: you pay €40.00" in words(found)
    preview = await post(browser, "/orders/1001", fields(page, line, "coat-M", step="preview", find="winter"))
    assert "You pay for what you get in exchange, on the next page €40.00" in words(preview)
    answer = await post(browser, "/orders/1001", fields(page, line, "coat-M", find="winter"))
    shown = await browser.get(answer.headers["location"])
    link = re.search(r'href="(/exchanges/E-[^"]*)"', shown.text)
    assert link, "no way to pay"
    page = await browser.get(link[1])
    assert "Pay €40.00, and it is yours" in words(page)
    wrong = await post(browser, f"{link[1]}/payment", CARD | {"card_number": "1"})
    assert (wrong.status_code, "4242" in wrong.text) == (422, True)
    await post(browser, f"{link[1]}/payment", CARD)
    assert "We are asking your bank" in words(await browser.get(link[1]))
    await portal.work()
    assert "It is set aside for you" in words(await browser.get(link[1]))


async def test_a_bank_that_asks_is_answered_on_the_page(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await come_in(browser, portal, order.number)
    path = f"/exchanges/{(await the_one(portal, filed)).number}"
    for answer, status, said in (
        ("no", S.AWAITING_PAYMENT, "Nothing was charged."),
        ("yes", S.AWAITING_GOODS, "It is set aside for you"),
    ):
        await post(browser, f"{path}/payment", CARD | {"card_number": "4000 0025 0000 3155"})
        await portal.work()
        assert "Your bank asks: is this you?" in words(await browser.get(path))
        await post(browser, f"{path}/confirmation", {"answer": answer})
        await portal.work()
        assert (await the_one(portal, filed)).status == status
        assert said in words(await browser.get(path))


async def test_sold_out_meanwhile_the_form_comes_back_with_what_is_left(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    line, page = await at_the_form(browser, portal)
    other, theirs = await boots(portal, "1002")
    await exchanged(portal, other.number, theirs, "boot-43")
    answer = await post(browser, "/orders/1001", fields(page, line, "boot-43", reason="Too small for me"))
    said = words(answer)
    assert answer.status_code == 409
    assert "Chelsea boot in size 43 (boot-43) is out of stock." in said
    assert "Choose what else you would like for it, or your money back." in said
    assert "Size 41, Black" in said
    assert "Too small for me" in answer.text
    assert len(await portal.rows("SELECT id FROM returns")) == 1


async def test_a_day_that_is_still_to_come_is_not_told_as_the_day_of_delivery(browser: Browser, portal: Portal) -> None:
    # Until a replacement has arrived, the day on which it is taken to have is what the order knows.
    await portal.order(number="1001", lines=[a_boot()], delivered_at=clock.now() + timedelta(days=3))
    await come_in(browser, portal, "1001")
    said = words(await browser.get("/orders/1001"))
    assert "Order 1001. No reason needed." in said
    assert "delivered on" not in said


async def test_the_money_after_all(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    await come_in(browser, portal, order.number)
    path = f"/exchanges/{(await the_one(portal, filed)).number}"
    for _click in range(2):
        answer = await post(browser, f"{path}/cancellation")
    assert "As you wished, it is not sent." in words(await browser.get(answer.headers["location"]))
    assert await stock_of(portal, "boot-43") == 1


async def test_what_is_not_theirs_does_not_exist(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    path = f"/exchanges/{(await the_one(portal, filed)).number}"
    assert (await browser.get(path)).headers["location"].startswith("/?next=%2Fexchanges")
    other, _line = await boots(portal, "1002")
    await come_in(browser, portal, other.number)
    assert (await browser.get(path)).status_code == 404
    assert (await post(browser, f"{path}/cancellation")).status_code == 404
    assert (await browser.get("/station/exchanges")).status_code in {303, 403, 404}


async def test_the_warehouse_packs_and_sends(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    assert "Nothing waits to be sent" in words(await browser.get("/station/exchanges"))
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    assert "Nothing waits to be sent" in words(await browser.get("/station/exchanges"))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    number = (await the_one(portal, filed)).number
    page = words(await browser.get(f"/station/exchanges?code={number.lower()}"))
    assert "43 Chelsea boot, Black boot-43" in page
    slip = await browser.get(f"/station/exchanges/{number}/slip.pdf")
    assert slip.status_code == 200
    assert number in text(slip.content)
    for _click in range(2):
        await post(browser, f"/station/exchanges/{number}/sent", {"carrier": "Econt", "tracking": "105"})
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.carrier, exchange.tracking) == (S.SENT, "Econt", "105")
    assert number in words(await browser.get("/staff/exchanges?status=sent"))
    assert "There is no such exchange" in words(await browser.get("/staff/exchanges?status=ended"))


async def test_a_missing_piece_ends_it_with_an_apology_and_the_money(browser: Browser, portal: Portal) -> None:
    await shelf(portal)
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await post(browser, f"/station/exchanges/{(await the_one(portal, filed)).number}/missing")
    await portal.work()
    await portal.work()
    assert [(refund.status, refund.amount) for refund in await portal.refunds(filed)] == [("succeeded", order.total)]
    assert await stock_of(portal, "boot-43") == 0
    assert "exchange_ended" in await portal.mails()


async def test_programs_file_list_send_and_call_off(portal: Portal, database_url: str) -> None:
    await shelf(portal, stock=3)
    order, line = await boots(portal, quantity=2, tax=5_300)
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["returns:write", "exchanges:read", "exchanges:write"])
    async with browsing(portal.settings, database_url) as client:
        client.headers["authorization"] = f"Bearer {key}"
        wanted = {"line_id": str(line), "quantity": 2, "exchange_for": "boot-43"}
        filed = await client.post("/api/v1/returns", json={"order_number": order.number, "lines": [wanted]})
        assert (filed.status_code, filed.json()["refund_preview"]["total"]) == (201, 0)
        listed = (await client.get("/api/v1/exchanges")).json()["items"]
        assert [(each["sku"], each["status"], each["rma"]) for each in listed] == [
            ("boot-43", "awaiting_goods", filed.json()["rma"])
        ] * 2
        number = listed[0]["number"]
        early = await client.post(f"/api/v1/exchanges/{number}/shipment", json={})
        assert (early.status_code, early.json()["code"]) == (409, "wrong_status")
        ended = await client.post(f"/api/v1/exchanges/{number}/cancellation", json={"sold_out": True})
        assert ended.json()["end_reason"] == "sold_out"
        await portal.receive(filed.json()["rma"], (line, 1, LIKE_NEW))
        [waiting] = (await client.get("/api/v1/exchanges?status=to_send")).json()["items"]
        for _twice in range(2):
            sent = await client.post(
                f"/api/v1/exchanges/{waiting['number']}/shipment", json={"carrier": "Econt", "tracking": "1"}
            )
        assert (sent.json()["status"], sent.json()["replacement_line_id"] is not None) == ("sent", True)
        assert (await client.get("/api/v1/exchanges?status=no")).status_code == 422
        assert (await client.get("/api/v1/exchanges?cursor=no")).status_code == 422
        page = (await client.get("/api/v1/exchanges?limit=1")).json()
        rest = (await client.get(f"/api/v1/exchanges?limit=1&cursor={page['next_cursor']}")).json()
        assert (rest["next_cursor"], rest["items"][0]["number"] != page["items"][0]["number"]) == (None, True)
        assert (await client.get("/api/v1/exchanges/E-0000-0000")).status_code == 404

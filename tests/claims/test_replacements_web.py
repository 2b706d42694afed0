"""What is sent anew over HTTP: deciding it, packing it beside exchanges, following it; and for programs, over JSON."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from tests.claims.anew import SHOE_SKU, set_aside, shelved, waiting
from tests.claims.things import claim, delivered, standing
from tests.exchanges.samples import boots, exchanged, shelf, stock_of, the_one
from tests.labels.prints import text
from tests.portal import Portal
from tests.refunds.samples import LIKE_NEW
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

TABLE = "/station/exchanges"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def test_support_decides_the_warehouse_sends_and_the_customer_reads_it(browser: Browser, portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    path = f"/claims/{await claim(portal, {shoes: 1})}"
    await sign_in(browser, portal, "s@shop.example", "support")
    await post(browser, f"{path}/decision", {"decision": "replacement", "answer": "We are sorry."})
    assert "No claim is here" in words(await browser.get("/claims"))
    assert "The sole is off" in words(await browser.get("/claims?status=replacing"))
    [anew] = await waiting(portal)
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    table = words(await browser.get(TABLE))
    assert "1 parcel to send" in table
    assert f"{anew.number} to be sent anew" in table
    assert SHOE_SKU in table
    assert "It is missing or faulty: support decides anew" in table
    slip = await browser.get(f"/station/replacements/{anew.number}/slip.pdf")
    assert slip.headers["cache-control"] == "no-store"
    printed = text(slip.content)
    assert anew.number in printed
    assert "€" not in printed
    await come_in(browser, portal, "1001")
    said = words(await browser.get(path))
    assert "A new one is being packed" in said
    assert f"A new one is set aside for you, under the number {anew.number}." in said
    assert "on its way" not in said
    await sign_in(browser, portal, "p@shop.example", "warehouse")
    one = words(await browser.get(f"{TABLE}?code={anew.number.lower()}"))
    assert "One parcel" in one
    for _click in range(2):
        answer = await post(
            browser, f"/station/replacements/{anew.number}/sent", {"carrier": "Econt", "tracking": "105"}
        )
        assert answer.headers["location"] == TABLE
    assert "Nothing waits to be sent" in words(await browser.get(TABLE))
    await come_in(browser, portal, "1001")
    said = words(await browser.get(path))
    assert "A new one is on its way" in said
    assert "The new one left us on" in said
    assert "Carrier: Econt. Tracking number: 105" in said
    assert (await portal.mails()).count("replacement_sent") == 1


async def test_sold_out_the_decision_is_refused_beside_its_field_and_nothing_is_lost(
    browser: Browser, portal: Portal
) -> None:
    await shelved(portal, stock=0)
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1})
    await sign_in(browser, portal, "s@shop.example", "support")
    page = await post(browser, f"/claims/{claim_id}/decision", {"decision": "replacement", "answer": "Typed already"})
    assert page.status_code == 422
    assert "there is too little to send it anew. Nothing was decided." in words(page)
    assert "Typed already" in page.text
    assert await standing(portal, claim_id) == "filed"


async def test_a_missing_piece_is_told_honestly_and_decided_anew(browser: Browser, portal: Portal) -> None:
    await shelved(portal)
    shoes, socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1, socks: 1})
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    table = words(await browser.get(TABLE))
    assert "Wool Socks is missing or faulty: support decides anew" in table
    wrong = await post(browser, f"/station/replacements/{anew.number}/missing", {"line": "no"})
    assert wrong.status_code == 422
    for _click in range(2):
        await post(browser, f"/station/replacements/{anew.number}/missing", {"line": str(socks)})
    assert (await portal.mails()).count("replacement_ended") == 1
    assert await stock_of(portal, SHOE_SKU) == 2
    gone = await browser.get(f"/station/replacements/{anew.number}/slip.pdf")
    assert gone.status_code == 409
    await come_in(browser, portal, "1001")
    said = words(await browser.get(f"/claims/{claim_id}"))
    assert "turned out to be missing or faulty itself, so it cannot be sent." in said
    assert "We look at it" in said
    await sign_in(browser, portal, "s@shop.example", "support")
    assert "The sole is off" in words(await browser.get("/claims"))


async def test_what_is_in_a_return_by_now_is_not_to_be_sent(browser: Browser, portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    _claim_id, anew = await set_aside(portal, {shoes: 2})
    await portal.file("1001", (shoes, 1))
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    await post(browser, f"/station/replacements/{anew.number}/sent", {})
    assert f"Do not send {anew.number}" in words(await browser.get(TABLE))
    await post(browser, f"/station/replacements/{anew.number}/sent", {})
    assert "it was called off. Put the pieces back." in words(await browser.get(TABLE))


async def test_support_may_decide_otherwise_before_it_is_sent(browser: Browser, portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1})
    await sign_in(browser, portal, "s@shop.example", "support")
    page = await browser.get(f"/claims/{claim_id}")
    assert "Do not send it, decide anew" in words(page)
    answer = await post(browser, f"/station/replacements/{anew.number}/cancellation", {"back": f"/claims/{claim_id}"})
    assert answer.headers["location"] == f"/claims/{claim_id}"
    assert "Decide it" in words(await browser.get(f"/claims/{claim_id}"))
    assert await stock_of(portal, SHOE_SKU) == 2


async def test_it_waits_beside_exchanges_and_customers_see_nothing_of_the_table(
    browser: Browser, portal: Portal
) -> None:
    await shelf(portal)
    order, line = await boots(portal, "2001")
    filed = await exchanged(portal, order.number, line, "boot-43")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    exchange = await the_one(portal, filed)
    shoes, _socks = await delivered(portal)
    _claim_id, anew = await set_aside(portal, {shoes: 2})
    await sign_in(browser, portal, "w@shop.example", "warehouse")
    table = words(await browser.get(TABLE))
    assert "2 parcels to send" in table
    assert table.index(anew.number) < table.index(exchange.number)
    alone = words(await browser.get(f"{TABLE}?code={exchange.number}"))
    assert anew.number not in alone
    await come_in(browser, portal, "1001")
    for path in (f"/station/replacements/{anew.number}/slip.pdf", TABLE):
        assert (await browser.get(path)).status_code in {303, 403, 404}
    assert (await post(browser, f"/station/replacements/{anew.number}/sent")).status_code in {303, 403, 404}
    assert [each.number for each in await waiting(portal)] == [anew.number]


async def test_programs_list_send_and_call_off(portal: Portal, database_url: str) -> None:
    await shelved(portal)
    shoes, socks = await delivered(portal)
    first, one = await set_aside(portal, {shoes: 1})
    _second, two = await set_aside(portal, {socks: 1})
    scopes = ["returns:read", "exchanges:read", "exchanges:write"]
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", scopes)
        reader = await create_api_key(db, SYSTEM, "reader", ["exchanges:read"])
    async with browsing(portal.settings, database_url) as client:
        client.headers["authorization"] = f"Bearer {key}"
        page = (await client.get("/api/v1/replacements?status=to_send&limit=1")).json()
        rest = (await client.get(f"/api/v1/replacements?limit=1&cursor={page['next_cursor']}")).json()
        assert [each["number"] for each in [*page["items"], *rest["items"]]] == [two.number, one.number]
        assert rest["next_cursor"] is None
        [piece] = rest["items"][0]["pieces"]
        assert (piece["line_id"], piece["quantity"], piece["stocked"]) == (str(shoes), 1, True)
        seen = (await client.get(f"/api/v1/claims/{first}")).json()
        assert (seen["status"], seen["replacement"]["number"]) == ("replacing", one.number)
        for _repeated in range(2):
            answer = await client.post(
                f"/api/v1/replacements/{one.number}/shipment", json={"carrier": "Econt", "tracking": "1"}
            )
            assert (answer.status_code, answer.json()["status"], answer.json()["tracking"]) == (200, "sent", "1")
        late = await client.post(f"/api/v1/replacements/{one.number}/cancellation", json={})
        assert (late.status_code, late.json()["code"]) == (409, "already_sent")
        wrong = {"missing_line_id": str(shoes)}
        assert (await client.post(f"/api/v1/replacements/{two.number}/cancellation", json=wrong)).status_code == 422
        ended = await client.post(
            f"/api/v1/replacements/{two.number}/cancellation", json={"missing_line_id": str(socks)}
        )
        assert (ended.json()["status"], ended.json()["end_reason"]) == ("ended", "missing")
        assert (await client.get(f"/api/v1/claims/{first}")).json()["replacement"]["status"] == "sent"
        assert (await client.get(f"/api/v1/replacements/{one.number}")).json()["status"] == "sent"
        assert (await client.get("/api/v1/replacements/N-0000-0000")).status_code == 404
        for bad in ("status=no", "limit=0"):
            assert (await client.get(f"/api/v1/replacements?{bad}")).status_code == 422
        client.headers["authorization"] = f"Bearer {reader}"
        assert (await client.post(f"/api/v1/replacements/{two.number}/shipment", json={})).status_code == 403
        described = (await client.get("/schema/openapi.json")).json()["paths"]
        assert "/api/v1/replacements/{number}/shipment" in described

"""Several orders in one parcel, as the customer and the dock see it, over HTTP."""

from collections.abc import AsyncIterator

import pytest
from httpx import Response

from returns_portal.accounts import actions
from returns_portal.accounts.rules import CUSTOMER_SESSION, new_view_token
from returns_portal.web.signing import SESSION_COOKIE
from tests.orders.samples import a_line
from tests.portal import Portal
from tests.returns.test_together import orders, seen, together
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.warehouse.test_pages import counted, scan
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def follow(browser: Browser, answer: Response) -> Response:
    assert answer.status_code == 303, words(answer)
    return await browser.get(answer.headers["location"])


async def test_from_the_label_of_one_order_to_two_orders_in_one_parcel(browser: Browser, portal: Portal) -> None:
    first, second = await orders(portal, "2201", "2202")
    lead = await portal.file("2201", (first, 1))
    await come_in(browser, portal, "2201")
    shown = await browser.get(f"/returns/{lead.rma}")
    assert "Put things of another order into the same parcel" in words(shown)

    parcel = await browser.get(f"/returns/{lead.rma}/parcel")
    assert "Order 2202" in words(parcel)
    chosen = await follow(browser, await post(browser, f"/returns/{lead.rma}/parcel/order", {"order": "2202"}))
    assert f"In the parcel of return {lead.rma}" in words(chosen)
    assert f'name="in_parcel_of" value="{lead.rma}" checked' in chosen.text
    assert "File this return" in words(chosen), "no label of its own"

    fields = {"token": value(chosen, "token"), "line": str(second), "in_parcel_of": lead.rma}
    answer = await post(browser, "/orders/2202", fields)
    filed = await follow(browser, answer)
    rma = answer.headers["location"].rsplit("/", 1)[1]
    assert f"It travels in the parcel of return {lead.rma}, and needs no label." in words(filed)
    assert f"Put it into the parcel of return {lead.rma}" in words(filed)
    assert "Open my label" not in words(filed)
    assert (await browser.get(f"/returns/{rma}/label.pdf")).status_code == 409
    # Sent twice, it is filed once.
    again = await post(browser, "/orders/2202", fields)
    assert again.headers["location"] == answer.headers["location"]

    # The label is a click away, though it is another order's.
    back = await follow(browser, await post(browser, f"/returns/{rma}/parcel/return", {"rma": lead.rma}))
    assert "Open my label" in words(back)
    assert f"In the same parcel: {rma}" in words(back)
    assert (await browser.get(f"/returns/{lead.rma}/label.pdf?size=a4")).content.startswith(b"%PDF")


async def test_the_parcel_can_be_chosen_and_left_while_filing(browser: Browser, portal: Portal) -> None:
    first, second = await orders(portal, "2206", "2207")
    lead = await portal.file("2206", (first, 1))
    await come_in(browser, portal, "2207")
    chosen = await browser.get("/orders/2207")
    assert 'name="in_parcel_of" value="" checked' in chosen.text, "its own parcel, unless somebody says otherwise"
    answer = await post(
        browser, "/orders/2207", {"token": value(chosen, "token"), "line": str(second), "in_parcel_of": lead.rma}
    )
    rma = answer.headers["location"].rsplit("/", 1)[1]
    page = await browser.get(f"/returns/{rma}/parcel")
    assert "It gets a label of its own, and you pay nothing for that." in words(page)
    own = await follow(browser, await post(browser, f"/returns/{rma}/parcel/own"))
    assert "It has a parcel of its own now." in own.text
    assert "Open my label" in words(own)
    assert (await seen(portal, rma)).label_status == "bought"


async def test_a_parcel_that_has_left_meanwhile_is_said_beside_the_choice(browser: Browser, portal: Portal) -> None:
    first, second = await orders(portal, "2211", "2212")
    lead = await portal.file("2211", (first, 1))
    await come_in(browser, portal, "2212")
    chosen = await browser.get("/orders/2212")
    await portal.cancel(lead.rma)
    fields = {"token": value(chosen, "token"), "line": str(second), "in_parcel_of": lead.rma, "reason": "too small"}
    answer = await post(browser, "/orders/2212", fields)
    assert answer.status_code == 409
    assert f"Nothing can be put into the parcel of return {lead.rma}" in words(answer)
    assert "too small" in answer.text
    assert len(await portal.rows("SELECT id FROM returns")) == 1


async def test_neither_a_stranger_nor_a_viewer_learns_of_other_orders(browser: Browser, portal: Portal) -> None:
    [first] = await orders(portal, "2216")
    await orders(portal, "2217")
    [strange] = await orders(portal, "2218", email="somebody@example.com")
    lead, theirs = await portal.file("2216", (first, 1)), await portal.file("2218", (strange, 1))
    await come_in(browser, portal, "2216")
    assert (await post(browser, f"/returns/{lead.rma}/parcel/order", {"order": "2218"})).status_code == 404
    assert (await post(browser, f"/returns/{lead.rma}/parcel/return", {"rma": theirs.rma})).status_code == 404
    assert "2218" not in words(await browser.get(f"/returns/{lead.rma}/parcel"))

    [row] = await portal.rows("SELECT id FROM orders WHERE number = '2216'")
    async with portal.begin() as db:
        token = await actions.open_session(db, lasting=CUSTOMER_SESSION, order_id=row.id, token=new_view_token())
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
    assert (await browser.get(f"/returns/{lead.rma}/parcel")).status_code == 303
    assert "another order" not in words(await browser.get(f"/returns/{lead.rma}"))


async def test_the_dock_is_led_through_the_parcel(portal: Portal, database_url: str) -> None:
    [first] = await orders(portal, "2221")
    [second] = await orders(portal, "2222", lines=[a_line(sku="SO-39", title="Socks", quantity=1, tax=2650)])
    lead = await portal.file("2221", (first, 1))
    follower = await together(portal, "2222", second, lead.rma)
    patient = portal.settings.model_copy(update={"refund_delay": 60})
    async with browsing(patient, database_url) as station:
        await sign_in(station, portal, "mira@example.com", "warehouse")
        shown = await scan(station, lead.rma)
        assert f"1 more return in this parcel: {follower.rma}" in words(shown)
        assert f'data-fellow="{follower.rma}"' in shown.text
        assert "SO-39" in shown.text, "what is of the other return is told by its number"
        fields = {"rma": lead.rma, "parcel": "1", "token": value(shown, "token"), "corrects": ""}
        done = await follow(
            station, await post(station, "/station/check-ins", fields | counted(first, "resellable", 1))
        )
        assert "Now the next return in this parcel" in words(done)
        assert f"Count {follower.rma} of the same parcel" in words(done)

        # The same label once more opens the next one; the two counts share a box.
        shown = await scan(station, lead.rma)
        assert f"1 item expected {follower.rma}" in words(shown)
        fields = {"rma": follower.rma, "parcel": "1", "token": value(shown, "token"), "corrects": ""}
        fields["box"] = value(shown, "box")
        done = await follow(
            station, await post(station, "/station/check-ins", fields | counted(second, "resellable", 1))
        )
        assert "1 of 1 here" in words(done)
        assert "Already checked in" in words(await scan(station, lead.rma))
    boxes = await portal.rows("SELECT DISTINCT box_id FROM parcel")
    assert len(boxes) == 1
    assert boxes[0].box_id is not None

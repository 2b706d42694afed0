"""The customer's page of one refund, and the three ways on the page of the return."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from returns_portal.actor import SYSTEM
from returns_portal.refunds.goodwill import Gesture, give
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.portal import API, Portal, at_once
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

IBAN = "BG80 BNBG 9661 1020 3456 78"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def closed_card(portal: Portal, number: str = "1001") -> tuple[str, UUID]:
    """A return whose refund failed; its number, and the refund."""
    order, [line] = await portal.order(number=number)
    filed = await portal.file(order.number, (line, 1))
    released = await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    [refund_id] = released.refund_ids
    await portal.rows("DELETE FROM procrastinate_jobs WHERE task_name = 'refunds.submit' RETURNING id")
    async with portal.begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="expired_or_canceled_card")
    await portal.work()
    return filed.rma, refund_id


async def test_the_return_shows_three_ways_and_none_is_chosen(browser: Browser, portal: Portal) -> None:
    rma, _refund = await closed_card(portal)
    await come_in(browser, portal, "1001")
    answer = await browser.get(f"/returns/{rma}")
    shown = words(answer)
    assert "How would you like to get your €159.00?" in shown
    assert "17,490 points, with a bonus of 1,590 in them" in shown
    for button in ("Transfer it to this account", "Take the points", "Try the card again"):
        assert button in shown
    assert "The money is still yours" in shown
    assert 'type="checkbox"' in answer.text
    assert not re.search(r"<input[^>]* checked", answer.text)


async def test_points_need_the_tick(browser: Browser, portal: Portal) -> None:
    rma, refund_id = await closed_card(portal)
    await come_in(browser, portal, "1001")
    answer = await post(browser, f"/refunds/{refund_id}/points")
    assert answer.status_code == 422
    assert "Tick that you want points instead of money" in words(answer)
    answer = await post(browser, f"/refunds/{refund_id}/points", {"agreed": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/returns/{rma}")
    await portal.work()
    assert "Refunded: 17,490 points to your points account" in words(await browser.get(f"/returns/{rma}"))


async def test_an_account_with_a_typing_error_comes_back_as_typed(browser: Browser, portal: Portal) -> None:
    rma, refund_id = await closed_card(portal)
    await come_in(browser, portal, "1001")
    wrong = IBAN.replace("78", "87")
    answer = await post(browser, f"/refunds/{refund_id}/transfer", {"bank_account": wrong})
    assert answer.status_code == 422
    assert "typing error" in words(answer)
    assert f'value="{wrong}"' in answer.text
    answer = await post(browser, f"/refunds/{refund_id}/transfer", {"bank_account": IBAN})
    assert answer.headers["location"] == f"/returns/{rma}"
    await portal.work()
    shown = words(await browser.get(f"/returns/{rma}"))
    assert "Our accountants make the transfer in the next days" in shown
    assert "We have your account number" in shown
    assert "How would you like" not in shown


async def test_a_double_click_takes_the_way_once(browser: Browser, portal: Portal) -> None:
    rma, refund_id = await closed_card(portal)
    await come_in(browser, portal, "1001")
    await browser.get(f"/returns/{rma}")
    path = f"/refunds/{refund_id}/points"
    answers = await at_once(*(post(browser, path, {"agreed": "yes"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    await portal.work()
    assert await portal.points("kunde@example.com") == {"EUR": 17_490}
    assert [row.attempt for row in await portal.rows("SELECT attempt FROM refund")] == [2]


async def test_the_same_card_is_tried_again(browser: Browser, portal: Portal) -> None:
    rma, refund_id = await closed_card(portal)
    await come_in(browser, portal, "1001")
    assert (await post(browser, f"/refunds/{refund_id}/attempts")).headers["location"] == f"/returns/{rma}"
    assert "We are trying the card once more" in words(await browser.get(f"/returns/{rma}"))
    await portal.work()
    assert "Your refund is done" in words(await browser.get(f"/returns/{rma}"))
    assert "Refunded: €159.00 back to your card ending 4242" in words(await browser.get(f"/refunds/{refund_id}"))
    # A click that comes too late says so, and changes nothing.
    await post(browser, f"/refunds/{refund_id}/attempts")
    assert "it has gone through" in words(await browser.get(f"/returns/{rma}"))


async def test_a_gesture_stands_on_the_order_and_on_its_own_page(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    async with portal.begin() as db:
        wish = Gesture(order_number="1001", amount=1_500, reason="The box was <b>wet</b>.")
        given = await give(db, API, portal.settings, DEFAULT, wish)
    await portal.work()
    await come_in(browser, portal, "1001")
    shown = words(await browser.get("/orders/1001"))
    assert "Something back from us" in shown
    assert "Refunded: €15.00 back to your card ending 4242" in shown
    answer = await browser.get(f"/refunds/{given.refund_ids[0]}")
    assert "The box was &lt;b&gt;wet&lt;&#x2f;b&gt;." in answer.text
    assert "Your refund is done" in words(answer)


async def test_strangers_and_others_see_nothing_and_staff_their_own_page(browser: Browser, portal: Portal) -> None:
    _rma, refund_id = await closed_card(portal)
    path = f"/refunds/{refund_id}"
    answer = await browser.get(path)
    assert answer.headers["location"] == f"/?next=%2Frefunds%2F{refund_id}"
    assert (await post(browser, f"{path}/points", {"agreed": "yes"})).headers["location"].startswith("/?next=")
    await portal.order(number="1002", email="other@example.com")
    await come_in(browser, portal, "1002")
    for answer in (
        await browser.get(path),
        await post(browser, f"{path}/points", {"agreed": "yes"}),
        await post(browser, f"{path}/bank-account", {"bank_account": IBAN}),
    ):
        assert answer.status_code == 404
    await sign_in(browser, portal, "sara@shop.example", "support")
    assert (await browser.get(path)).headers["location"] == f"/finance/refunds/{refund_id}"
    assert await portal.rows("SELECT id FROM refund WHERE destination <> 'original'") == []


async def test_the_link_of_an_e_mail_leads_back_to_the_refund(browser: Browser, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    async with portal.begin() as db:
        given = await give(
            db, API, portal.settings, DEFAULT, Gesture(order_number="1001", amount=100, reason="It came late.")
        )
    path = f"/refunds/{given.refund_ids[0]}"
    await browser.get("/")
    await post(browser, "/access", {"number": "1001", "email": "kunde@example.com", "next": path})
    [row] = await portal.rows("SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code'")
    assert (await post(browser, "/access/code", {"code": row.code})).headers["location"] == path

"""Making good from the thread: money and points, once, within a person's limit, noted with a way to look at it."""

from collections.abc import AsyncIterator
from html import unescape
from uuid import UUID

import pytest

from returns_portal.actor import SYSTEM
from returns_portal.shop.actions import update_shop
from tests.claims.anew import shelved
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.service.things import asks, letters, open_shop, story
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def set_up(portal: Portal, browser: Browser) -> tuple[UUID, str]:
    """A question about an order whose delivery cost something; the page on which it is made good."""
    await portal.order(number="1001", email="ana@example.com")
    await portal.work()
    [order] = await portal.rows("SELECT id FROM orders")
    question_id = await asks(portal, order_id=order.id)
    await sign_in(browser, portal, "olga@example.com", "support")
    return question_id, f"/staff/questions/{question_id}/amends"


async def notes(portal: Portal) -> list[tuple[str, str]]:
    rows = await portal.rows("SELECT body, link FROM question_message WHERE kind = 'note' ORDER BY id")
    return [(row.body, row.link) for row in rows]


async def test_the_delivery_goes_back_once_however_often_it_is_pressed(browser: Browser, portal: Portal) -> None:
    question_id, path = await set_up(portal, browser)
    page = await browser.get(path)
    sent = {"order": "1001", "token": value(page, "token"), "what": "shipping", "reason": "It came late"}
    answers = await at_once(*(post(browser, f"{path}/refund", sent) for _press in range(3)))
    assert {answer.headers["location"] for answer in answers} == {f"/staff/questions/{question_id}"}
    [gesture] = await portal.rows("SELECT id, amount, shipping, reason, decision FROM goodwill")
    assert (gesture.shipping, gesture.reason, gesture.decision) == (True, "It came late", "not_needed")
    [(said, link)] = await notes(portal)
    assert said.startswith("€")
    assert said.endswith("of order 1001 go back: It came late")
    assert link == "/staff/orders/1001#give-back"
    thread = await browser.get(f"/staff/questions/{question_id}")
    assert (said in words(thread), f'href="{link}"' in unescape(thread.text)) == (True, True)
    assert await story(portal, question_id) == ["asked", "refunded", "read"]
    [told] = await portal.rows("SELECT data FROM history WHERE subject = 'question' AND action = 'refunded'")
    assert told.data == {"goodwill": str(gesture.id), "amount": gesture.amount}
    # It was given back, so that it is not offered again.
    assert "What the delivery cost" not in words(await browser.get(path))
    again = await post(browser, f"{path}/refund", sent | {"token": "another"})
    assert (again.status_code, "was refunded already" in words(again), "It came late" in again.text) == (
        422,
        True,
        True,
    )


async def test_points_are_given_and_beyond_the_limit_they_wait(browser: Browser, portal: Portal) -> None:
    _question_id, path = await set_up(portal, browser)
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, points_limit=1000)
    page = await browser.get(path)
    sent = {"order": "1001", "token": value(page, "token"), "points": "500", "why": "For the trouble"}
    for _press in range(2):
        assert (await post(browser, f"{path}/points", sent)).status_code == 303
    assert await portal.points("ana@example.com") == {"EUR": 500}
    told = [letter for letter in await letters(portal) if letter.template == "points_given"]
    assert [(one.recipient, one.values["points"], one.values["reason"]) for one in told] == [
        ("ana@example.com", 500, "For the trouble")
    ]
    assert (await post(browser, f"{path}/points", sent | {"token": "another", "points": "900"})).status_code == 303
    assert await portal.points("ana@example.com") == {"EUR": 500}
    [account] = await portal.rows("SELECT id FROM points_account")
    assert await notes(portal) == [
        ("500 points (EUR) were given: For the trouble", f"/finance/points/{account.id}"),
        ("900 points (EUR) wait for a second person: For the trouble", f"/finance/points/{account.id}"),
    ]
    assert "Somebody else of finance has to approve this." in unescape((await browser.get(path)).text)
    assert (await browser.get(f"/finance/points/{account.id}")).status_code == 200


async def test_an_amount_beyond_the_limit_waits_for_a_second_person(browser: Browser, portal: Portal) -> None:
    _question_id, path = await set_up(portal, browser)
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, goodwill_limit=100)
    before = len(await letters(portal))
    sent = {"order": "1001", "token": "t", "what": "amount", "amount": "2,50", "reason": "Sorry"}
    assert (await post(browser, f"{path}/refund", sent)).status_code == 303
    [(said, _link)] = await notes(portal)
    assert "€2.50 of order 1001 wait for a second person: Sorry" in said
    assert await portal.rows("SELECT 1 FROM refund WHERE kind = 'goodwill'") == []
    assert len(await letters(portal)) == before
    assert "€2.50 wait for a second person." in words(await browser.get(path))


async def test_what_is_wrong_is_said_beside_everything_typed(browser: Browser, portal: Portal) -> None:
    _question_id, path = await set_up(portal, browser)
    for action, sent, field in (
        ("refund", {"what": "amount", "amount": "much", "reason": "typed"}, "amount"),
        ("refund", {"what": "amount", "amount": "99999", "reason": "typed"}, "amount"),
        ("refund", {"what": "shipping", "reason": ""}, "reason"),
        ("points", {"points": "many", "why": "typed"}, "points"),
        ("points", {"points": "0", "why": "typed"}, "points"),
        ("points", {"points": "5", "why": ""}, "why"),
    ):
        answer = await post(browser, f"{path}/{action}", {"order": "1001", "token": "t"} | sent)
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), (action, sent)
        assert all(text in answer.text for text in sent.values())
    assert await notes(portal) == []
    assert await portal.rows("SELECT 1 FROM goodwill") == []


async def lines_of(portal: Portal) -> list[str]:
    return [str(row.id) for row in await portal.rows("SELECT id FROM order_line ORDER BY position")]


async def test_a_label_is_sent_once_for_what_was_chosen(browser: Browser, portal: Portal) -> None:
    question_id, path = await set_up(portal, browser)
    [line, *_others] = await lines_of(portal)
    page = await browser.get(path)
    assert f'value="{line}"' in page.text
    none = await post(browser, f"{path}/label", {"order": "1001", "token": "t", "answer": "typed"})
    assert (none.status_code, "Choose at least one item." in words(none), "typed" in none.text) == (422, True, True)
    sent = {"order": "1001", "token": value(page, "token"), "line": line, f"quantity-{line}": "1"}
    answers = await at_once(*(post(browser, f"{path}/label", sent) for _press in range(2)))
    assert {answer.status_code for answer in answers} == {303}
    [filed] = await portal.rows("SELECT id, rma FROM returns")
    said = f"Return {filed.rma} of order 1001 was filed. The customer gets the label by e-mail."
    assert await notes(portal) == [(said, f"/returns/{filed.rma}")]
    assert (await letters(portal))[-1].template == "return_filed"
    too_many = await post(browser, f"{path}/label", sent | {"token": "another", f"quantity-{line}": "99"})
    assert (too_many.status_code in (409, 422), f'value="{line}" checked' in too_many.text) == (True, True)
    assert len(await notes(portal)) == 1
    assert await story(portal, question_id) == ["asked", "filed_return"]


async def test_what_was_wrong_is_sent_anew_once(browser: Browser, portal: Portal) -> None:
    question_id, path = await set_up(portal, browser)
    await shelved(portal, stock=1)
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, goodwill_limit=100_000)
    [line, *_others] = await lines_of(portal)
    sent = {"order": "1001", "token": "t", "line": line, f"quantity-{line}": "1", "kind": "damaged", "answer": "Sorry"}
    wrong = await post(browser, f"{path}/anew", sent | {"kind": "ugly"})
    assert (wrong.status_code, "Say what is wrong with it." in words(wrong), "Sorry" in wrong.text) == (422, True, True)
    answers = await at_once(*(post(browser, f"{path}/anew", sent) for _press in range(3)))
    assert {answer.headers["location"] for answer in answers} == {f"/staff/questions/{question_id}"}
    [claim] = await portal.rows("SELECT id, status, answer FROM item_claim")
    assert (claim.status, claim.answer) == ("replaced", "Sorry")
    assert len(await portal.rows("SELECT 1 FROM replacement")) == 1
    assert await notes(portal) == [("What was wrong with order 1001 is sent anew.", f"/claims/{claim.id}")]
    assert (await browser.get(f"/claims/{claim.id}")).status_code == 200
    # None is left in stock: nothing is kept of what cannot be done.
    none = await post(browser, f"{path}/anew", sent | {"token": "another"})
    assert (none.status_code in (409, 422), "Sorry" in none.text) == (True, True)
    assert len(await portal.rows("SELECT 1 FROM item_claim")) == 1
    assert len(await notes(portal)) == 1


async def test_goods_beyond_the_limit_of_one_person_wait_for_a_second_one(browser: Browser, portal: Portal) -> None:
    question_id, path = await set_up(portal, browser)
    await shelved(portal, stock=2)
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, goodwill_limit=100)
    [line, *_others] = await lines_of(portal)
    sent = {"order": "1001", "token": "t", "line": line, f"quantity-{line}": "1", "kind": "damaged", "answer": "Sorry"}
    assert "Above €1.00 in all, somebody else approves first. Send it anew" in words(await browser.get(path))
    for _press in range(2):
        answer = await post(browser, f"{path}/anew", sent)
        assert answer.headers["location"] == f"/staff/questions/{question_id}"
    assert "somebody else approves it first" in words(await browser.get(f"/staff/questions/{question_id}"))
    [claim] = await portal.rows("SELECT id, status FROM item_claim")
    assert claim.status == "filed"
    [(said, link)] = await notes(portal)
    assert "of order 1001 wait for a second person: Sorry" in said
    assert link == f"/claims/{claim.id}"
    own = await post(browser, f"{link}/decision", {"decision": "replacement", "answer": ""})
    assert "somebody else has to decide it" in words(own)
    assert await portal.rows("SELECT 1 FROM replacement") == []
    await sign_in(browser, portal, "mira@example.com", "support")
    assert (await post(browser, f"{link}/decision", {"decision": "replacement", "answer": ""})).status_code == 303
    assert len(await portal.rows("SELECT 1 FROM replacement")) == 1


async def test_many_small_things_are_a_large_one(browser: Browser, portal: Portal) -> None:
    _question_id, path = await set_up(portal, browser)
    await shelved(portal, stock=2)
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, goodwill_limit=20_000)
    [line, *_others] = await lines_of(portal)
    sent = {"order": "1001", "line": line, f"quantity-{line}": "1", "kind": "damaged", "answer": "Sorry"}
    for token in ("first", "second"):
        assert (await post(browser, f"{path}/anew", sent | {"token": token})).status_code == 303
    rows = await portal.rows("SELECT status FROM item_claim ORDER BY id")
    assert [row.status for row in rows] == ["replaced", "filed"]


async def test_nothing_is_given_for_the_order_of_somebody_else(browser: Browser, portal: Portal) -> None:
    _question_id, path = await set_up(portal, browser)
    await portal.order(number="2002", email="eve@example.com")
    await portal.order(number="1003", email="ANA@example.com")
    assert "1003" in words(await browser.get(path))
    assert "2002" not in words(await browser.get(path))
    assert (await browser.get(f"{path}?order=1003")).status_code == 200
    assert (await browser.get(f"{path}?order=2002")).status_code == 404
    for action in ("refund", "points", "label", "anew"):
        sent = {"order": "2002", "token": "t", "what": "shipping", "reason": "x", "points": "5", "why": "x"}
        assert (await post(browser, f"{path}/{action}", sent)).status_code == 404
    stranger = f"/staff/questions/{await asks(portal, email='nobody@example.com')}/amends"
    assert "No order with this address." in words(await browser.get(stranger))
    assert await portal.rows("SELECT 1 FROM goodwill") == []


async def test_other_roles_give_nothing_from_here(browser: Browser, portal: Portal) -> None:
    path = f"/staff/questions/{await asks(portal)}/amends"
    await sign_in(browser, portal, "w@example.com", "warehouse", "finance")
    assert (await browser.get(path)).status_code == 403
    for action in ("refund", "points", "label", "anew"):
        assert (await post(browser, f"{path}/{action}", {"order": "1"})).status_code == 403

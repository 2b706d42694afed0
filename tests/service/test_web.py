"""The pages of questions, over HTTP: a stranger and a customer ask, support answers, nobody else sees anything."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.accounts import actions as accounts
from returns_portal.accounts.rules import CUSTOMER_SESSION, new_view_token
from returns_portal.settings import Settings
from returns_portal.web.links import view_link
from returns_portal.web.signing import SESSION_COOKIE
from tests.portal import Portal
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.service.things import MONDAY, answers, asks, hire, letters, open_shop, said_until_now, story, view, writes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

NEW = "/questions/new"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def send(browser: Browser, body: str = "Is it <b>waterproof</b>?", **fields: str) -> Any:  # noqa: ANN401 - an answer
    token = value(await browser.get(NEW), "token")
    return await post(browser, NEW, {"token": token, "body": body, "email": "Ana@example.com", **fields})


def link(settings: Settings, question_id: object) -> str:
    """The path of the link that the e-mails of a question have."""
    return view_link(settings, f"/questions/{question_id}").removeprefix(settings.public_url)


async def test_a_stranger_asks_and_reads_the_answer_by_the_link(browser: Browser, portal: Portal) -> None:
    answer = await send(browser, name="Ana")
    assert answer.status_code == 200
    assert 'name="order" type="text" value=""' in (await browser.get(NEW)).text
    said = words(answer)
    assert "We have written to Ana@example.com" in said
    # Whoever typed the address may be somebody else: the way to the question is in the e-mail alone.
    assert "/questions/link" not in answer.text
    [question] = await portal.rows("SELECT id, email_key, order_id, locale, name FROM question")
    assert (question.email_key, question.order_id, question.locale, question.name) == (
        "ana@example.com",
        None,
        "en",
        "Ana",
    )
    assert (await browser.get(f"/questions/{question.id}")).headers["location"].startswith("/?next")
    olga = await hire(portal)
    await answers(portal, olga, question.id, "It is.\n\nYours, Olga")
    followed = await browser.get(link(portal.settings, question.id))
    path = followed.headers["location"]
    page = await browser.get(path)
    said = words(page)
    assert "Is it <b>waterproof</b>?" in said
    assert "It is. Yours, Olga" in said
    assert "<b>waterproof" not in page.text
    again = {"token": value(page, "token"), "body": "And warm?"}
    for _twice in range(2):
        assert (await post(browser, path, again)).headers["location"] == path
    assert "And warm?" in words(await browser.get(path))
    assert await story(portal, question.id) == ["asked", "answered", "written"]
    # The link is this question's: what is said for another is taken by nobody.
    other = await asks(portal, email="eve@example.com")
    assert (await browser.get(f"/questions/{other}")).status_code in (303, 404)
    assert (await browser.get("/questions/link/forged")).headers["location"] == NEW
    assert (await post(browser, "/questions/link/forged", again)).headers["location"] == NEW


async def test_a_customer_asks_from_a_return_and_it_stands_there(browser: Browser, portal: Portal) -> None:
    order, [line, *_more] = await portal.order(number="1001", locale="de")
    filed = await portal.file(order.number, (line, 1))
    await come_in(browser, portal, "1001")
    page = await browser.get(f"/returns/{filed.rma}")
    [href] = re.findall(r'href="(/questions/new[^"]*)"', unescape(page.text))
    asked = await browser.get(href)
    assert f"It is about your return {filed.rma}." in words(asked)
    assert 'name="email"' not in asked.text
    sent = {"token": value(asked, "token"), "about": value(asked, "about"), "body": "When does it arrive?"}
    first, second = [await post(browser, NEW, sent) for _twice in range(2)]
    path = first.headers["location"]
    assert (second.headers["location"], path.startswith("/questions/")) == (path, True)
    assert "When does it arrive?" in words(await browser.get(path))
    assert "When does it arrive?" in words(await browser.get("/questions"))
    [question] = await portal.rows("SELECT email, locale, return_id FROM question")
    assert (question.email, question.locale, question.return_id) == (order.email, "de", filed.id)
    # Another customer's return is no part of theirs.
    await portal.order(number="1002", email="eve@example.com")
    await come_in(browser, portal, "1002")
    assert filed.rma not in words(await browser.get(href))
    assert (await browser.get(path)).status_code == 404
    assert (await post(browser, path, {"body": "Hi"})).status_code == 404
    assert "You have not asked anything yet" in words(await browser.get("/questions"))


async def test_who_came_by_a_link_reads_and_proves_who_they_are_before_they_write(
    browser: Browser, portal: Portal
) -> None:
    await portal.order(number="1001")
    [order] = await portal.rows("SELECT id FROM orders")
    question_id = await asks(portal, order_id=order.id)
    async with portal.begin() as db:
        token = await accounts.open_session(db, lasting=CUSTOMER_SESSION, order_id=order.id, token=new_view_token())
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
    path = f"/questions/{question_id}"
    assert "Is it waterproof?" in words(await browser.get(path))
    for target in (path, NEW):
        asked = await post(browser, target, {"body": "And warm?"})
        assert asked.status_code == 403
        assert "And+warm" in unescape(asked.text)
    # By the e-mail's link they come to the same page, not to one of its own.
    browser.cookies.clear()
    assert (await browser.get(link(portal.settings, question_id))).headers["location"] == path


async def test_where_somebody_came_from_may_be_anything(browser: Browser) -> None:
    for path in ("//[", "//[x]/shop/boot", "/returns/%ff", "shop"):
        assert (await browser.get(NEW, params={"about": path})).status_code == 200
        assert (await send(browser, body=" ", about=path)).status_code == 422
    browser.headers["referer"] = "http://["
    assert (await send(browser, body=" ")).status_code == 422


async def test_what_is_wrong_is_said_beside_everything_typed(browser: Browser, portal: Portal) -> None:
    answer = await send(browser, body=" ", email="ana@", name="Ana")
    assert answer.status_code == 422
    assert "Please write something first." in words(answer)
    answer = await send(browser, email="ana@")
    assert "This is not an e-mail address." in words(answer)
    assert "Is it <b>waterproof</b>?" in unescape(answer.text)
    assert await portal.rows("SELECT id FROM question") == []


async def test_an_address_is_not_flooded_and_what_was_typed_is_kept(browser: Browser, portal: Portal) -> None:
    for number in range(5):
        assert (await send(browser, body=f"Question {number}")).status_code == 200
    refused = await send(browser, body="Question 6")
    assert refused.status_code == 429
    assert "Too many attempts." in words(refused)
    assert "Question 6" in refused.text
    assert (await send(browser, email="other@example.com")).status_code == 200
    assert len(await letters(portal)) == 6


async def test_a_thread_is_not_flooded_and_what_was_typed_is_kept(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal)
    path = (await browser.get(link(portal.settings, question_id))).headers["location"]
    for number in range(30):
        assert (await post(browser, path, {"body": f"Message {number}"})).status_code == 303
    refused = await post(browser, path, {"body": "Message 31"})
    assert (refused.status_code, "These are many messages." in words(refused)) == (429, True)
    assert "Message 31" in refused.text
    assert len(await portal.rows("SELECT id FROM question_message")) == 31


async def test_a_double_click_is_one_question(browser: Browser, portal: Portal) -> None:
    token = value(await browser.get(NEW), "token")
    for _twice in range(2):
        await post(browser, NEW, {"token": token, "body": "Is it?", "email": "ana@example.com"})
    assert len(await portal.rows("SELECT id FROM question")) == 1
    assert len(await letters(portal)) == 1


async def test_an_order_number_counts_with_its_own_address_alone(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001", email="ana@example.com")
    for email in ("ana@example.com", "eve@example.com"):
        answer = await send(browser, body=f"I am {email}", email=email, order="1001")
        assert answer.status_code == 200
    rows = await portal.rows("SELECT email, order_id IS NOT NULL AS tied FROM question ORDER BY id")
    assert [tuple(row) for row in rows] == [("ana@example.com", True), ("eve@example.com", False)]


async def test_support_answers_promises_notes_and_closes(browser: Browser, portal: Portal) -> None:
    with clock.at(MONDAY):
        question_id = await asks(portal)
    path = f"/staff/questions/{question_id}"
    await sign_in(browser, portal, "olga@example.com", "support")
    with clock.at(MONDAY + timedelta(hours=2)):
        said = words(await browser.get("/staff/questions"))
        assert "1 waits for an answer." in said
        assert "waits for 2 hours" in said
        assert "unread" in said
        page = await browser.get(path)
        assert "until Monday 23 November, 14:00" in words(page)
        assert "unread" not in words(await browser.get("/staff/questions"))
        seen = value(page, "seen")
        refused = await post(browser, f"{path}/closure")
        assert (refused.status_code, "cannot be closed" in words(refused)) == (409, True)
        wrong = await post(browser, f"{path}/promise", {"until": "soon", "words": "typed words"})
        assert (wrong.status_code, "typed words" in wrong.text) == (422, True)
        assert 'id="until-error"' in wrong.text
        await post(browser, f"{path}/promise", {"until": "2026-11-25T12:00", "words": ""})
        assert "promised until Wednesday 25 November, 12:00" in words(await browser.get(path))
        await post(browser, f"{path}/notes", {"note": "Known <i>customer</i>"})
        assert "Known <i>customer</i>" in words(await browser.get(path))
        # What was seen is older than the promise.
        crossed = await post(browser, f"{path}/answer", {"body": "It is.", "seen": seen})
        assert crossed.status_code == 409
        assert "Mira has written to the customer meanwhile." in words(crossed)
        assert "It is." in crossed.text
        sent = {"body": "It is.", "seen": value(crossed, "seen"), "close": "yes"}
        assert (await post(browser, f"{path}/answer", sent)).status_code == 303
        assert (await post(browser, f"{path}/answer", sent)).status_code == 303
    assert (await view(portal, question_id)).state == "closed"
    assert "Nobody waits for an answer" in words(await browser.get("/staff/questions"))
    assert "Is it waterproof?" in words(await browser.get("/staff/questions?show=closed"))
    assert [mail.template for mail in await letters(portal)] == [
        "question_received", "question_delayed", "question_answered",
    ]  # fmt: skip
    await writes(portal, question_id)
    assert "Is it waterproof?" in words(await browser.get("/staff/questions"))


async def test_somebody_looks_after_it_or_nobody_in_particular(browser: Browser, portal: Portal) -> None:
    path = f"/staff/questions/{await asks(portal)}"
    await sign_in(browser, portal, "olga@example.com", "support")
    me = (await portal.rows("SELECT id FROM staff"))[0].id
    await post(browser, f"{path}/assignment", {"staff": ""})
    assert "Is it" not in words(await browser.get("/staff/questions?show=mine"))
    await post(browser, f"{path}/assignment", {"staff": str(me)})
    assert "Is it" in words(await browser.get("/staff/questions?show=mine"))
    assert (await post(browser, f"{path}/assignment", {"staff": "x"})).status_code == 422


async def test_an_orders_questions_stand_with_it(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    [order] = await portal.rows("SELECT id FROM orders")
    question_id = await asks(portal, order_id=order.id)
    await sign_in(browser, portal, "olga@example.com", "support")
    page = await browser.get("/staff/orders/1001")
    assert "Is it waterproof?" in words(page)
    assert f"/staff/questions/{question_id}" in page.text
    assert "/staff/orders/1001" in (await browser.get(f"/staff/questions/{question_id}")).text


async def test_late_is_a_word_and_a_colour(browser: Browser, portal: Portal) -> None:
    with clock.at(MONDAY):
        await asks(portal)
    await sign_in(browser, portal, "olga@example.com", "support")
    for hours, kind, said in ((0, "good", "until"), (3.5, "wait", "until"), (5, "bad", "1 hour over")):
        with clock.at(MONDAY + timedelta(hours=hours)):
            page = await browser.get("/staff/questions")
            assert f'class="badge {kind}"' in page.text, hours
            assert said in words(page)


async def test_questions_are_answered_by_those_who_serve(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal)
    path = f"/staff/questions/{question_id}"
    assert (await browser.get("/staff/questions")).headers["location"].startswith("/sign-in")
    await sign_in(browser, portal, "w@example.com", "warehouse")
    for asked in ("/staff/questions", path):
        assert (await browser.get(asked)).status_code == 403
    seen = await said_until_now(portal, question_id)
    for action in ("answer", "promise", "notes", "assignment", "closure"):
        assert (await post(browser, f"{path}/{action}", {"body": "x", "seen": seen})).status_code == 403
    assert (await view(portal, question_id)).state == "waiting"


async def test_the_queue_has_pages(browser: Browser, portal: Portal) -> None:
    for number in range(51):
        await asks(portal, f"Number {number}.")
    await sign_in(browser, portal, "olga@example.com", "support")
    first = await browser.get("/staff/questions")
    assert "Number 0." in words(first)
    assert "Number 50." not in words(first)
    after = first.text.split("after=")[1].split('"')[0]
    assert "Number 50." in words(await browser.get(f"/staff/questions?show=waiting&after={after}"))
    # Whoever stands last on the first page is answered meanwhile: those behind them are not lost by it.
    await answers(portal, await hire(portal, "mira@example.com"), UUID(after))
    assert "Number 50." in words(await browser.get(f"/staff/questions?show=waiting&after={after}"))

"""Were you helped? Asked once, by one button; counted with what it is of, by topic; and the line for everybody."""

import csv
import io
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
from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ConflictError, ForbiddenError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.notifications.rendering import render_email
from returns_portal.service import answering, pace
from returns_portal.service.measuring import Case, cases_between
from returns_portal.service.models import Topic
from returns_portal.service.rating import rate
from returns_portal.service.topical import Share, by_topic, summed
from returns_portal.shop import queries
from returns_portal.shop.queries import current
from returns_portal.web.signing import SESSION_COOKIE
from tests.portal import Portal, at_once
from tests.returns.visits import come_in, post, sign_in, words
from tests.service.test_pace import answered
from tests.service.things import MONDAY, answers, asks, hire, letters, open_shop, story, view, writes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


def asker(question_id: UUID) -> Actor:
    return Actor(kind="customer", question_id=question_id)


async def says(portal: Portal, question_id: UUID, who: Actor | None = None, *, helped: bool, comment: str = "") -> None:
    async with portal.begin() as db:
        await rate(db, who or asker(question_id), question_id, helped=helped, comment=comment)


async def test_the_customer_says_it_once_and_may_change_it(portal: Portal) -> None:
    question_id, olga = await asks(portal), await hire(portal)
    with pytest.raises(ConflictError):
        await says(portal, question_id, helped=True)
    await answers(portal, olga, question_id)
    await at_once(*(says(portal, question_id, helped=True) for _press in range(3)))
    assert (await view(portal, question_id)).helped is True
    await says(portal, question_id, helped=False, comment="It leaks still")
    found = await view(portal, question_id)
    assert (found.helped, found.comment) == (False, "It leaks still")
    assert await story(portal, question_id) == ["asked", "answered", "rated", "rated"]
    rows = await portal.rows("SELECT data FROM history WHERE action = 'rated' ORDER BY id")
    assert [row.data for row in rows] == [{"helped": True}, {"helped": False}]
    with pytest.raises(ForbiddenError):
        await says(portal, question_id, olga, helped=True)
    for stranger in (asker(new_id()), Actor(kind="customer"), Actor(kind="customer", order_id=new_id())):
        with pytest.raises(NotFoundError):
            await says(portal, question_id, stranger, helped=True)


async def the_letter(portal: Portal) -> Any:  # noqa: ANN401 - what was rendered
    letter = (await letters(portal))[-1]
    async with portal.begin() as db:
        shop = await current(db)
    return render_email(letter.template, letter.locale, letter.values, shop, portal.settings)


async def test_the_emails_links_lead_to_a_button_and_following_them_says_nothing(
    browser: Browser, portal: Portal
) -> None:
    question_id = await asks(portal)
    await answers(portal, await hire(portal), question_id)
    letter = await the_letter(portal)
    found = re.findall(r'href="([^"]*/rating\?helped=(yes|no))"', unescape(letter.html))
    assert [answer for _link, answer in found] == ["yes", "no"]
    assert all(unescape(link) in letter.text for link, _answer in found)
    paths = [link.removeprefix(portal.settings.public_url) for link, _answer in found]
    for path in paths:
        page = await browser.get(path)
        assert page.status_code == 200
        assert "Were you helped?" in words(page)
    assert (await view(portal, question_id)).helped is None
    # The button that was meant comes first.
    assert words(await browser.get(paths[1])).index("No, I was not") < words(await browser.get(paths[1])).index("Yes,")
    path = paths[0].split("?")[0]
    done = await post(browser, path, {"helped": "no", "comment": "It <b>leaks</b>"})
    assert (done.status_code, done.headers["location"]) == (303, path)
    said = words(await browser.get(path))
    assert "Write to us again, and we go on until it is solved." in said
    assert "You have said no. You can change it." in said
    assert "It <b>leaks</b>" in said
    wrong = await post(browser, path, {"helped": "perhaps", "comment": "typed"})
    assert (wrong.status_code, "typed" in wrong.text) == (422, True)
    long = await post(browser, path, {"helped": "yes", "comment": "x" * 1001})
    assert (long.status_code, 'id="comment-error"' in long.text) == (422, True)
    assert (await post(browser, path, {"helped": "yes"})).status_code == 303
    assert (await view(portal, question_id)).helped is True
    assert (await browser.get("/questions/link/forged/rating")).headers["location"] == "/questions/new"
    assert (await post(browser, "/questions/link/forged/rating", {"helped": "yes"})).status_code == 303
    await sign_in(browser, portal, "support@example.com", "support")
    assert "The customer says: I was helped." in words(await browser.get(f"/staff/questions/{question_id}"))


async def test_who_came_in_says_it_on_the_page_of_the_question(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    [order] = await portal.rows("SELECT id FROM orders")
    question_id = await asks(portal, order_id=order.id)
    await come_in(browser, portal, "1001")
    path = f"/questions/{question_id}"
    assert "Were you helped?" not in words(await browser.get(path))
    early = await post(browser, f"{path}/rating", {"helped": "yes"})
    assert (early.status_code, "We have not answered yet." in words(early)) == (409, True)
    await answers(portal, await hire(portal), question_id)
    assert "Were you helped? Yes No" in words(await browser.get(path))
    await post(browser, f"{path}/rating", {"helped": "yes", "comment": ""})
    assert "You have said yes." in words(await browser.get(path))
    # Who came by a link that only shows may say it, too: it changes nothing of the order.
    async with portal.begin() as db:
        token = await accounts.open_session(db, lasting=CUSTOMER_SESSION, order_id=order.id, token=new_view_token())
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
    assert (await post(browser, f"{path}/rating", {"helped": "no"})).status_code == 303
    assert (await view(portal, question_id)).helped is False
    # Another customer sees nothing of it.
    await portal.order(number="1002", email="eve@example.com")
    await come_in(browser, portal, "1002")
    assert (await browser.get(f"{path}/rating")).status_code == 404
    assert (await post(browser, f"{path}/rating", {"helped": "yes"})).status_code == 404
    browser.cookies.clear()
    assert (await post(browser, f"{path}/rating", {"helped": "yes"})).headers["location"].startswith("/?next")


def test_no_share_is_told_without_what_it_is_of() -> None:
    empty = summed(None, [])
    assert (empty.asked, empty.reopened, empty.helped, empty.first.median) == (0, Share(0, 0), Share(0, 0), None)


async def test_topics_are_counted_as_by_hand(portal: Portal, database_url: str) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    plan = [
        # topic, closed, written again, helped
        (Topic.LATE, True, True, True),
        (Topic.LATE, True, False, False),
        (Topic.LATE, False, True, None),
        (Topic.DAMAGED, True, False, True),
        (None, False, False, None),
    ]
    for topic, closed, again, helped in plan:
        with clock.at(MONDAY):
            question_id = await asks(portal)
        with clock.at(MONDAY + timedelta(hours=1)):
            await answers(portal, olga, question_id)
            async with portal.begin() as db:
                await answering.say_topic(db, olga, question_id, topic)
                if closed:
                    await answering.close(db, olga, question_id)
            if again:
                await writes(portal, question_id)
            if helped is not None:
                await says(portal, question_id, helped=helped)
    async with portal.begin() as db:
        cases: list[Case] = await cases_between(db, SYSTEM, MONDAY, MONDAY + timedelta(days=1))
    late, damaged, unsaid = by_topic(cases)
    assert (late.topic, late.asked, late.reopened, late.helped) == (Topic.LATE, 3, Share(1, 2), Share(1, 2))
    assert (damaged.topic, damaged.reopened, damaged.helped) == (Topic.DAMAGED, Share(0, 1), Share(1, 1))
    assert (unsaid.topic, unsaid.asked, unsaid.first.median) == (None, 1, 3600)
    assert summed(None, cases).helped == Share(2, 3)
    async with browsing(portal.settings, database_url) as browser:
        with clock.at(MONDAY + timedelta(hours=3)):
            await sign_in(browser, portal, "support@example.com", "support")
            said = words(await browser.get("/staff/service"))
            assert "Late 3 1 hour, of 3 answered 1 of 2 (50%) 1 of 2 (50%)" in said
            assert "Not said yet 1 1 hour, of 1 answered – –" in said
            assert "All 5 1 hour, of 5 answered 1 of 3 (33%) 2 of 3 (67%)" in said
            rows = list(csv.DictReader(io.StringIO((await browser.get("/staff/service.csv")).text)))
    told = [(row["topic"], row["was_closed"], row["reopened"], row["helped"]) for row in rows]
    assert told == [
        ("late", "yes", "yes", "yes"),
        ("late", "yes", "no", "no"),
        ("late", "no", "no", ""),
        ("damaged", "yes", "no", "yes"),
        ("", "no", "no", ""),
    ]


async def test_the_line_for_everybody_is_measured_and_switched_on_by_the_admin_alone(
    browser: Browser, portal: Portal
) -> None:
    line = "We answer half of all questions within 1 hour."

    async def said_on(path: str = "/contact") -> int:
        queries.forget()
        pace.forget()
        return (await browser.get(path)).text.count(line)

    with clock.at(MONDAY):
        await answered(portal, *[60] * 9)
        await sign_in(browser, portal, "support@example.com", "support")
        assert "Nothing yet: it is said once ten questions" in words(await browser.get("/staff/service"))
        assert (await post(browser, "/staff/service/public", {"shows": "yes"})).status_code == 403
        await sign_in(browser, portal, "admin@example.com", "admin")
        assert (await post(browser, "/staff/service/public", {"shows": "yes"})).status_code == 303
        assert await said_on() == 0
        await answered(portal, 60)
        assert [await said_on(path) for path in ("/contact", "/", "/questions/new")] == [1, 1, 1]
        assert (await post(browser, "/staff/service/public", {"shows": "no"})).status_code == 303
        assert await said_on() == 0
        told = await portal.rows("SELECT data FROM history WHERE subject = 'shop' AND action = 'changed' ORDER BY id")
        assert [row.data["fields"] for row in told][-2:] == [["shows_pace"], ["shows_pace"]]


async def test_who_changes_their_mind_all_the_time_is_asked_to_wait(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal)
    await answers(portal, await hire(portal), question_id)
    letter = await the_letter(portal)
    [link] = set(re.findall(r'href="([^"?]*/rating)\?helped=', unescape(letter.html)))
    path = link.removeprefix(portal.settings.public_url)
    for turn in range(30):
        assert (await post(browser, path, {"helped": ("yes", "no")[turn % 2]})).status_code == 303
    late = await post(browser, path, {"helped": "yes", "comment": "typed"})
    assert (late.status_code, "Please wait" in words(late), "typed" in late.text) == (429, True, True)
    assert (await view(portal, question_id)).helped is False

"""Prepared solutions, and letters in four steps: looked at before they are sent, never lost."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError
from returns_portal.notifications.rendering import render_email
from returns_portal.service import answering, composing, playbooks
from returns_portal.service.models import Topic
from returns_portal.service.playbooks import STEPS, Letter
from returns_portal.shop.queries import current
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, value, words
from tests.service.test_desk import WAREHOUSE
from tests.service.things import answers, asks, hire, letters, open_shop, said_until_now, story, view, writes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LETTER = Letter("We are sorry.", "You write that it leaks.", "A new one goes to you.", "Sorry once more.")
FIELDS = {step: getattr(LETTER, step) for step in STEPS}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def change(portal: Portal, who: Any, seen: int, checks: str = "", offers: str = "", **letters: Letter) -> None:  # noqa: ANN401 - an actor
    async with portal.begin() as db:
        await playbooks.change(db, who, Topic.LATE, checks, offers, letters or {"en": LETTER}, seen=seen)


async def test_five_troubles_come_with_the_portal_and_the_shop_writes_its_own(portal: Portal) -> None:
    olga = await hire(portal)
    async with portal.begin() as db:
        found = await playbooks.list_playbooks(db, olga)
    for topic in (Topic.DAMAGED, Topic.ADDRESS, Topic.WRONG, Topic.LATE, Topic.MISSING):
        book = found[topic]
        assert (book.version, bool(book.checks), bool(book.offers)) == (0, True, True)
        for language in ("en", "de", "bg", "ru", "uk"):
            letter = book.letter(language)
            assert all(getattr(letter, step) for step in STEPS), (topic, language)
            assert "{words}" in letter.heard
    await change(portal, olga, 0, "Look", "Offer", de=LETTER, en=Letter(sorry="Sorry"))
    await change(portal, olga, 1, "Look twice", "Offer", en=LETTER)
    async with portal.begin() as db:
        book = await playbooks.playbook_for(db, olga, Topic.LATE)
    assert (book.version, book.checks, book.letter("de")) == (2, "Look twice", LETTER)
    rows = await portal.rows("SELECT version, checks, made_by FROM playbook ORDER BY version")
    assert [tuple(row) for row in rows] == [(1, "Look", olga.label), (2, "Look twice", olga.label)]
    told = await portal.rows("SELECT data FROM history WHERE subject = 'playbook' ORDER BY id")
    assert [row.data for row in told] == [{"topic": "late", "version": 1}, {"topic": "late", "version": 2}]


async def test_what_is_wrong_with_a_playbook_is_told_and_of_two_versions_one_is_kept(portal: Portal) -> None:
    olga = await hire(portal)
    for texts, field in (
        ({"de": LETTER}, "sorry-en"),
        ({"en": LETTER, "de": Letter(solution="{kunde}")}, "solution-de"),
        ({"en": Letter(heard="x" * 1001)}, "heard-en"),
    ):
        with pytest.raises(InvalidError) as refused:
            await change(portal, olga, 0, "", "", **texts)
        assert refused.value.field == field
    done = await at_once(*(change(portal, olga, 0, str(number)) for number in range(3)))
    assert [type(one) for one in done].count(ConflictError) == 2
    with pytest.raises(ForbiddenError):
        await change(portal, WAREHOUSE, 1)


async def test_a_letter_begins_by_the_topic_in_the_customers_language_with_a_gap_for_their_words(
    portal: Portal,
) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    await change(portal, olga, 0, en=LETTER, de=Letter("Guten Tag {customer}", "{words}", "{order}", "{staff}, {shop}"))
    question_id = await asks(portal, name="Ana")
    await portal.rows("UPDATE question SET locale = 'de' RETURNING id")
    async with portal.begin() as db:
        await answering.say_topic(db, olga, question_id, Topic.LATE)
        begun = await composing.begun(db, olga, question_id, "Nord")
    assert begun == Letter("Guten Tag Ana", "{words}", "{order}", "Mira, Nord")
    with pytest.raises(InvalidError) as refused:
        composing.check(begun)
    assert refused.value.field == "heard"
    assert await story(portal, question_id) == ["asked", "topic"]


async def test_nothing_is_sent_before_it_was_looked_at_as_it_is(portal: Portal) -> None:
    question_id, olga = await asks(portal), await hire(portal)
    seen = await said_until_now(portal, question_id)

    async def send(letter: Letter = LETTER) -> None:
        async with portal.begin() as db:
            await composing.send(db, olga, question_id, letter, seen=seen)

    async def draft(letter: Letter, *, looked: bool) -> None:
        async with portal.begin() as db:
            await composing.keep_draft(db, olga, question_id, letter, looked=looked)

    other = Letter(LETTER.sorry, LETTER.heard, "Something else.", LETTER.again)
    for kept, looked in ((None, False), (LETTER, False), (other, True)):
        if kept:
            await draft(kept, looked=looked)
        with pytest.raises(ConflictError) as refused:
            await send()
        assert refused.value.code == "not_looked"
    assert len(await letters(portal)) == 1
    await draft(LETTER, looked=True)
    done = await at_once(send(), send(), send())
    assert done == [None, None, None]
    [_received, sent] = await letters(portal)
    assert sent.values["answer"] == "\n\n".join(FIELDS.values())
    assert await portal.rows("SELECT 1 FROM question_draft") == []
    assert await story(portal, question_id) == ["asked", "answered"]


async def test_the_preview_is_the_letter_that_is_sent(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal, "It leaks!\n\nAt once.", name="Ana")
    await portal.rows("UPDATE question SET locale = 'de' RETURNING id")
    await sign_in(browser, portal, "olga@example.com", "support")
    path = f"/staff/questions/{question_id}/letter"
    assert f'href="{path}"' in (await browser.get(path.removesuffix("/letter"))).text
    page = await browser.get(path)
    said = words(page)
    assert "It leaks! At once." in said
    assert "This is what the customer gets" not in said
    assert "{words}" in page.text
    gap = await post(browser, path, {**FIELDS, "heard": "You write that {words}."})
    assert (gap.status_code, "fill in or take out first: {words}" in words(gap)) == (422, True)
    assert "A new one goes to you." in gap.text
    empty = await post(browser, path, {**FIELDS, "solution": " "})
    assert (empty.status_code, 'id="solution-error"' in empty.text) == (422, True)
    # What was typed is there when somebody comes back later.
    assert "You write that it leaks." in (await browser.get(path)).text
    assert (await post(browser, f"{path}/sending", FIELDS)).status_code == 409
    assert (await post(browser, path, FIELDS)).headers["location"] == f"{path}#preview"
    looked = await browser.get(path)
    assert f'src="{path}/preview"' in looked.text
    preview = await browser.get(f"{path}/preview")
    assert "sandbox" in preview.headers["content-security-policy"]
    assert 'lang="de"' in preview.text
    seen = value(looked, "seen")
    await writes(portal, question_id, "And it is cold!")
    crossed = await post(browser, f"{path}/sending", {**FIELDS, "seen": seen})
    assert crossed.status_code == 409
    said = words(crossed)
    assert "The customer has written once more meanwhile." in said
    assert "And it is cold!" in said
    assert "A new one goes to you." in crossed.text
    sent = {**FIELDS, "seen": value(crossed, "seen"), "close": "yes"}
    for _twice in range(2):
        assert (await post(browser, f"{path}/sending", sent)).status_code == 303
    assert (await view(portal, question_id)).state == "closed"
    letter = (await letters(portal))[-1]
    async with portal.begin() as db:
        shop = await current(db)
    made = render_email(
        letter.template, letter.locale, letter.values, shop, portal.settings, recipient="ana@example.com"
    )
    assert text_of(preview.text) == text_of(made.html)


def text_of(html: str) -> str:
    """All that an e-mail says; its links are sealed anew each time."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


async def test_a_colleagues_answer_loses_nothing(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal)
    await sign_in(browser, portal, "olga@example.com", "support")
    path = f"/staff/questions/{question_id}/letter"
    await post(browser, path, FIELDS)
    await answers(portal, await hire(portal, "maria@example.com"), question_id)
    crossed = await post(browser, f"{path}/sending", {**FIELDS, "seen": "1"})
    assert "Mira has written to the customer meanwhile." in words(crossed)
    assert "A new one goes to you." in (await browser.get(path)).text


async def test_the_topic_is_said_and_another_playbook_begins_anew(browser: Browser, portal: Portal) -> None:
    question_id = await asks(portal)
    await sign_in(browser, portal, "olga@example.com", "support")
    path = f"/staff/questions/{question_id}"
    await post(browser, f"{path}/letter", FIELDS)
    assert (await post(browser, f"{path}/topic", {"topic": "weather"})).status_code == 422
    await post(browser, f"{path}/topic", {"topic": "damaged"})
    assert "A new one goes to you." in (await browser.get(f"{path}/letter")).text
    assert "Are there photos" in words(await browser.get(f"{path}/letter"))
    await post(browser, f"{path}/letter/beginning", {"topic": "late"})
    page = await browser.get(f"{path}/letter")
    assert ("still waiting for your parcel" in page.text, "A new one goes" in page.text) == (True, False)
    await post(browser, f"{path}/topic", {"topic": ""})
    assert await story(portal, question_id) == ["asked", "topic", "topic", "topic"]


async def test_playbooks_are_changed_on_their_pages(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "olga@example.com", "support")
    assert "Something is missing as it came with the portal" in words(await browser.get("/staff/playbooks"))
    path = "/staff/playbooks/missing"
    page = await browser.get(path)
    sent = {"seen": value(page, "seen"), "checks": "Weigh it.", "offers": "", "sorry-en": "Sorry {kunde}"}
    wrong = await post(browser, path, sent)
    assert (wrong.status_code, "Nothing is known of {kunde}." in words(wrong), "Weigh it." in wrong.text) == (
        422,
        True,
        True,
    )
    sent["sorry-en"] = "Sorry {customer}"
    assert (await post(browser, path, sent)).status_code == 303
    crossed = await post(browser, path, sent)
    assert (crossed.status_code, "Somebody has changed this meanwhile." in words(crossed)) == (409, True)
    assert "Weigh it." in (await browser.get(path)).text
    assert "by the packing slip" in (await browser.get(f"{path}?from=0")).text
    assert "your version 1" in words(await browser.get("/staff/playbooks"))
    assert (await browser.get("/staff/playbooks/weather")).status_code == 404


async def test_other_roles_write_no_letters(browser: Browser, portal: Portal) -> None:
    path = f"/staff/questions/{await asks(portal)}/letter"
    await sign_in(browser, portal, "w@example.com", "warehouse", "finance")
    for page in (path, f"{path}/preview", "/staff/playbooks", "/staff/playbooks/late"):
        assert (await browser.get(page)).status_code == 403
    for action in (path, f"{path}/sending", f"{path}/beginning", "/staff/playbooks/late"):
        assert (await post(browser, action, FIELDS)).status_code == 403


async def test_what_nobody_sends_goes_after_a_month(portal: Portal) -> None:
    question_id, olga = await asks(portal), await hire(portal)
    async with portal.begin() as db:
        await composing.keep_draft(db, olga, question_id, LETTER, looked=True)
    now = clock.now()

    async def left(days: int) -> int:
        with clock.at(now + timedelta(days=days)):
            async with portal.begin() as db:
                await composing.forget_drafts(db)
        return len(await portal.rows("SELECT 1 FROM question_draft"))

    assert (await left(29), await left(31)) == (1, 0)

"""Prepared texts: kept, checked, filled from the question, and never sent with a gap."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.service import answering, snippets
from returns_portal.service.variables import fill, gaps
from tests.portal import Portal, at_once
from tests.returns.visits import post, sign_in, words
from tests.service.test_desk import WAREHOUSE
from tests.service.things import answers, asks, hire, letters, open_shop, said_until_now
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

GREETING = "Dear {customer}, your order {order}: {staff} of {shop}"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await open_shop(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def keep(portal: Portal, who: Any, name: str = "Greeting", snippet_id: UUID | None = None, **texts: str) -> UUID:  # noqa: ANN401 - an actor
    async with portal.begin() as db:
        return await snippets.keep(db, who, name, texts or {"en": GREETING}, snippet_id)


def test_what_has_no_value_stays_a_gap() -> None:
    text = fill("{customer} {order} {return} {words}", {"customer": "Ana", "order": "", "return": "R-1"})
    assert text == "Ana {order} R-1 {words}"
    assert gaps(text) == ["{order}", "{words}"]
    assert gaps("A {code} of the customer's own, {} and { order }") == []
    # What somebody is called is no place to be filled.
    assert fill("{customer}", {"customer": "{order}", "order": "1"}) == "{order}"


async def test_a_text_is_kept_once_under_its_name_and_told_what_is_wrong(portal: Portal) -> None:
    olga = await hire(portal)
    made = await keep(portal, olga)
    for name, texts, field in (
        ("", {"en": "x"}, "name"),
        ("GREETING", {"en": "x"}, "name"),
        ("Other", {"de": "x"}, "text-en"),
        ("Other", {"en": "  "}, "text-en"),
        ("Other", {"en": "x" * 2001}, "text-en"),
        ("Other", {"en": "x", "de": "Hallo {kunde}"}, "text-de"),
        ("Other", {"en": "{words}"}, "text-en"),
    ):
        with pytest.raises(InvalidError) as refused:
            await keep(portal, olga, name, None, **texts)
        assert refused.value.field == field, (name, texts)
    assert await keep(portal, olga, "greeting", made, en="Hello", de=" ") == made
    async with portal.begin() as db:
        [found] = await snippets.list_snippets(db, olga)
        assert (found.name, found.texts) == ("greeting", {"en": "Hello"})
        await snippets.take_away(db, olga, made)
    with pytest.raises(NotFoundError):
        await keep(portal, olga, "greeting", made)
    told = await portal.rows("SELECT action, actor FROM history WHERE subject = 'snippet' ORDER BY id")
    assert [row.action for row in told] == ["made", "changed", "taken_away"]
    assert {row.actor for row in told} == {olga.label}
    with pytest.raises(ForbiddenError):
        await keep(portal, WAREHOUSE, "x")


async def test_of_two_who_take_a_name_one_has_it(portal: Portal) -> None:
    olga = await hire(portal)
    done = await at_once(*(keep(portal, olga, name) for name in ("Sorry", "sorry", "SORRY")))
    assert sum(isinstance(one, UUID) for one in done) == 1
    assert {one.field for one in done if isinstance(one, InvalidError)} == {"name"}


async def test_no_answer_and_no_promise_goes_with_a_gap(portal: Portal) -> None:
    question_id, olga = await asks(portal), await hire(portal)
    seen = await said_until_now(portal, question_id)
    async with portal.begin() as db:
        with pytest.raises(InvalidError) as refused:
            await answering.reply(db, olga, question_id, "Your order {order} and {order} of {shop}", seen=seen)
        assert (refused.value.field, refused.value.values["gaps"]) == ("body", "{order}, {shop}")
        with pytest.raises(InvalidError):
            await answering.promise(db, olga, question_id, clock.now() + timedelta(days=1), "{customer}")
    assert len(await letters(portal)) == 1
    await answers(portal, olga, question_id, "Type {name} into the field")
    with pytest.raises(ConflictError):
        await answers(portal, olga, question_id, "x", seen=1)


async def test_it_is_put_in_below_what_was_typed_in_the_customers_language(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    [order] = await portal.rows("SELECT id FROM orders")
    question_id = await asks(portal, order_id=order.id, name="Ana")
    await portal.rows("UPDATE question SET locale = 'de-AT' RETURNING id")
    await sign_in(browser, portal, "olga@example.com", "support")
    sent = {
        "name": "Greeting",
        "text-en": "Dear {customer}",
        "text-de": "Guten Tag {customer}: {order}, {return}, {kunde}",
    }
    wrong = await post(browser, "/staff/snippets", sent)
    assert wrong.status_code == 422
    assert "Nothing is known of {kunde}. There are: {customer}, {order}, {return}, {shop}, {staff}." in words(wrong)
    assert "Dear {customer}" in wrong.text
    sent["text-de"] = "Guten Tag {customer}: {order}, {return}"
    assert (await post(browser, "/staff/snippets", sent)).headers["location"] == "/staff/snippets"
    listed = await browser.get("/staff/snippets")
    assert "Greeting" in words(listed)
    [row] = await portal.rows("SELECT id FROM snippet")
    assert "Guten Tag" in (await browser.get(f"/staff/snippets/{row.id}")).text
    path = f"/staff/questions/{question_id}"
    assert "Greeting" in words(await browser.get(path))
    put = await post(browser, f"{path}/snippet", {"body": "Typed", "snippet": str(row.id), "seen": "1"})
    assert put.status_code == 200
    assert "Typed\n\nGuten Tag Ana: 1001, {return}</textarea>" in put.text
    refused = await post(browser, f"{path}/answer", {"body": "Guten Tag Ana: {return}", "seen": "1"})
    assert refused.status_code == 422
    assert "fill in or take out first: {return}" in words(refused)
    assert "Guten Tag Ana: {return}</textarea>" in refused.text
    for unknown in ("", str(question_id)):
        put = await post(browser, f"{path}/snippet", {"body": "Typed", "snippet": unknown})
        assert (put.status_code, "Choose a text first." in words(put), "Typed" in put.text) == (422, True, True)
    assert (await post(browser, f"/staff/snippets/{row.id}/removal")).status_code == 303
    assert "No text is prepared yet" in words(await browser.get("/staff/snippets"))
    assert (await browser.get(f"/staff/snippets/{row.id}")).status_code == 404


async def test_other_roles_have_no_texts(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "w@example.com", "warehouse", "finance")
    for path in ("/staff/snippets", "/staff/snippets/new"):
        assert (await browser.get(path)).status_code == 403
    assert (await post(browser, "/staff/snippets", {"name": "x", "text-en": "x"})).status_code == 403

"""The life of a question: nobody is left waiting unseen, nothing is closed unanswered, nothing crosses unnoticed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.notifications.rendering import render_email
from returns_portal.service import answering
from returns_portal.service.models import Kind, Source, State
from returns_portal.service.queries import list_questions, messages_of, question_for, waiting_now
from returns_portal.service.rules import MAX_BODY, subject_of
from returns_portal.shop.queries import DEFAULT
from tests.portal import Portal, at_once
from tests.service.things import (
    MONDAY,
    STRANGER,
    answers,
    asks,
    hire,
    letters,
    open_shop,
    said_until_now,
    story,
    view,
    writes,
)

pytestmark = pytest.mark.anyio


async def test_from_the_question_to_its_end_and_on_again(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    with clock.at(MONDAY):
        question_id = await asks(portal)
        waits = await view(portal, question_id)
        assert (waits.state, waits.is_unread, waits.subject) == (State.WAITING, True, "Is it waterproof?")
        # Four hours of service, from ten o'clock.
        assert waits.due_at == MONDAY + timedelta(hours=4)
        async with portal.begin() as db:
            await answering.see(db, olga, waits)
            with pytest.raises(ConflictError) as refusal:
                await answering.close(db, olga, question_id)
        assert refusal.value.code == "unanswered"
        assert not (await view(portal, question_id)).is_unread
    with clock.at(MONDAY + timedelta(hours=1)):
        await answers(portal, olga, question_id)
        answered = await view(portal, question_id)
        assert (answered.state, answered.asked_at, answered.due_at) == (State.ANSWERED, None, None)
        assert answered.first_reply_at == MONDAY + timedelta(hours=1)
        assert answered.assigned_to == UUID(olga.id)
        async with portal.begin() as db:
            for _twice in range(2):
                await answering.close(db, olga, question_id)
        assert (await view(portal, question_id)).closed_at == MONDAY + timedelta(hours=1)
    # At seven in the evening nobody is there; four hours of service end on Tuesday at one.
    with clock.at(MONDAY + timedelta(hours=9)):
        await writes(portal, question_id)
    again = await view(portal, question_id)
    assert (again.state, again.closed_at, again.is_unread) == (State.WAITING, None, True)
    assert again.asked_at == MONDAY + timedelta(hours=9)
    assert again.due_at == MONDAY + timedelta(hours=27)
    assert again.first_reply_at == MONDAY + timedelta(hours=1)
    with clock.at(MONDAY + timedelta(hours=10)):
        await answers(portal, olga, question_id, "And warm.")
    assert (await view(portal, question_id)).first_reply_at == MONDAY + timedelta(hours=1)
    assert await story(portal, question_id) == ["asked", "read", "answered", "closed", "reopened", "answered"]


async def test_who_writes_again_before_the_answer_does_not_wait_from_the_beginning(portal: Portal) -> None:
    await open_shop(portal)
    with clock.at(MONDAY):
        question_id = await asks(portal)
    with clock.at(MONDAY + timedelta(hours=2)):
        await writes(portal, question_id, "Hello?")
    found = await view(portal, question_id)
    assert (found.asked_at, found.due_at) == (MONDAY, MONDAY + timedelta(hours=4))


async def test_the_acknowledgement_goes_at_once_with_the_honest_time(portal: Portal) -> None:
    await open_shop(portal)
    with clock.at(MONDAY - timedelta(hours=3)):
        await asks(portal, "Is it <waterproof>?")
    with clock.at(MONDAY):
        await asks(portal)
    closed, opened = await letters(portal)
    assert (closed.template, closed.recipient) == ("question_received", "ana@example.com")
    assert closed.values["opens_at"] == "Monday 23 November, 09:00 Eastern European Standard Time"
    assert (opened.values["opens_at"], opened.values["usual"]) == ("", "")


async def test_what_a_stranger_typed_goes_to_no_address_that_they_typed(portal: Portal) -> None:
    order, _lines = await portal.order()
    [(order_id,)] = await portal.rows("SELECT id FROM orders")
    known = msgspec.structs.replace(STRANGER, order_id=order_id)
    await asks(portal, "Buy pills at pills.example!")
    await asks(portal, "Is it <waterproof>?", by=known, order_id=order_id)
    await asks(portal, "Is it warm?", order.email, source=Source.EMAIL)
    # Anybody can write another's address into an e-mail, and would have us send them what they like.
    await asks(portal, "Buy pills by e-mail!", "eve@example.com", source=Source.EMAIL)
    for letter, repeated in zip(await letters(portal), ["", "Is it <waterproof>?", "Is it warm?", ""], strict=True):
        read = render_email(
            "question_received", "en", letter.values, DEFAULT, portal.settings, recipient=letter.recipient
        )
        assert letter.values["quoted"] == repeated
        assert "pills" not in read.subject + read.text + read.html
        assert (repeated in read.subject, repeated in read.text) == (True, True)


async def test_a_promise_is_told_and_is_no_answer(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    until = MONDAY + timedelta(days=2)
    with clock.at(MONDAY):
        question_id = await asks(portal)
        async with portal.begin() as db:
            for _twice in range(2):
                await answering.promise(db, olga, question_id, until, "We ask the maker.")
        waits = await view(portal, question_id)
        assert (waits.state, waits.due_at, waits.promised_until) == (State.WAITING, until, until)
        assert waits.first_reply_at is None
        told = [mail for mail in await letters(portal) if mail.template == "question_delayed"]
        assert [mail.values["words"] for mail in told] == ["We ask the maker."]
        assert told[0].values["until"].startswith("Wednesday 25 November, 10:00")
        # Other words for the same moment are said, too: the page tells its writer that they are.
        async with portal.begin() as db:
            await answering.promise(db, olga, question_id, until, "The maker is asked.")
        assert [mail.template for mail in await letters(portal)].count("question_delayed") == 2
        for wrong in (MONDAY, MONDAY + timedelta(days=100)):
            async with portal.begin() as db:
                with pytest.raises(InvalidError):
                    await answering.promise(db, olga, question_id, wrong, "")
        await answers(portal, olga, question_id)
        assert (await view(portal, question_id)).promised_until is None
        async with portal.begin() as db:
            with pytest.raises(ConflictError):
                await answering.promise(db, olga, question_id, until, "")


async def test_an_answer_that_crosses_another_is_told_and_nothing_is_lost(portal: Portal) -> None:
    await open_shop(portal)
    olga, ivan = await hire(portal), await hire(portal, "ivan@example.com")
    question_id = await asks(portal)
    seen = await said_until_now(portal, question_id)
    results = await at_once(
        answers(portal, olga, question_id, "It is.", seen), answers(portal, ivan, question_id, "No.", seen)
    )
    [lost] = [result for result in results if result is not None]
    assert isinstance(lost, ConflictError)
    assert (lost.code, lost.values) == ("crossed", {"name": "Mira"})
    assert [mail.template for mail in await letters(portal)] == ["question_received", "question_answered"]
    # The customer writes while somebody types.
    seen = await said_until_now(portal, question_id)
    await writes(portal, question_id)
    with pytest.raises(ConflictError) as refusal:
        await answers(portal, olga, question_id, "And fine.", seen)
    assert "once more" in str(refusal.value)
    # Whoever reads that may send it all the same; a note of a colleague crosses nothing.
    seen = await said_until_now(portal, question_id)
    async with portal.begin() as db:
        await answering.note(db, ivan, question_id, "Known customer")
    await answers(portal, olga, question_id, "And fine.", seen)


async def test_a_double_click_answers_once(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    question_id = await asks(portal)
    seen = await said_until_now(portal, question_id)
    results = await at_once(*(answers(portal, olga, question_id, "It is.", seen) for _each in range(3)))
    assert results == [None] * 3
    assert [mail.template for mail in await letters(portal)] == ["question_received", "question_answered"]


async def test_notes_are_for_the_staff_alone(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    question_id = await asks(portal)
    async with portal.begin() as db:
        for _twice in range(2):
            await answering.note(db, olga, question_id, "Careful")
        kinds = [one.kind for one in await messages_of(db, olga, question_id)]
        customer = Actor(kind="customer", question_id=question_id)
        assert [one.kind for one in await messages_of(db, customer, question_id)] == [Kind.CUSTOMER]
    assert kinds == [Kind.CUSTOMER, Kind.NOTE]
    # A note does not stop the clock.
    assert (await view(portal, question_id)).first_reply_at is None


async def test_the_longest_waiting_comes_first(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    with clock.at(MONDAY):
        first = await asks(portal, "first")
    with clock.at(MONDAY + timedelta(hours=1)):
        second = await asks(portal, "second")
    with clock.at(MONDAY + timedelta(hours=2)):
        await answers(portal, olga, first)
        await writes(portal, first)
        async with portal.begin() as db:
            found = await list_questions(db, olga, "waiting", after=None, limit=9)
            assert [one.id for one in found] == [second, first]
            after = await list_questions(db, olga, "waiting", after=second, limit=9)
            assert [one.id for one in after] == [first]
            assert [one.id for one in await list_questions(db, olga, "mine", after=None, limit=9)] == [first]
            waiting = await waiting_now(db)
    assert (waiting.count, waiting.oldest) == (2, MONDAY + timedelta(hours=1))


async def test_of_ones_own_who_waits_comes_first_the_longest_waiting_before_all(portal: Portal) -> None:
    await open_shop(portal)
    olga = await hire(portal)
    asked = []
    for hour in range(4):
        with clock.at(MONDAY + timedelta(hours=hour)):
            asked.append(await asks(portal, f"number {hour}"))
            await answers(portal, olga, asked[-1])
    with clock.at(MONDAY + timedelta(hours=5)):
        await writes(portal, asked[3])
    with clock.at(MONDAY + timedelta(hours=6)):
        await writes(portal, asked[0])
    expected = [asked[3], asked[0], asked[1], asked[2]]
    async with portal.begin() as db:
        assert [one.id for one in await list_questions(db, olga, "mine", after=None, limit=9)] == expected
        paged: list[UUID] = []
        while found := await list_questions(db, olga, "mine", after=paged[-1] if paged else None, limit=1):
            paged += [one.id for one in found]
    assert paged == expected


async def test_a_question_is_its_askers_and_its_orders(portal: Portal) -> None:
    await portal.order(number="1001", email="ana@example.com")
    await portal.order(number="1002", email="eve@example.com")
    order, other = [row.id for row in await portal.rows("SELECT id FROM orders ORDER BY number")]
    question_id = await asks(portal, order_id=order)
    alone = await asks(portal)
    olga, dock = await hire(portal), await hire(portal, "dock@example.com", "warehouse")
    readers = [
        (Actor(kind="customer", order_id=order), question_id, True),
        (Actor(kind="customer", order_id=other), question_id, False),
        (Actor(kind="customer", question_id=alone), alone, True),
        (Actor(kind="customer", question_id=alone), question_id, False),
        (Actor(kind="customer", order_id=order), alone, False),
        (STRANGER, alone, False),
        (olga, alone, True),
    ]
    async with portal.begin() as db:
        for reader, which, sees in readers:
            if sees:
                assert (await question_for(db, reader, which)).id == which
            else:
                with pytest.raises(NotFoundError):
                    await question_for(db, reader, which)
        for refused in (
            answering.reply(db, dock, alone, "Hi", seen=1),
            answering.close(db, dock, alone),
            answering.note(db, dock, alone, "Hi"),
            answering.assign(db, dock, alone, None),
            answering.promise(db, dock, alone, clock.now() + timedelta(days=1), ""),
            list_questions(db, dock, "waiting", after=None, limit=1),
        ):
            with pytest.raises(ForbiddenError):
                await refused
        with pytest.raises(InvalidError):
            await answering.assign(db, olga, alone, UUID(dock.id))
        await answering.assign(db, olga, alone, UUID(olga.id))
        await answering.assign(db, olga, alone, UUID(olga.id))
    assert (await story(portal, alone)) == ["asked", "assigned"]


@pytest.mark.parametrize(
    ("field", "changes"),
    [("body", {"body": "  \n"}), ("body", {"body": "x" * (MAX_BODY + 1)}), ("email", {"email": "nobody"})],
)
async def test_what_says_nothing_is_no_question(portal: Portal, field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as refusal:
        await asks(portal, **changes)
    assert refusal.value.field == field
    assert await letters(portal) == []


async def test_the_database_itself_closes_nothing_unanswered(portal: Portal) -> None:
    question_id = await asks(portal)
    with pytest.raises(IntegrityError, match="answered_first"):
        await portal.rows(
            "UPDATE question SET state = 'closed', asked_at = NULL, due_at = NULL, closed_at = now() WHERE id = :id"
            " RETURNING id",
            id=question_id,
        )


async def test_its_times_are_those_of_the_day_it_was_asked(portal: Portal) -> None:
    await open_shop(portal)
    with clock.at(MONDAY):
        question_id = await asks(portal)
    await portal.rows("""UPDATE shop SET hours = '{}' RETURNING id""")
    found = await view(portal, question_id)
    assert found.schedule.business_seconds(MONDAY, MONDAY + timedelta(days=1)) == 9 * 3600
    assert found.goal_minutes == 240


@pytest.mark.parametrize(
    ("body", "subject"),
    [("Hi\n\nthere", "Hi there"), ("word " * 40, f"{'word ' * 14}word…"), ("x" * 200, f"{'x' * 79}…")],
)
def test_a_thread_is_called_how_its_question_begins(body: str, subject: str) -> None:
    assert subject_of(body) == subject

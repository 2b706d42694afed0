"""What those do who answer. Everything under the question's lock; nothing is closed that was not answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.service import letters
from returns_portal.service.asking import message
from returns_portal.service.models import Kind, QuestionMessage, State, Topic
from returns_portal.service.queries import UNSAID, Message, QuestionView, colleagues, messages_of, question_for
from returns_portal.service.rules import check_body, check_promise
from returns_portal.service.variables import refuse_gaps


async def _lock(db: AsyncConnection, actor: Actor, question_id: UUID) -> QuestionView:
    actor.require("support")
    return await question_for(db, actor, question_id, lock=True)


def _refuse_crossing(said: Sequence[Message], seen: int) -> None:
    """Refuse what was written without knowing all that was said; what is not said to the customer crosses nothing.

    They are counted: nothing that was said is ever taken away, and no two clocks have to agree on what came last.

    Raises:
        ConflictError: somebody wrote meanwhile (`crossed`).
    """
    if len(said) == seen:
        return
    if said[-1].kind is Kind.CUSTOMER:
        sentence = mark("The customer has written once more meanwhile. Nothing was sent; what you typed is below.")
        raise ConflictError(sentence, code="crossed")
    raise ConflictError(
        mark("{name} has written to the customer meanwhile. Nothing was sent; what you typed is below."),
        code="crossed",
        name=said[-1].author,
    )


def is_said(said: Sequence[Message], actor: Actor, text: str) -> bool:
    """Whether the actor said just this last: then it was sent by a first click, and the second one changes nothing."""
    return said[-1].kind is Kind.STAFF and (said[-1].staff_id, said[-1].body) == (UUID(actor.id), text)


_ANSWERED: Final = """
    UPDATE question SET state = 'answered', asked_at = NULL, due_at = NULL, promised_until = NULL,
        first_reply_at = coalesce(first_reply_at, :now), assigned_to = coalesce(assigned_to, :staff_id),
        closed_at = NULL, changed_at = :now, seen_at = coalesce(seen_at, :now)
    WHERE id = :id
"""


async def reply(db: AsyncConnection, actor: Actor, question_id: UUID, body: str, *, seen: int) -> None:
    """Answer, by e-mail and on the question's page. Sent twice by a double click, it goes once.

    Args:
        db: The request's transaction.
        actor: Who answers.
        question_id: What is answered.
        body: The answer.
        seen: How many messages they had before them, without notes.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        InvalidError: it says nothing, too much, or has a place that is not filled.
        ConflictError: somebody else, or the customer, wrote meanwhile (`crossed`); or who asked was forgotten
            (`forgotten`).
    """
    text = check_body(body)
    refuse_gaps(text, field="body")
    question = await _lock(db, actor, question_id)
    question.refuse_forgotten()
    said = [one for one in await messages_of(db, actor, question_id) if one.kind not in UNSAID]
    if is_said(said, actor, text):
        return
    _refuse_crossing(said, seen)
    row = message(question_id, Kind.STAFF, text, staff_id=UUID(actor.id))
    await insert_rows(db, (QuestionMessage, [row]))
    await run(db, _ANSWERED, id=question_id, now=clock.now(), staff_id=UUID(actor.id))
    await history.record(db, actor, ("question", question_id, "answered", {"message": str(row["id"])}))
    await letters.answered(db, question, row["id"], text)


_PROMISED: Final = """
    UPDATE question SET promised_until = :until, due_at = :until, changed_at = :now,
        assigned_to = coalesce(assigned_to, :staff_id)
    WHERE id = :id
"""


async def promise(db: AsyncConnection, actor: Actor, question_id: UUID, until: datetime, words: str) -> None:
    """Tell the customer that the answer takes longer, and until when; the question goes on waiting, until then.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        InvalidError: the moment is over, or too far; or the words are too long, or have a place that is not
            filled.
        ConflictError: nobody waits for an answer (`not_waiting`).
    """
    text = check_body(words, field="words") if words.strip() else ""
    refuse_gaps(text, field="words")
    check_promise(until, clock.now())
    question = await _lock(db, actor, question_id)
    if question.state is not State.WAITING:
        raise ConflictError(mark("Nobody waits for an answer here, so nothing was promised."), code="not_waiting")
    told = [one.body for one in await messages_of(db, actor, question_id) if one.kind is Kind.PROMISE]
    if question.promised_until == until and told[-1:] == [text]:
        return
    row = message(question_id, Kind.PROMISE, text, staff_id=UUID(actor.id))
    await insert_rows(db, (QuestionMessage, [row]))
    await run(db, _PROMISED, id=question_id, until=until, now=clock.now(), staff_id=UUID(actor.id))
    await history.record(db, actor, ("question", question_id, "promised", {"until": until.isoformat()}))
    await letters.delayed(db, question, row["id"], until, text)


async def note(db: AsyncConnection, actor: Actor, question_id: UUID, body: str) -> None:
    """Keep something that only the staff reads.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        InvalidError: it says nothing, or too much.
    """
    text = check_body(body, field="note")
    await _lock(db, actor, question_id)
    staff_id = UUID(actor.id)
    last = [one for one in await messages_of(db, actor, question_id) if one.kind is Kind.NOTE][-1:]
    if last and (last[0].staff_id, last[0].body) == (staff_id, text):
        return
    await insert_rows(db, (QuestionMessage, [message(question_id, Kind.NOTE, text, staff_id=staff_id)]))
    await history.record(db, actor, ("question", question_id, "noted", {}))


async def assign(db: AsyncConnection, actor: Actor, question_id: UUID, staff_id: UUID | None) -> None:
    """Let somebody look after a question, or nobody in particular.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        InvalidError: they answer no questions.
    """
    question = await _lock(db, actor, question_id)
    if staff_id is not None and staff_id not in dict(await colleagues(db)):
        raise InvalidError(mark("This person answers no questions."), field="staff")
    if staff_id == question.assigned_to:
        return
    await run(db, "UPDATE question SET assigned_to = :staff_id WHERE id = :id", id=question_id, staff_id=staff_id)
    told: dict[str, Any] = {"to": str(staff_id) if staff_id else None}
    await history.record(db, actor, ("question", question_id, "assigned", told))


async def say_topic(db: AsyncConnection, actor: Actor, question_id: UUID, topic: Topic | None) -> None:
    """Say what a question is about, or that nobody knows.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
    """
    question = await _lock(db, actor, question_id)
    if topic == question.topic:
        return
    await run(db, "UPDATE question SET topic = :topic WHERE id = :id", id=question_id, topic=topic)
    await history.record(db, actor, ("question", question_id, "topic", {"topic": topic}))


_CLOSED: Final = "UPDATE question SET state = 'closed', closed_at = :now, changed_at = :now WHERE id = :id"


async def close(db: AsyncConnection, actor: Actor, question_id: UUID) -> None:
    """Close a question that was answered; closed twice, it is closed all the same.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        ConflictError: somebody waits for an answer (`unanswered`).
    """
    question = await _lock(db, actor, question_id)
    if question.state is State.WAITING:
        raise ConflictError(
            mark("This is not answered yet, so it cannot be closed. Please answer first."), code="unanswered"
        )
    if question.state is State.CLOSED:
        return
    await run(db, _CLOSED, id=question_id, now=clock.now())
    await history.record(db, actor, ("question", question_id, "closed", {}))


async def see(db: AsyncConnection, actor: Actor, question: QuestionView) -> None:
    """Note that somebody read what came last."""
    if question.is_unread:
        await run(db, "UPDATE question SET seen_at = :now WHERE id = :id", id=question.id, now=clock.now())
        await history.record(db, actor, ("question", question.id, "read", {}))

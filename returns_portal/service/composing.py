"""Writing a letter in four steps: kept as a draft, looked at as it will be sent, and only then sent."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.service import answering
from returns_portal.service.models import Kind, Topic
from returns_portal.service.playbooks import MAX_STEP, STEPS, Letter, playbook_for
from returns_portal.service.queries import UNSAID, Message, messages_of, question_for
from returns_portal.service.variables import fill, refuse_gaps, values_of

KEPT: Final = timedelta(days=30)
"""How long a letter is kept that nobody sends."""


class Draft(msgspec.Struct, frozen=True):
    """A letter that somebody is writing."""

    letter: Letter
    looked_at: datetime | None


_DRAFT: Final = """
    SELECT letter, looked_at FROM question_draft WHERE question_id = :question_id AND staff_id = :staff_id
"""


async def draft_of(db: AsyncConnection, actor: Actor, question_id: UUID) -> Draft | None:
    """What the actor has written so far; None where they have not begun.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
    """
    actor.require("support")
    await question_for(db, actor, question_id)
    rows = await run(db, _DRAFT, question_id=question_id, staff_id=UUID(actor.id))
    return msgspec.convert(rows[0]._asdict(), Draft) if rows else None


async def begun(db: AsyncConnection, actor: Actor, question_id: UUID, shop: str) -> Letter:
    """How a letter begins: by the playbook of what the question is about, filled in by the question.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
    """
    question = await question_for(db, actor, question_id)
    playbook = await playbook_for(db, actor, question.topic or Topic.OTHER)
    letter, values = playbook.letter(question.locale), values_of(question, shop, actor.name)
    return Letter(*(fill(getattr(letter, step), values) for step in STEPS))


_KEEP: Final = """
    INSERT INTO question_draft (question_id, staff_id, letter, looked_at, changed_at)
    VALUES (:question_id, :staff_id, CAST(:letter AS jsonb), :looked_at, :now)
    ON CONFLICT (question_id, staff_id) DO UPDATE
    SET letter = excluded.letter, looked_at = excluded.looked_at, changed_at = excluded.changed_at
"""


async def keep_draft(db: AsyncConnection, actor: Actor, question_id: UUID, letter: Letter, *, looked: bool) -> None:
    """Keep what was written; `looked` says that its writer is shown it as it will be sent.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
    """
    actor.require("support")
    await question_for(db, actor, question_id)
    now = clock.now()
    written = msgspec.json.encode(letter).decode()
    values = {"letter": written, "looked_at": now if looked else None, "now": now}
    await run(db, _KEEP, question_id=question_id, staff_id=UUID(actor.id), **values)


def check(letter: Letter) -> None:
    """Refuse a letter that is not ready to be sent.

    Raises:
        InvalidError: a step says nothing, or too much, or has a place that is not filled.
    """
    for step in STEPS:
        text = getattr(letter, step)
        if not text:
            raise InvalidError(mark("Each of the four steps needs its words. Please write this one."), field=step)
        if len(text) > MAX_STEP:
            raise InvalidError(mark("This is longer than {limit} characters."), field=step, limit=MAX_STEP)
        refuse_gaps(text, field=step)


async def send(db: AsyncConnection, actor: Actor, question_id: UUID, letter: Letter, *, seen: int) -> None:
    """Send a letter that was looked at just as it is. Sent twice by a double click, it goes once.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
        InvalidError: it is not ready.
        ConflictError: it was not looked at as it stands (`not_looked`), or somebody wrote meanwhile (`crossed`).
    """
    check(letter)
    actor.require("support")
    await question_for(db, actor, question_id, lock=True)
    said = [one for one in await messages_of(db, actor, question_id) if one.kind not in UNSAID]
    if answering.is_said(said, actor, letter.text):
        return
    draft = await draft_of(db, actor, question_id)
    if draft is None or draft.looked_at is None or draft.letter != letter:
        raise ConflictError(
            mark("The letter was changed since you looked at it. Nothing was sent. This is how it stands now."),
            code="not_looked",
        )
    await answering.reply(db, actor, question_id, letter.text, seen=seen)
    await forget_draft(db, actor, question_id)


_FORGET: Final = "DELETE FROM question_draft WHERE question_id = :question_id AND staff_id = :staff_id"


async def forget_draft(db: AsyncConnection, actor: Actor, question_id: UUID) -> None:
    """Throw the actor's own draft away."""
    await run(db, _FORGET, question_id=question_id, staff_id=UUID(actor.id))


async def forget_drafts(db: AsyncConnection) -> None:
    """Throw away what nobody has touched for a month: it tells of a person, and was never sent."""
    await run(db, "DELETE FROM question_draft WHERE changed_at < :before", before=clock.now() - KEPT)


def last_of_customer(messages: list[Message]) -> Message | None:
    """What the customer wrote last, to be repeated; None where only machines or we wrote."""
    return next((one for one in reversed(messages) if one.kind is Kind.CUSTOMER), None)

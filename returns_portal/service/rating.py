"""One question to whoever asked us: were you helped? One answer for each thread, which they may change."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError
from returns_portal.i18n import mark
from returns_portal.service.queries import question_for

MAX_COMMENT: Final = 1000

_KEEP: Final = """
    INSERT INTO question_rating (question_id, helped, comment, rated_at) VALUES (:id, :helped, :comment, :now)
    ON CONFLICT (question_id) DO UPDATE
    SET helped = excluded.helped, comment = excluded.comment, rated_at = excluded.rated_at
"""


async def rate(db: AsyncConnection, actor: Actor, question_id: UUID, *, helped: bool, comment: str) -> None:
    """Keep what the customer says; said twice, it is said once.

    Raises:
        ForbiddenError: the actor is no customer: nobody says for them whether they were helped.
        NotFoundError: there is no such question, or it is not the actor's.
        InvalidError: the comment is too long.
        ConflictError: nobody has answered yet (`unanswered`).
    """
    if actor.kind != "customer":
        raise ForbiddenError(mark("Only the customer can say this."))
    said = comment.replace("\r\n", "\n").strip()
    if len(said) > MAX_COMMENT:
        raise InvalidError(mark("This is longer than {limit} characters."), field="comment", limit=MAX_COMMENT)
    question = await question_for(db, actor, question_id, lock=True)
    if question.first_reply_at is None:
        raise ConflictError(mark("We have not answered yet. Please tell us afterwards."), code="unanswered")
    if (question.helped, question.comment) == (helped, said):
        return
    await run(db, _KEEP, id=question_id, helped=helped, comment=said, now=clock.now())
    await history.record(db, actor, ("question", question_id, "rated", {"helped": helped}))

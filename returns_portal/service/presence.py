"""Who has a question open: told to colleagues, so that two do not write the same answer. It is never a lock."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run

SILENCE: Final = timedelta(minutes=1)
"""Without a word from their page for so long, somebody is gone."""


class Colleague(msgspec.Struct, frozen=True):
    """Somebody else who has it open."""

    name: str
    since: datetime


# Nobody's row but one's own is written here: two who come back at the same moment would wait for each other.
_HERE: Final = """
    WITH here AS (
        INSERT INTO question_presence AS p (question_id, staff_id, since, seen_at)
        VALUES (:question_id, :staff_id, :now, :now)
        ON CONFLICT (question_id, staff_id) DO UPDATE
        SET since = CASE WHEN p.seen_at <= :gone THEN excluded.since ELSE p.since END, seen_at = excluded.seen_at
    )
    SELECT split_part(s.name, ' ', 1) AS name, p.since FROM question_presence p JOIN staff s ON s.id = p.staff_id
    WHERE p.question_id = :question_id AND p.staff_id <> :staff_id AND p.seen_at > :gone ORDER BY p.since, s.id
"""


async def look_in(db: AsyncConnection, actor: Actor, question_id: UUID) -> list[Colleague]:
    """Say that the actor has a question open, and hear who else has; who was there first stands first.

    The caller has shown that there is such a question.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    now = clock.now()
    values = {"question_id": question_id, "staff_id": UUID(actor.id), "now": now, "gone": now - SILENCE}
    return [Colleague(row.name, row.since) for row in await run(db, _HERE, **values)]


async def forget_absent(db: AsyncConnection) -> None:
    """Forget who had what open yesterday: nobody is told of it any more."""
    await run(db, "DELETE FROM question_presence WHERE seen_at < :before", before=clock.now() - timedelta(days=1))

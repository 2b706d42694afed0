"""Who has a question open: told to colleagues, so that two do not write the same answer. It is never a lock."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.service.queries import question_for

SILENCE: Final = timedelta(minutes=1)
"""Without a word from their page for so long, somebody is gone."""


class Colleague(msgspec.Struct, frozen=True):
    """Somebody else who has it open."""

    name: str
    since: datetime


# What has expired goes with the next look at the question, so that the table holds no more than the last of each.
_GONE: Final = """
    DELETE FROM question_presence WHERE question_id = :question_id AND staff_id <> :staff_id AND seen_at <= :gone
"""
_HERE: Final = """
    INSERT INTO question_presence AS p (question_id, staff_id, since, seen_at)
    VALUES (:question_id, :staff_id, :now, :now)
    ON CONFLICT (question_id, staff_id) DO UPDATE
    SET since = CASE WHEN p.seen_at <= :gone THEN excluded.since ELSE p.since END, seen_at = excluded.seen_at
"""
_OTHERS: Final = """
    SELECT split_part(s.name, ' ', 1) AS name, p.since FROM question_presence p JOIN staff s ON s.id = p.staff_id
    WHERE p.question_id = :question_id AND p.staff_id <> :staff_id AND p.seen_at > :gone ORDER BY p.since, s.id
"""


async def look_in(db: AsyncConnection, actor: Actor, question_id: UUID) -> list[Colleague]:
    """Say that the actor has a question open, and hear who else has; who was there first stands first.

    Raises:
        ForbiddenError: the actor answers no questions.
        NotFoundError: there is no such question.
    """
    actor.require("support")
    await question_for(db, actor, question_id)
    now, staff_id = clock.now(), UUID(actor.id)
    gone = now - SILENCE
    await run(db, _GONE, question_id=question_id, staff_id=staff_id, gone=gone)
    await run(db, _HERE, question_id=question_id, staff_id=staff_id, now=now, gone=gone)
    found = await run(db, _OTHERS, question_id=question_id, staff_id=staff_id, gone=gone)
    return [Colleague(row.name, row.since) for row in found]

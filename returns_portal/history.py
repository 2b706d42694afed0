"""Who did what to which record, and when. Append-only: the database refuses to change or delete a row."""

from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import Field, SQLModel

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Rows, insert_rows
from returns_portal.ids import new_id


class History(SQLModel, table=True):
    """One thing that happened. `data` holds ids, numbers and words of ours, never names or addresses."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_subject", "subject_id", "at"),)

    id: UUID = Field(primary_key=True)
    subject: str
    subject_id: UUID
    action: str
    actor: str
    at: datetime
    data: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


Entry = tuple[str, UUID, str, dict[str, Any]]
"""Subject, its id, what happened, and what is told of it."""


def rows(actor: Actor, *entries: Entry) -> Rows:
    """The rows of these entries at the present moment, for an insertion together with what they tell of."""
    moment = clock.now()
    return History, [
        {
            "id": new_id(),
            "subject": subject,
            "subject_id": subject_id,
            "action": action,
            "actor": actor.label,
            "at": moment,
            "data": data,
        }
        for subject, subject_id, action, data in entries
    ]


INSERT: Final = (
    "INSERT INTO history (id, subject, subject_id, action, actor, at, data)"
    " VALUES (:history_id, :history_subject, :history_subject_id, :history_action, :history_actor, :history_at,"
    " CAST(:history_data AS jsonb))"
)
"""One entry as a part of the statement that makes the change, with the values of `values`."""


def values(actor: Actor, entry: Entry) -> dict[str, Any]:
    """The values that `INSERT` names."""
    subject, subject_id, action, data = entry
    return {
        "history_id": new_id(),
        "history_subject": subject,
        "history_subject_id": subject_id,
        "history_action": action,
        "history_actor": actor.label,
        "history_at": clock.now(),
        "history_data": msgspec.json.encode(data).decode(),
    }


@cache
def moving(table: str, columns: tuple[str, ...]) -> str:
    """The statement that sets the status and these columns of ours, and writes the history with the values of `values`.

    It names `id`, `status`, the statuses that lead there (`sources`) and `now`, and answers with the id where it moved.
    Where nothing is moved, the caller's error takes what was told with it.
    """
    others = "".join(f", {column} = :{column}" for column in columns)
    changed = (
        f"UPDATE {table} SET status = :status, changed_at = :now{others}"  # noqa: S608 - our own names
        " WHERE id = :id AND status = ANY(:sources) RETURNING id"
    )
    return f"WITH changed AS ({changed}), told AS ({INSERT}) SELECT id FROM changed"  # noqa: S608 - as above


async def record(db: AsyncConnection, actor: Actor, *entries: Entry) -> None:
    """Write entries in one statement, all at the present moment."""
    await insert_rows(db, rows(actor, *entries))

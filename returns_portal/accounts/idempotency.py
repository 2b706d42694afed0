"""Calls that may be repeated: the same key and body get the same answer, and what they do is done once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.models import IdempotencyKey
from returns_portal.accounts.rules import MAX_KEY
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark

Work = Callable[[], Awaitable[tuple[int, object]]]
"""Does what was asked, and returns the answer's status and body."""

_UNDER_WAY = 0


async def once(
    db: AsyncConnection, actor: Actor, key: str | None, fingerprint: bytes, work: Work
) -> tuple[int, object, bool]:
    """Do the work unless this actor had it done under this key; the answer, and whether it is a repeated one.

    The key is written first: a twin that arrives meanwhile waits at the unique index until this transaction ends,
    and then reads its answer. A failure takes the key with it, so that the call can be tried again.

    Args:
        db: The request's transaction.
        actor: Who calls; two callers' keys never meet.
        key: The Idempotency-Key header; without one the work is simply done.
        fingerprint: SHA-256 of method, path and body.
        work: What was asked for.

    Raises:
        ConflictError: the key was used for something else (`idempotency_mismatch`).
        InvalidError: the key is empty or too long.
    """
    if key is None:
        status, body = await work()
        return status, body, False
    if not 0 < len(key) <= MAX_KEY or not key.isprintable():
        raise InvalidError(
            mark("An Idempotency-Key has 1 to {count} printable characters."),
            field="Idempotency-Key",
            count=MAX_KEY,
        )
    if not await _claim(db, actor, key, fingerprint):
        return await _earlier(db, actor, key, fingerprint)
    status, body = await work()
    await db.execute(
        update(IdempotencyKey)
        .where(col(IdempotencyKey.caller) == actor.label, col(IdempotencyKey.key) == key)
        .values(status=status, body={"answer": msgspec.to_builtins(body)})
    )
    return status, body, False


async def _claim(db: AsyncConnection, actor: Actor, key: str, fingerprint: bytes) -> bool:
    statement = (
        insert(IdempotencyKey)
        .values(
            caller=actor.label,
            key=key,
            fingerprint=fingerprint,
            status=_UNDER_WAY,
            body={},
            created_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(col(IdempotencyKey.status))
    )
    return (await db.execute(statement)).first() is not None


async def _earlier(db: AsyncConnection, actor: Actor, key: str, fingerprint: bytes) -> tuple[int, object, bool]:
    query = select(col(IdempotencyKey.fingerprint), col(IdempotencyKey.status), col(IdempotencyKey.body)).where(
        col(IdempotencyKey.caller) == actor.label, col(IdempotencyKey.key) == key
    )
    row = (await db.execute(query)).one()
    if row.fingerprint != fingerprint:
        raise ConflictError(
            mark("This Idempotency-Key was used for another request. Nothing was changed; use a new key."),
            code="idempotency_mismatch",
            field="Idempotency-Key",
        )
    answer: Any = row.body["answer"]
    return row.status, answer, True


async def forget_before(db: AsyncConnection, age: timedelta) -> None:
    """Drop answers older than this."""
    await db.execute(delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < clock.now() - age))

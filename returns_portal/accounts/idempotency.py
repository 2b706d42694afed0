"""Calls that may be repeated: the same key and body get the same answer, and what they do is done once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.models import IdempotencyKey
from returns_portal.accounts.rules import MAX_KEY
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark

Work = Callable[[], Awaitable[tuple[int, object]]]
"""Does what was asked, and returns the answer's status and body."""


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
    answer = msgspec.json.encode({"answer": body}).decode()
    await run(db, _ANSWER, caller=actor.label, key=key, status=status, body=answer)
    return status, body, False


_CLAIM: Final = """
    INSERT INTO idempotency_key (caller, key, fingerprint, status, body, created_at)
    VALUES (:caller, :key, :fingerprint, 0, '{}', :now) ON CONFLICT DO NOTHING RETURNING status
"""
_ANSWER: Final = """
    UPDATE idempotency_key SET status = :status, body = CAST(:body AS jsonb) WHERE caller = :caller AND key = :key
"""
_EARLIER: Final = "SELECT fingerprint, status, body FROM idempotency_key WHERE caller = :caller AND key = :key"


async def _claim(db: AsyncConnection, actor: Actor, key: str, fingerprint: bytes) -> bool:
    values = {"caller": actor.label, "key": key, "fingerprint": fingerprint, "now": clock.now()}
    return bool(await run(db, _CLAIM, **values))


async def _earlier(db: AsyncConnection, actor: Actor, key: str, fingerprint: bytes) -> tuple[int, object, bool]:
    [row] = await run(db, _EARLIER, caller=actor.label, key=key)
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

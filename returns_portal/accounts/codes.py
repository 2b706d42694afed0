"""Codes of six digits that are e-mailed to whoever says that an address is theirs."""

import hmac
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.models import LoginCode
from returns_portal.accounts.rules import CODE_ATTEMPTS, CODE_LASTS, code_digest, digits, new_code
from returns_portal.ids import new_id
from returns_portal.notifications.actions import enqueue


async def write(db: AsyncConnection, secret: bytes, challenge: bytes, order_id: UUID | None) -> str:
    """Keep a new code for a challenge; where it names no order, one that opens nothing."""
    code, moment = new_code(), clock.now()
    await db.execute(
        insert(LoginCode).values(
            id=new_id(),
            challenge=challenge,
            order_id=order_id,
            digest=code_digest(secret, challenge, code),
            attempts=0,
            created_at=moment,
            expires_at=moment + CODE_LASTS,
        )
    )
    return code


async def send(db: AsyncConnection, recipient: str, locale: str, code: str, order_id: UUID) -> None:
    """E-mail a code."""
    await enqueue(
        db,
        template="access_code",
        recipient=recipient,
        locale=locale,
        subject_id=order_id,
        values={"code": code, "minutes": int(CODE_LASTS.total_seconds() // 60)},
    )


async def spend(db: AsyncConnection, secret: bytes, challenge: bytes, typed: str) -> UUID | None:
    """Use a code up; the order that it opens, or None for a wrong one.

    Only the newest code counts, once, until it expires, for at most five attempts. An attempt is counted by the
    same transaction, which therefore has to commit although it was in vain: hence None, not an error.
    """
    query = (
        select(
            col(LoginCode.id),
            col(LoginCode.order_id),
            col(LoginCode.digest),
            col(LoginCode.attempts),
            col(LoginCode.expires_at),
            col(LoginCode.used_at),
        )
        .where(col(LoginCode.challenge) == challenge)
        .order_by(col(LoginCode.id).desc())
        .limit(1)
        .with_for_update()
    )
    row = (await db.execute(query)).one_or_none()
    if row is None or row.used_at or row.attempts >= CODE_ATTEMPTS or row.expires_at <= clock.now():
        return None
    fits = hmac.compare_digest(row.digest, code_digest(secret, challenge, digits(typed)))
    good = fits and row.order_id is not None
    await db.execute(
        update(LoginCode)
        .where(col(LoginCode.id) == row.id)
        .values(attempts=row.attempts + 1, used_at=clock.now() if good else None)
    )
    return UUID(str(row.order_id)) if good else None

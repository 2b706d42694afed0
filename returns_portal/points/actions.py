"""The account of a customer, whose row is the lock on all of their points."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import email_key
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

_OPEN: Final = """
    INSERT INTO points_account (id, email_key, created_at) VALUES (:id, :key, :now) ON CONFLICT (email_key) DO NOTHING
"""
_LOCK: Final = "SELECT id FROM points_account WHERE email_key = :key FOR UPDATE"


async def lock_account(db: AsyncConnection, email: str) -> UUID:
    """The customer's points account, made when there is none, its row locked until the transaction ends."""
    key = email_key(email)
    rows = await run(db, _LOCK, key=key)
    if not rows:
        await run(db, _OPEN, id=new_id(), key=key, now=clock.now())
        rows = await run(db, _LOCK, key=key)
    found: UUID = rows[0].id
    return found


async def lock_account_by_id(db: AsyncConnection, account_id: UUID) -> None:
    """Lock the row of an account until the transaction ends.

    Raises:
        NotFoundError: there is no such account.
    """
    if not await run(db, "SELECT id FROM points_account WHERE id = :id FOR UPDATE", id=account_id):
        raise NotFoundError(mark("There is no such points account."))

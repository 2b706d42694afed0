"""Badges: a barcode and a PIN with which a member of staff takes a station over.

A badge works only at a station where somebody of staff has signed in before, and only for the work of the dock: the
session that it opens has none of its person's other roles.
"""

import asyncio
import secrets
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.actions import hashed, open_session, verified
from returns_portal.accounts.models import StaffBadge
from returns_portal.accounts.rules import STAFF_SESSION, digest, new_badge_token
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is taken for a digit."""
_SYMBOLS: Final = 16
_PIN_DIGITS: Final = 6


class Badge(msgspec.Struct, frozen=True):
    """A badge as it is shown, once: what its barcode holds, and the PIN that goes with it."""

    name: str
    code: str
    pin: str


class Bearer(msgspec.Struct, frozen=True):
    """A member of staff who can have a badge."""

    id: UUID
    name: str
    email: str
    roles: list[str]
    has_badge: bool


async def issue_badge(db: AsyncConnection, actor: Actor, staff_id: UUID) -> Badge:
    """Make a badge with a new PIN; the one that the person had before no longer works.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such member of staff who works at the dock.
    """
    actor.require("admin")
    bearer = next((each for each in await bearers(db, actor) if each.id == staff_id), None)
    if bearer is None:
        raise NotFoundError(mark("Nobody of this name works at the dock."))
    code = "RB-" + "".join(secrets.choice(ALPHABET) for _ in range(_SYMBOLS))
    pin = f"{secrets.randbelow(10**_PIN_DIGITS):0{_PIN_DIGITS}d}"
    values = {"digest": digest(code), "pin_hash": await asyncio.to_thread(hashed, pin), "created_at": clock.now()}
    statement = insert(StaffBadge).values(staff_id=staff_id, **values)
    await db.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=values))
    await history.record(db, actor, ("staff", staff_id, "badge_issued", {}))
    return Badge(bearer.name, code, pin)


async def withdraw_badge(db: AsyncConnection, actor: Actor, staff_id: UUID) -> None:
    """Let a badge open nothing any more.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: the person has none.
    """
    actor.require("admin")
    if not await run(db, "DELETE FROM staff_badge WHERE staff_id = :id RETURNING staff_id", id=staff_id):
        raise NotFoundError(mark("This person has no badge."))
    await history.record(db, actor, ("staff", staff_id, "badge_withdrawn", {}))


_BEARERS: Final = """
    SELECT s.id, s.name, s.email, s.roles, b.staff_id IS NOT NULL AS has_badge
    FROM staff s LEFT JOIN staff_badge b ON b.staff_id = s.id
    WHERE s.disabled_at IS NULL AND s.roles && ARRAY['warehouse', 'support', 'admin']::varchar[] ORDER BY s.name, s.id
"""


async def bearers(db: AsyncConnection, actor: Actor) -> list[Bearer]:
    """Who can have a badge: everybody who works at the dock.

    Raises:
        ForbiddenError: the actor is no admin.
    """
    actor.require("admin")
    return [Bearer(**row._asdict()) for row in await run(db, _BEARERS)]


_BEHIND: Final = """
    SELECT b.staff_id, b.pin_hash, s.roles FROM staff_badge b JOIN staff s ON s.id = b.staff_id
    WHERE b.digest = :digest AND s.disabled_at IS NULL
"""


async def take_over(db: AsyncConnection, actor: Actor, code: str, pin: str) -> str | None:
    """Open a session for the badge's person at a station where the actor is signed in; its token.

    None where badge and PIN do not fit. The caller has counted the attempt.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("warehouse", "support")
    rows = await run(db, _BEHIND, digest=digest(code))
    if not rows or not await asyncio.to_thread(verified, rows[0].pin_hash, pin):
        return None
    person = Actor(kind="staff", id=str(rows[0].staff_id), grants=frozenset(rows[0].roles))
    token = await open_session(db, lasting=STAFF_SESSION, staff_id=rows[0].staff_id, token=new_badge_token())
    await history.record(db, person, ("staff", rows[0].staff_id, "took_station", {"from": actor.label}))
    return token

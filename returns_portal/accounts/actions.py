"""Coming in and going out: staff by password, customers by an e-mailed code, programs by a key."""

import asyncio
from datetime import timedelta
from functools import cache
from typing import Final
from uuid import UUID

import argon2
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.accounts import codes, idempotency, limits, queries, spent
from returns_portal.accounts.models import ApiKey, LoginCode, Staff, WebSession
from returns_portal.accounts.rules import (
    CUSTOMER_SESSION,
    STAFF_SESSION,
    challenge_for,
    check_password,
    digest,
    email_key,
    is_email,
    known_roles,
    known_scopes,
    new_key,
    new_placed_token,
    new_token,
)
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

_KEEP_ANSWERS: Final = timedelta(days=7)
_KEEP_COUNTS: Final = timedelta(days=1)


@cache
def _hasher() -> argon2.PasswordHasher:
    """Argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).

    Strong enough with twelve characters and limited attempts, and light enough that strangers who try
    passwords do not take the machine from those who work.
    """
    return argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _nobodys_hash() -> str:
    """What is verified when there is no such person, so that the answer takes as long."""
    return _hasher().hash(new_token())


async def add_staff(db: AsyncConnection, actor: Actor, email: str, name: str, roles: list[str], password: str) -> UUID:
    """Take on a member of staff.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: the e-mail, the name, a role or the password is not possible.
        ConflictError: somebody has this e-mail already.
    """
    actor.require("admin")
    check_password(password)
    if not is_email(email):
        raise InvalidError(mark("This is not an e-mail address."), field="email")
    if not name.strip():
        raise InvalidError(mark("A name is needed."), field="name")
    identity = new_id()
    values = {
        "id": identity,
        "email": email_key(email),
        "name": name.strip(),
        "password_hash": await asyncio.to_thread(hashed, password),
        "roles": known_roles(roles),
        "created_at": clock.now(),
    }
    added = await db.execute(insert(Staff).values(values).on_conflict_do_nothing().returning(col(Staff.id)))
    if added.first() is None:
        raise ConflictError(mark("There is a member of staff with this e-mail already."), field="email")
    await history.record(db, actor, ("staff", identity, "added", {"roles": values["roles"]}))
    return identity


async def disable_staff(db: AsyncConnection, actor: Actor, email: str) -> None:
    """Let nobody sign in with this e-mail any more; what is open in browsers ends at once.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such member of staff.
        ConflictError: they cannot sign in as it is.
    """
    identity = await _staff(db, actor, email)
    changed = update(Staff).where(col(Staff.id) == identity, col(Staff.disabled_at).is_(None))
    if not (await db.execute(changed.values(disabled_at=clock.now()))).rowcount:
        raise ConflictError(mark("This member of staff is disabled already."), field="email")
    await _end_sessions(db, identity)
    await history.record(db, actor, ("staff", identity, "disabled", {}))


async def enable_staff(db: AsyncConnection, actor: Actor, email: str) -> None:
    """Let a member of staff who was disabled sign in again, with the password that they had.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such member of staff.
        ConflictError: they can sign in as it is.
    """
    identity = await _staff(db, actor, email)
    changed = update(Staff).where(col(Staff.id) == identity, col(Staff.disabled_at).is_not(None))
    if not (await db.execute(changed.values(disabled_at=None))).rowcount:
        raise ConflictError(mark("This member of staff is not disabled."), field="email")
    await history.record(db, actor, ("staff", identity, "enabled", {}))


async def change_password(db: AsyncConnection, actor: Actor, email: str, password: str) -> None:
    """Give a member of staff another password; whoever is signed in with the old one has to sign in again.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such member of staff.
        InvalidError: the password is not possible.
    """
    identity = await _staff(db, actor, email)
    check_password(password)
    hashed = await asyncio.to_thread(_hasher().hash, password)
    await db.execute(update(Staff).where(col(Staff.id) == identity).values(password_hash=hashed))
    await _end_sessions(db, identity)
    await history.record(db, actor, ("staff", identity, "password_changed", {}))


async def _staff(db: AsyncConnection, actor: Actor, email: str) -> UUID:
    """A member of staff whom the actor may change, locked: whoever signs in meanwhile waits, or was faster."""
    actor.require("admin")
    query = select(col(Staff.id)).where(col(Staff.email) == email_key(email)).with_for_update()
    identity = (await db.execute(query)).scalar_one_or_none()
    if identity is None:
        raise NotFoundError(mark("There is no member of staff with this e-mail."))
    return identity


async def _end_sessions(db: AsyncConnection, identity: UUID) -> None:
    await db.execute(delete(WebSession).where(col(WebSession.staff_id) == identity))


async def sign_in(db: AsyncConnection, email: str, password: str) -> tuple[str, Actor] | None:
    """Open a session for a member of staff; its token and who it is, or None when e-mail and password do not fit.

    Takes as long for an unknown e-mail as for a wrong password.
    """
    found = await queries.staff_by_email(db, email)
    kept = found[1] if found else _nobodys_hash()
    if not await asyncio.to_thread(verified, kept, password) or found is None:
        return None
    identity, _hashed, roles = found
    actor = Actor(kind="staff", id=str(identity), grants=roles)
    token = await open_session(db, lasting=STAFF_SESSION, staff_id=identity)
    await history.record(db, actor, ("staff", identity, "signed_in", {}))
    return token, actor


def hashed(secret: str) -> str:
    """A password or PIN as it is kept. It takes a while on purpose: call it in a thread."""
    return _hasher().hash(secret)


def verified(hashed: str, password: str) -> bool:
    """Whether a password or PIN is the one that was kept. It takes a while on purpose: call it in a thread."""
    try:
        return _hasher().verify(hashed, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


async def open_for_placed(db: AsyncConnection, order_id: UUID, *, knows_inbox: bool) -> str:
    """Open a session for the order that was just placed in this browser; its token.

    Only where the same browser had proven before that the order's e-mail address is its customer's is it more than
    a session for that one order: anybody can type an address at a checkout.
    """
    token = new_token() if knows_inbox else new_placed_token()
    return await open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id, token=token)


async def open_session(
    db: AsyncConnection,
    *,
    lasting: timedelta,
    staff_id: UUID | None = None,
    order_id: UUID | None = None,
    gift_id: UUID | None = None,
    token: str = "",
) -> str:
    """Open a session for a member of staff, an order's customer or a gift's receiver; its token."""
    token, moment = token or new_token(), clock.now()
    await db.execute(
        insert(WebSession).values(
            digest=digest(token),
            staff_id=staff_id,
            order_id=order_id,
            gift_id=gift_id,
            created_at=moment,
            expires_at=moment + lasting,
        )
    )
    return token


async def end_session(db: AsyncConnection, token: str) -> None:
    """End the session of this token, if there is one."""
    await db.execute(delete(WebSession).where(col(WebSession.digest) == digest(token)))


async def request_code(db: AsyncConnection, secret: bytes, number: str, email: str) -> bytes:
    """Send a code to the customer of an order, if number and e-mail name one; the challenge to answer.

    A code is written either way, so that nothing that follows depends on whether the order exists.
    """
    return await _send_code(db, secret, challenge_for(number, email), await queries.order_contact(db, number, email))


async def request_code_for(db: AsyncConnection, secret: bytes, order_id: UUID) -> bytes:
    """Send a code to the customer of an order that somebody sees by a link; the challenge to answer."""
    order = await queries.contact_of(db, order_id)
    challenge = challenge_for(order.number, order.email) if order else digest(new_token())
    return await _send_code(db, secret, challenge, order)


async def _send_code(db: AsyncConnection, secret: bytes, challenge: bytes, order: queries.OrderContact | None) -> bytes:
    code = await codes.write(db, secret, challenge, order.id if order else None)
    if order:
        await codes.send(db, order.email, order.locale, code, order.id)
    return challenge


async def redeem_code(db: AsyncConnection, secret: bytes, challenge: bytes, typed: str) -> tuple[str, str] | None:
    """Open a session for the order of a challenge; its token and the order's number, or None for a wrong code.

    The attempt is counted by the same transaction, which has to commit although it was in vain: see `codes.spend`.
    """
    order_id = await codes.spend(db, secret, challenge, typed)
    if order_id is None:
        return None
    token = await open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id)
    actor = Actor(kind="customer", id=str(order_id), order_id=order_id)
    await history.record(db, actor, ("order", order_id, "customer_came_in", {}))
    return token, await queries.order_number_of(db, order_id)


async def create_api_key(db: AsyncConnection, actor: Actor, name: str, scopes: list[str]) -> str:
    """Make a key for a program; the key itself, which is shown once and kept as its SHA-256.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: there is no name, or a scope is unknown.
    """
    actor.require("admin")
    if not name.strip():
        raise InvalidError(mark("A name is needed."), field="name")
    token, prefix = new_key()
    identity, allowed = new_id(), known_scopes(scopes)
    await db.execute(
        insert(ApiKey).values(
            id=identity,
            name=name.strip(),
            prefix=prefix,
            digest=digest(token),
            scopes=allowed,
            created_at=clock.now(),
        )
    )
    await history.record(db, actor, ("api_key", identity, "created", {"scopes": allowed}))
    return token


async def revoke_api_key(db: AsyncConnection, actor: Actor, identity: UUID) -> None:
    """Let a key open nothing any more, from the next request on.

    Raises:
        ForbiddenError: the actor is no admin.
        NotFoundError: there is no such key, or it was revoked before.
    """
    actor.require("admin")
    statement = (
        update(ApiKey)
        .where(col(ApiKey.id) == identity, col(ApiKey.revoked_at).is_(None))
        .values(revoked_at=clock.now())
    )
    if not (await db.execute(statement)).rowcount:
        raise NotFoundError(mark("There is no such API key in use."))
    await history.record(db, actor, ("api_key", identity, "revoked", {}))


async def sweep(db: AsyncConnection) -> None:
    """Drop what is over: sessions, codes, counts of limits, and answers kept for repetition."""
    moment = clock.now()
    await db.execute(delete(WebSession).where(col(WebSession.expires_at) < moment))
    await db.execute(delete(LoginCode).where(col(LoginCode.expires_at) < moment - _KEEP_COUNTS))
    await spent.forget(db)
    await limits.forget_before(db, _KEEP_COUNTS)
    await idempotency.forget_before(db, _KEEP_ANSWERS)

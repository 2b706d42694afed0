"""Who stands behind a cookie, a key, or an order number with an e-mail."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.models import ApiKey, Staff
from returns_portal.accounts.rules import (
    digest,
    email_key,
    grants_of,
    knows_inbox,
    looks_like_key,
    order_number,
    views_only,
)
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError, UnauthorizedError
from returns_portal.i18n import mark

# Orders lie above accounts: they are known here by their table's name, as they are to the foreign keys.
_orders = table("orders", *map(column, ("id", "number", "email", "email_key", "locale")))

# Every request asks one of these two.
_BY_KEY: Final = "SELECT id, scopes FROM api_key WHERE digest = :digest AND revoked_at IS NULL"
_BY_SESSION: Final = """
    SELECT w.staff_id, w.order_id, w.gift_id, s.name, s.roles, o.number FROM web_session w
    LEFT JOIN staff s ON s.id = w.staff_id LEFT JOIN orders o ON o.id = w.order_id
    WHERE w.digest = :digest AND w.expires_at > :now AND s.disabled_at IS NULL
"""


class OrderContact(msgspec.Struct, frozen=True):
    """Where the code for an order goes."""

    id: UUID
    number: str
    email: str
    locale: str


async def actor_for_key(db: AsyncConnection, token: str) -> Actor:
    """Who calls with this key, in one statement.

    Raises:
        UnauthorizedError: no such key, or it was revoked.
    """
    rows = await run(db, _BY_KEY, digest=digest(token)) if looks_like_key(token) else []
    if not rows:
        raise UnauthorizedError(mark("This API key is not known, or was revoked."))
    return Actor(kind="api", id=str(rows[0].id), grants=frozenset(rows[0].scopes))


async def actor_for_session(db: AsyncConnection, token: str) -> Actor | None:
    """Who the browser with this session's token is; None when it is unknown or over, or its person was disabled."""
    for row in await run(db, _BY_SESSION, digest=digest(token), now=clock.now()):
        return _as_actor(row, token)
    return None


def _as_actor(row: Any, token: str) -> Actor | None:  # noqa: ANN401 - a row
    if row.staff_id is not None:
        return Actor(kind="staff", id=str(row.staff_id), grants=grants_of(token, frozenset(row.roles)), name=row.name)
    if row.gift_id is not None:
        return Actor(
            kind="customer",
            id=str(row.gift_id),
            gift_id=row.gift_id,
            knows_inbox=knows_inbox(token),
            views_only=views_only(token),
        )
    if row.order_id is not None:
        # The name of a customer's actor is the number of the order that they came for.
        return Actor(
            kind="customer",
            id=str(row.order_id),
            order_id=row.order_id,
            name=row.number,
            knows_inbox=knows_inbox(token),
            views_only=views_only(token),
        )
    return None


async def staff_by_email(db: AsyncConnection, email: str) -> tuple[UUID, str, frozenset[str]] | None:
    """A member of staff who may sign in: id, password hash, roles; None when there is none of this address."""
    query = select(col(Staff.id), col(Staff.password_hash), col(Staff.roles)).where(
        col(Staff.email) == email_key(email),
        col(Staff.disabled_at).is_(None),
    )
    # Whoever is given another password meanwhile is waited for: no session is opened with the old one after that.
    query = query.with_for_update(read=True)
    row = (await db.execute(query)).one_or_none()
    return None if row is None else (row.id, row.password_hash, frozenset(row.roles))


async def order_contact(db: AsyncConnection, number: str, email: str) -> OrderContact | None:
    """The order of this number and this e-mail, both as typed; None unless both fit."""
    typed = order_number(number)
    query = select(_orders.c.id, _orders.c.number, _orders.c.email, _orders.c.locale).where(
        _orders.c.number.in_([typed, typed.upper()]), _orders.c.email_key == email_key(email)
    )
    row = (await db.execute(query)).first()
    return None if row is None else OrderContact(row.id, row.number, row.email, row.locale)


async def order_numbered(db: AsyncConnection, actor: Actor, number: str) -> OrderContact:
    """An order by its number, as people write it.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
    """
    typed = order_number(number)
    query = select(_orders.c.id, _orders.c.number, _orders.c.email, _orders.c.locale).where(
        _orders.c.number.in_([typed, typed.upper()])
    )
    row = (await db.execute(query)).first()
    if row is None or not actor.sees_order(row.id):
        raise NotFoundError(mark("There is no such order."), code="order_not_found")
    return OrderContact(row.id, row.number, row.email, row.locale)


async def contact_of(db: AsyncConnection, order_id: UUID) -> OrderContact | None:
    """Where the code for an order goes; None where there is no such order."""
    query = select(_orders.c.id, _orders.c.number, _orders.c.email, _orders.c.locale).where(_orders.c.id == order_id)
    row = (await db.execute(query)).first()
    return None if row is None else OrderContact(row.id, row.number, row.email, row.locale)


async def api_keys(db: AsyncConnection, actor: Actor) -> list[dict[str, object]]:
    """All keys, the newest first, without anything that would let one be used.

    Raises:
        ForbiddenError: the actor is no admin.
    """
    actor.require("admin")
    query = select(
        col(ApiKey.id),
        col(ApiKey.name),
        col(ApiKey.prefix),
        col(ApiKey.scopes),
        col(ApiKey.created_at),
        col(ApiKey.revoked_at),
    ).order_by(col(ApiKey.id).desc())
    return [dict(row) for row in (await db.execute(query)).mappings()]


async def api_key_id(db: AsyncConnection, prefix: str) -> UUID:
    """The id of the key with this prefix.

    Raises:
        NotFoundError: there is none.
    """
    found = (await db.execute(select(col(ApiKey.id)).where(col(ApiKey.prefix) == prefix))).scalar_one_or_none()
    if found is None:
        raise NotFoundError(mark("There is no API key with this prefix."))
    return found


async def order_number_of(db: AsyncConnection, order_id: UUID) -> str:
    """The number of an order, as people say it."""
    number: str = (await db.execute(select(_orders.c.number).where(_orders.c.id == order_id))).scalar_one()
    return number

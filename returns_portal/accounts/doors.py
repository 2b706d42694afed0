"""Links that let a customer in without a code: they are sent to the order's own e-mail address, and do not last."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.accounts.actions import open_session
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.notifications.actions import enqueue
from returns_portal.settings import Settings
from returns_portal.web.signing import derive, seal, unseal

DOOR_LASTS: Final = timedelta(hours=2)
MOST: Final = 20
"""Orders that one e-mail lists."""


def door(secret: bytes, order_id: UUID) -> str:
    """The path of a page that lets its reader in to an order."""
    return "/in/" + seal(derive(secret, "door"), str(order_id), lasting=DOOR_LASTS)


def behind(secret: bytes, token: str) -> UUID | None:
    """The order that a door leads to; None where it was not made here, or is too old."""
    found = unseal(derive(secret, "door"), token)
    return UUID(found) if isinstance(found, str) else None


_ORDERS: Final = """
    SELECT id, number, email, locale, placed_at FROM orders WHERE email_key = :key
    ORDER BY placed_at DESC, id DESC LIMIT :most
"""


async def send_orders(db: AsyncConnection, settings: Settings, secret: bytes, email: str) -> None:
    """Send the newest orders of an address to it, each with a door; nothing where there are none."""
    rows = await run(db, _ORDERS, key=email_key(email), most=MOST)
    if not rows:
        return
    newest = rows[0]
    orders = [
        {
            "number": row.number,
            "placed_at": row.placed_at.isoformat(),
            "link": settings.public_url + door(secret, row.id),
        }
        for row in rows
    ]
    await enqueue(
        db,
        template="your_orders",
        recipient=newest.email,
        locale=newest.locale,
        subject_id=newest.id,
        values={"orders": orders, "hours": int(DOOR_LASTS.total_seconds() // 3600)},
    )


async def come_in(db: AsyncConnection, order_id: UUID) -> str:
    """Let in who stands before a door to an order that there is; the session's token."""
    token = await open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id)
    actor = Actor(kind="customer", id=str(order_id), order_id=order_id)
    await history.record(db, actor, ("order", order_id, "customer_came_in", {"by": "link"}))
    return token


async def number_behind(db: AsyncConnection, secret: bytes, token: str) -> tuple[UUID, str] | None:
    """The order that a door leads to, with its number; None where it leads nowhere (any more)."""
    order_id = behind(secret, token)
    rows = await run(db, "SELECT number FROM orders WHERE id = :id", id=order_id) if order_id else []
    return (order_id, rows[0].number) if order_id and rows else None

"""Links that let a customer in without a code: they are sent to the order's own address, do not last, open once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.actions import open_session
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key, new_token
from returns_portal.accounts.spent import spend
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.notifications.actions import enqueue
from returns_portal.settings import Settings
from returns_portal.web.signing import derive, seal, unseal

DOOR_LASTS: Final = timedelta(minutes=10)
"""An e-mail may be forwarded, or lie open: what lets somebody in is good for as long as a code, and asked for anew."""
MOST: Final = 20
"""Orders that one e-mail lists, and one page."""


def door(secret: bytes, order_id: UUID) -> str:
    """The path of a page that lets its reader in to an order."""
    # The random part tells two links apart that were made in the same second: each opens once.
    return "/in/" + seal(derive(secret, "door"), [str(order_id), new_token()[:12]], lasting=DOOR_LASTS)


def behind(secret: bytes, token: str) -> UUID | None:
    """The order that a door leads to; None where it was not made here, or is too old."""
    match unseal(derive(secret, "door"), token):
        case [str(order_id), str(_)]:
            return UUID(order_id)
    return None


class OwnOrder(msgspec.Struct, frozen=True):
    """An order of somebody's address."""

    id: UUID
    number: str
    email: str
    locale: str
    placed_at: datetime


_ORDERS: Final = """
    SELECT id, number, email, locale, placed_at FROM orders WHERE email_key = :key
    ORDER BY placed_at DESC, id DESC LIMIT :most
"""


async def orders_of(db: AsyncConnection, email: str) -> list[OwnOrder]:
    """The newest orders of an address, which the caller has shown to be the reader's."""
    return [OwnOrder(*row) for row in await run(db, _ORDERS, key=email_key(email), most=MOST)]


_SIBLINGS: Final = """
    SELECT o.id, o.number, o.email, o.locale, o.placed_at FROM orders o
    JOIN orders mine ON mine.id = :id AND mine.email_key = o.email_key
    WHERE o.email_key <> '' ORDER BY o.placed_at DESC, o.id DESC LIMIT :most
"""


async def own_orders(db: AsyncConnection, actor: Actor) -> list[OwnOrder]:
    """The orders of a customer's address, the newest first; none for who has not proven that it is theirs."""
    if actor.kind != "customer" or actor.order_id is None or not actor.knows_inbox:
        return []
    return [OwnOrder(*row) for row in await run(db, _SIBLINGS, id=actor.order_id, most=MOST)]


async def send_orders(db: AsyncConnection, settings: Settings, secret: bytes, email: str) -> None:
    """Send the newest orders of an address to it, each with a door; nothing where there are none."""
    found = await orders_of(db, email)
    if not found:
        return
    newest = found[0]
    orders = [
        {
            "number": order.number,
            "placed_at": order.placed_at.isoformat(),
            "link": settings.public_url + door(secret, order.id),
        }
        for order in found
    ]
    await enqueue(
        db,
        template="your_orders",
        recipient=newest.email,
        locale=newest.locale,
        subject_id=newest.id,
        values={"orders": orders, "minutes": int(DOOR_LASTS.total_seconds() // 60)},
    )


async def go_through(db: AsyncConnection, token: str, order_id: UUID, *, browser: str) -> str | None:
    """Let in who stands before a door to an order that there is; the session's token, None where it was used before."""
    if not await spend(db, token, browser=browser, expires_at=clock.now() + DOOR_LASTS):
        return None
    return await come_in(db, order_id, by="link")


async def come_in(db: AsyncConnection, order_id: UUID, *, by: str) -> str:
    """Open an order for who has proven that its address is theirs, and note in which way; the session's token."""
    token = await open_session(db, lasting=CUSTOMER_SESSION, order_id=order_id)
    actor = Actor(kind="customer", id=str(order_id), order_id=order_id)
    await history.record(db, actor, ("order", order_id, "customer_came_in", {"by": by}))
    return token


async def number_behind(db: AsyncConnection, secret: bytes, token: str) -> tuple[UUID, str] | None:
    """The order that a door leads to, with its number; None where it leads nowhere (any more)."""
    order_id = behind(secret, token)
    rows = await run(db, "SELECT number FROM orders WHERE id = :id", id=order_id) if order_id else []
    return (order_id, rows[0].number) if order_id and rows else None

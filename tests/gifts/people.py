"""Who gives and who gets a gift in these tests, one verb a line."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from httpx import Response

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.gifts.actions import Sender, file_gift, make_code
from returns_portal.ids import new_id
from returns_portal.returns.actions import Filed, Wanted
from returns_portal.shop.queries import DEFAULT
from tests.claims.things import LINES
from tests.portal import API, Portal
from tests.returns.visits import post
from tests.webclient import Browser

GIVER, RECEIVER = "kunde@example.com", "oma@example.com"
SENDER = Sender("Oma Erna", "Hauptstraße 1", "Berlin", "10115", "DE")
PLACE = {"name": "Oma Erna", "line1": "Hauptstraße 1", "city": "Berlin", "postal_code": "10115", "country": "DE"}


async def given(portal: Portal, **changes: Any) -> tuple[UUID, UUID]:  # noqa: ANN401 - the fields of an order
    """An order of two pairs of shoes and socks that was given away."""
    fields = {"lines": LINES, "delivered_at": clock.now() - timedelta(days=3), **changes}
    _order, (shoes, socks) = await portal.order(**fields)
    await portal.work()
    return shoes, socks


async def receiver(portal: Portal, email: str = RECEIVER) -> Actor:
    """Somebody who has proven their address."""
    gift_id = new_id()
    async with portal.begin() as db:
        await run(
            db,
            "INSERT INTO gift SELECT :id, id, :email, :email, 'en', '', '{}', now() FROM orders WHERE number = '1001'",
            id=gift_id,
            email=email,
        )
    return Actor(kind="customer", id=str(gift_id), gift_id=gift_id)


async def filed(portal: Portal, actor: Actor, *wanted: tuple[UUID, int], swaps: dict[UUID, str] | None = None) -> Filed:
    async with portal.begin() as db:
        lines = [Wanted(line_id, quantity) for line_id, quantity in wanted]
        return await file_gift(db, actor, DEFAULT, lines, SENDER, consent=True, swaps=swaps)


async def giver(portal: Portal) -> Actor:
    [order] = await portal.rows("SELECT id FROM orders WHERE number = '1001'")
    return Actor(kind="customer", id=str(order.id), order_id=order.id, name="1001")


async def recipients(portal: Portal) -> set[str]:
    return {row.recipient.lower() for row in await portal.rows("SELECT recipient FROM email")}


async def coded(portal: Portal) -> str:
    """Let the giver make a gift code."""
    async with portal.begin() as db:
        return await make_code(db, API, "1001")


async def arrives(browser: Browser, portal: Portal, **clue: str) -> Response:
    """Come in as a receiver, with what they know."""
    await post(browser, "/gift", {"email": RECEIVER, **clue})
    rows = await portal.rows(
        "SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code' ORDER BY created_at DESC"
    )
    return await post(browser, "/gift/code", {"code": rows[0].code if rows else "000000"})

"""What tests of new orders begin with: a shop that has chosen what is done about them, and an order of just now."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.confirming.announcing import Wish, announce
from returns_portal.confirming.windows import Window
from returns_portal.settings import Settings
from returns_portal.shop import queries
from returns_portal.shop.actions import update_shop
from returns_portal.shop.confirming import Confirming
from tests.portal import Portal

JUST_NOW: Final = clock.now() - timedelta(hours=1)
"""One moment of the whole run, so that an order which is put again is the same."""


async def choose(portal: Portal, **choices: Any) -> None:  # noqa: ANN401 - the fields of the shop's choices
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, confirming=Confirming(**choices))
    queries.forget()


async def new_order(portal: Portal, number: str = "1042", **changes: Any) -> UUID:  # noqa: ANN401 - the fields of an order
    """An order that was placed an hour ago and waits to be sent, looked at."""
    fresh: dict[str, Any] = {"placed_at": JUST_NOW, "delivered_at": None}
    await portal.order(number=number, **(fresh | changes))
    await portal.work()
    [row] = await portal.rows("SELECT id FROM orders WHERE number = :n", n=number)
    found: UUID = row.id
    return found


async def letters(portal: Portal, template: str) -> list[Any]:
    query = "SELECT id, recipient, locale, values FROM email WHERE template = :t ORDER BY created_at, id"
    return list(await portal.rows(query, t=template))


MONDAY = datetime(2026, 11, 23, 10, 2, tzinfo=UTC)
"""Two past twelve in Sofia."""
SUPPORT = Actor(kind="staff", id=str(UUID(int=7)), grants=frozenset({"support"}))


def between(begins: int, ends: int) -> Window:
    """Of that Monday, in hours of Sofia."""
    return Window(MONDAY.replace(hour=begins - 2, minute=0), MONDAY.replace(hour=ends - 2, minute=0))


async def tell(portal: Portal, order_id: UUID, window: Window, **more: Any) -> bool:  # noqa: ANN401 - fields
    wish = Wish(order_id=order_id, window=window, **({"courier": "Oleksandr"} | more))
    async with portal.begin() as db:
        return not (await announce(db, SUPPORT, portal.context.service(Settings), wish)).repeated


async def said(portal: Portal) -> list[Any]:
    return [letter.values["says"] for letter in await letters(portal, "courier_announced")]

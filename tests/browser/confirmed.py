"""New orders at every place where somebody waits or looks: to be called, called in vain, and called."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.confirming import calling
from returns_portal.confirming.announcing import Wish, announce
from returns_portal.confirming.models import Outcome
from returns_portal.confirming.windows import in_hours
from returns_portal.shop import queries
from returns_portal.shop.actions import update_shop
from returns_portal.shop.confirming import Confirming
from tests.orders.samples import ADDRESS
from tests.portal import Portal
from tests.webclient import add_staff

CHOICES = Confirming(
    order_received_mail=True, call_new_customers=True, call_unclear_addresses=True, call_from={"EUR": 30_000}
)
CALLS = ("call waiting", "call taken", "call later", "call over")


async def confirmed(portal: Portal, enter: Callable[[str, str], Awaitable[Any]]) -> list[tuple[str, UUID, str]]:
    """The name of each case, its call, and the session of its customer."""
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, confirming=CHOICES)
        staff_id = await add_staff(db, "daria@shop.example", "support")
    queries.forget()
    daria = Actor(kind="staff", id=str(staff_id), grants=frozenset({"support"}), name="Daria")
    cases = []
    for place, name in enumerate(CALLS):
        number = str(3941 + place)
        unclear = {"line1": "Donaudampfschifffahrtsgesellschaftsstraße", "postal_code": "12"}
        await portal.order(
            number=number,
            email=f"{number}@example.com",
            phone="+359 88 123 4567" if place else "",
            placed_at=clock.now() - timedelta(hours=4 - place),
            delivered_at=None,
            shipping_address=ADDRESS if place else replace(ADDRESS, **unclear),
        )
        await portal.work()
        [call] = await portal.rows(
            "SELECT c.id FROM order_call c JOIN orders o ON o.id = c.order_id WHERE o.number = :n", n=number
        )
        await _bring(portal, daria, call.id, name)
        cases.append((name, call.id, (await enter(f"order, {name}", number)).token))
    [order] = await portal.rows("SELECT id FROM orders WHERE number = '3942'")
    async with portal.begin() as db:
        wish = Wish(order_id=order.id, window=in_hours(2, clock.now()), courier="Oleksandr")
        await announce(db, daria, portal.settings, wish)
    return cases


async def _bring(portal: Portal, daria: Actor, call_id: UUID, name: str) -> None:
    """Bring a call to where it is to be seen."""
    async with portal.begin() as db:
        if name == "call taken":
            await calling.take(db, daria, call_id)
        if name in {"call later", "call over"}:
            note = "Nur die Mailbox, eine Frau mit freundlicher Stimme bittet um einen Rückruf am Nachmittag."
            await calling.record(db, daria, call_id, Outcome.NOT_REACHED, note=note, seen=0)
        if name == "call over":
            await calling.record(db, daria, call_id, Outcome.CHANGED, note="Größe 43 statt 42", seen=1)

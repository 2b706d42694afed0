"""Receivers of gifts, at every place where one of them stops and looks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.gifts import actions, arriving
from returns_portal.gifts.actions import Sender
from returns_portal.returns.actions import Wanted
from returns_portal.shop.queries import current
from returns_portal.warehouse.models import Condition
from returns_portal.web.signing import derive
from tests.exchanges.samples import a_boot
from tests.orders.samples import PLACED
from tests.portal import API, Portal

_SENDER: Final = Sender("Oma Erna", "Hauptstraße 1", "Berlin", "10115", "DE")
Keep = Callable[[str, str, str, str], None]
"""Takes what a case is called, its order's number, its return's or exchange's, and the session's token."""


async def gifts(portal: Portal, keep: Keep) -> None:
    """Who has sent nothing back, who has, who exchanges, and who got points for it."""
    for place, name in enumerate(("gift", "gift filed", "gift to exchange", "gift exchanged", "gift paid")):
        number, boots = str(3701 + place), "exchange" in name
        lines = {"lines": [a_boot(unit_price=18_900)]} if boots else {}
        delivered = clock.now() - timedelta(days=9)
        _order, ids = await portal.order(number=number, shipped_at=PLACED, delivered_at=delivered, **lines)
        await portal.work()
        actor, token = await _receiver(portal, number, f"oma{place}@example.com")
        if name in {"gift", "gift to exchange"}:
            keep(name, number, "", token)
            continue
        rows = await portal.rows("SELECT id, quantity FROM order_line WHERE id = ANY(:ids)", ids=ids)
        wanted = [Wanted(row.id, row.quantity) for row in rows]
        async with portal.begin() as db:
            swaps = {ids[0]: "boot-43"} if boots else {}
            filed = await actions.file_gift(db, actor, await current(db), wanted, _SENDER, consent=True, swaps=swaps)
        keep(name, number, filed.rma, token)
        if boots:
            [row] = await portal.rows("SELECT number FROM exchange WHERE return_id = :id", id=filed.id)
            keep("gift exchange", number, row.number, token)
        if name == "gift paid":
            await portal.receive(filed.rma, (ids[0], 1, Condition.RESELLABLE))
            await portal.work()


async def _receiver(portal: Portal, number: str, email: str) -> tuple[Actor, str]:
    """Let the giver make a code, and somebody come in with it."""
    secret = derive(b"stage", "gift")
    async with portal.begin() as db:
        clue = arriving.Clue(code=await actions.make_code(db, API, number))
        asked = await arriving.request_code(db, secret, clue, email, "en")
        [mail] = await run(db, "SELECT values ->> 'code' AS code FROM email ORDER BY id DESC LIMIT 1")
        token = await arriving.come_in(db, secret, asked, mail.code, email=email, locale="en") or ""
        [row] = await run(db, "SELECT id FROM gift WHERE email = :email", email=email)
    return Actor(kind="customer", id=str(row.id), gift_id=row.id), token

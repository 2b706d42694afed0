"""What is sent anew on the stage: set aside, sent, and missing. Its cases go by its own number."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from returns_portal import clock
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import Verdict, decide
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.replacements import life
from returns_portal.claims.rules import ClaimWish
from returns_portal.shop.queries import current
from tests.orders.samples import a_line
from tests.portal import API, Portal

_CASES = {"anew to send": "3721", "anew sent": "3722", "anew missing": "3723"}


async def replacements(portal: Portal, enter: Callable[[str, str, str], Awaitable[Any]]) -> None:
    """Shoes and socks that came damaged, and what became of the new ones."""
    goods = [a_line(quantity=2, tax=0), a_line(sku="SO-39", title="Wool Socks", size="39–42", quantity=1, tax=0)]
    for name, number in _CASES.items():
        _order, (shoes, socks) = await portal.order(
            number=number, lines=goods, delivered_at=clock.now() - timedelta(days=9)
        )
        await portal.work()
        async with portal.begin() as db:
            shop = await current(db)
            wish = ClaimWish(units={shoes: 2, socks: 1}, kind=Kind.DAMAGED, remedy=Remedy.REPLACEMENT, said="All wet.")
            claim_id = await file_claim(db, API, shop, number, wish)
            verdict = Verdict(decision="replacement", answer="We are sorry for the trouble.")
            await decide(db, API, portal.settings, shop, claim_id, verdict)
        [made] = await portal.rows("SELECT number FROM replacement WHERE claim_id = :id", id=claim_id)
        async with portal.begin() as db:
            if name == "anew sent":
                await life.send(db, API, made.number, carrier="Econt", tracking="1051602736")
            elif name == "anew missing":
                await life.call_off(db, API, made.number, missing=socks)
        await enter(name, number, made.number)

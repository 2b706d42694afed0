"""What the tests of claims share: an order of shoes and socks, and claims about them, one verb a line."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import Verdict, decide
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.queries import ClaimView, claim_for
from returns_portal.claims.rules import ClaimWish
from returns_portal.photos import Photo
from returns_portal.shop.queries import DEFAULT
from tests.orders.samples import a_line
from tests.portal import Portal

SUPPORT = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
GENEROUS = msgspec.structs.replace(DEFAULT, goodwill_limit=10**9)
"""A shop in which one person may give whatever is left."""
CAREFUL = msgspec.structs.replace(DEFAULT, goodwill_limit=0, second_person=True)
SHOE, SOCKS = 12_990, 1_799
LINES = [
    a_line(quantity=2, unit_price=SHOE, tax=0),
    a_line(sku="SO-39", title="Wool Socks", size="39–42", color="Ecru", quantity=1, unit_price=SOCKS, tax=0),
]


async def delivered(portal: Portal, days: int = 3, **changes: Any) -> tuple[UUID, UUID]:  # noqa: ANN401 - an order's fields
    """An order of two pairs of shoes and socks that came so many days ago."""
    _order, (shoes, socks) = await portal.order(lines=LINES, delivered_at=clock.now() - timedelta(days=days), **changes)
    await portal.work()
    return shoes, socks


async def claim(portal: Portal, units: dict[UUID, int], kind: Kind = Kind.FAULTY, *photos: Photo) -> UUID:
    wish = ClaimWish(units=units, kind=kind, remedy=Remedy.REFUND, said="The sole is off")
    async with portal.begin() as db:
        return await file_claim(db, SUPPORT, DEFAULT, "1001", wish, photos)


async def decided(portal: Portal, claim_id: UUID, decision: Any, *, shop: Any = GENEROUS, **more: Any) -> ClaimView:  # noqa: ANN401 - a verdict's fields
    async with portal.begin() as db:
        verdict = Verdict(decision=decision, **more)
        return await decide(db, SUPPORT, portal.settings, shop, claim_id, verdict)


async def standing(portal: Portal, claim_id: UUID) -> str:
    async with portal.begin() as db:
        return (await claim_for(db, SUPPORT, claim_id)).standing

"""The dock's people and words, for its tests."""

from typing import Any
from uuid import UUID

from returns_portal.actor import Actor
from returns_portal.refunds import actions
from returns_portal.refunds.filing import FiledReturn
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.orders.samples import a_line
from tests.portal import Portal

MIRA = Actor(kind="staff", id="mira", grants=frozenset({"warehouse"}))
IVO = Actor(kind="staff", id="ivo", grants=frozenset({"warehouse"}))
BOSS = Actor(kind="staff", id="boss", grants=frozenset({"admin"}))

LIKE_NEW, WORN, DAMAGED, WRONG = Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM

LINES = [
    a_line(quantity=3, tax=0),
    a_line(sku="SO-39", title="Wool Socks", size="39–42", color="Ecru", quantity=1, unit_price=1799, tax=0),
]


async def two_shoes(portal: Portal) -> tuple[FiledReturn, UUID, UUID]:
    """A return of two of three pairs of shoes; the socks stay. With the ids of the lines."""
    _order, (shoes, socks) = await portal.order(lines=LINES)
    return await portal.file("1001", (shoes, 2)), shoes, socks


async def count(
    portal: Portal,
    rma: str,
    *counts: Counted,
    number: int = 1,
    delay: int = 0,
    **around: Any,  # noqa: ANN401 - as the struct
) -> actions.Released:
    """Check a parcel in as Mira."""
    settings = portal.settings.model_copy(update={"refund_delay": delay})
    async with portal.begin() as db:
        return await actions.receive(db, MIRA, settings, rma, counts, number=number, around=Circumstances(**around))


async def stock(portal: Portal) -> dict[str, int]:
    """What the shop system was told, by SKU."""
    rows = await portal.rows("SELECT sku, sum(quantity) AS units FROM restock_event GROUP BY sku")
    return {row.sku: int(row.units) for row in rows}


async def found(portal: Portal) -> list[tuple[str, int]]:
    """What was not as announced, by kind."""
    rows = await portal.rows("SELECT kind, quantity FROM parcel_finding ORDER BY id")
    return [(row.kind, row.quantity) for row in rows]

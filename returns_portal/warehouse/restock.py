"""What the shop system is told of stock: units that may be sold again, and those that no longer may.

Each change is a row of its own, written with what causes it, and stays until the shop system says that it has it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.ids import new_id
from returns_portal.warehouse.models import RestockEvent
from returns_portal.warehouse.rules import stocked

READERS: Final = ("restock:read", "warehouse", "support", "finance")


def restocked(rows: Sequence[Mapping[str, Any]], skus: Mapping[UUID, str]) -> list[dict[str, Any]]:
    """The events of what was counted and goes back to the shelf at once."""
    return [
        _event(row["id"], row["order_line_id"], skus[row["order_line_id"]], row["quantity"], row["disposition"])
        for row in rows
        if row["order_line_id"] is not None and stocked(row["acceptance"], row["disposition"])
    ]


def event_row(item: Any, sku: str, quantity: int, disposition: str) -> dict[str, Any]:  # noqa: ANN401 - a row
    """The event of a change to an item's row; `quantity` is below zero where the units may no longer be sold."""
    return _event(item.id, item.order_line_id, sku, quantity, disposition)


def _event(item_id: UUID, line_id: UUID, sku: str, quantity: int, disposition: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "item_id": item_id,
        "order_line_id": line_id,
        "sku": sku,
        "quantity": quantity,
        "disposition": disposition,
        "at": clock.now(),
    }


_TOLD: Final = """
    SELECT e.item_id, e.order_line_id, e.sku, e.disposition, sum(e.quantity) AS units
    FROM parcel_item i JOIN restock_event e ON e.item_id = i.id WHERE i.parcel_id = :id
    GROUP BY 1, 2, 3, 4 HAVING sum(e.quantity) <> 0
"""


async def taken_back(db: AsyncConnection, parcel_id: UUID) -> None:
    """Tell the shop system that what a check-in gave it is not there after all."""
    told = await run(db, _TOLD, id=parcel_id)
    events = [_event(row.item_id, row.order_line_id, row.sku, -int(row.units), row.disposition) for row in told]
    await insert_rows(db, (RestockEvent, events))


class Restock(msgspec.Struct, frozen=True):
    """A change of what can be sold. `quantity` is in units, below zero where they may no longer be."""

    id: UUID
    sku: str
    ean: str
    title: str
    size: str
    color: str
    quantity: int
    disposition: str
    rma: str
    at: datetime
    taken_at: datetime | None


_EVENTS: Final = """
    SELECT e.id, e.sku, coalesce((SELECT v.ean FROM variant v WHERE v.sku = e.sku), '') AS ean, l.title, l.size,
           l.color, e.quantity, e.disposition, r.rma, e.at, e.taken_at
    FROM restock_event e JOIN order_line l ON l.id = e.order_line_id JOIN parcel_item i ON i.id = e.item_id
    JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
"""


async def open_events(db: AsyncConnection, actor: Actor, *, limit: int = 500) -> list[Restock]:
    """What the shop system has not confirmed yet, the oldest first.

    Raises:
        ForbiddenError: the actor may not see it.
    """
    actor.require(*READERS)
    rows = await run(db, f"{_EVENTS} WHERE e.taken_at IS NULL ORDER BY e.id LIMIT :limit", limit=limit)
    return [Restock(**row._asdict()) for row in rows]


async def events_between(db: AsyncConnection, actor: Actor, begins: datetime, ends: datetime) -> list[Restock]:
    """Every change from one moment to another, confirmed or not, the oldest first.

    Raises:
        ForbiddenError: the actor may not see it.
    """
    actor.require(*READERS)
    query = f"{_EVENTS} WHERE e.at >= :begins AND e.at < :ends ORDER BY e.id"
    return [Restock(**row._asdict()) for row in await run(db, query, begins=begins, ends=ends)]


_TAKE: Final = "UPDATE restock_event SET taken_at = :now WHERE id = ANY(:ids) AND taken_at IS NULL RETURNING id"


async def take(db: AsyncConnection, actor: Actor, ids: Sequence[UUID]) -> int:
    """Note that the shop system has these; how many it did not have before. Again, nothing changes.

    Raises:
        ForbiddenError: the actor may not say so.
    """
    actor.require("restock:write", "warehouse", "support")
    return len(await run(db, _TAKE, ids=list(ids), now=clock.now()))

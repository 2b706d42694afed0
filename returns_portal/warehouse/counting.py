"""Writing down what was counted in a parcel, and what that is held against."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.orders.models import TRIAL
from returns_portal.warehouse.inheriting import Part, parted, placed_in, placement, said_before
from returns_portal.warehouse.items import item_row
from returns_portal.warehouse.models import Acceptance, Condition, Parcel, ParcelFinding, ParcelItem, RestockEvent
from returns_portal.warehouse.restock import restocked
from returns_portal.warehouse.rules import Announced, Counted, Found, Item, Place, findings, recorded

MAX_NOTE = 1000


class Circumstances(msgspec.Struct, frozen=True):
    """What is known of a parcel besides its count."""

    note: str = ""
    more_to_come: bool = False
    """The customer sends more than one parcel, so that nothing counts as missing yet."""
    places: Mapping[UUID, str] = {}
    """Where the units of a line go, where somebody chose otherwise than the shop does. In a correction a line that is
    not named goes where it went, and one with an empty word where the shop sends it."""
    notes: Mapping[UUID, str] = {}
    """What was noted of the units of a line; in a correction, a line that is not named keeps its note."""
    draft: str = ""
    """The token under which photos were taken while it was counted."""
    box_id: UUID | None = None
    """A parcel that was checked in before and came in the same box."""
    found_id: UUID | None = None
    """The unidentified parcel that it was recognised in."""
    came_at: datetime | None = None
    """When it came, where a station could say so only later; None is now."""
    warehouse: str | None = None
    """In which of the shop's it is counted; its only one need not be said."""


ORDINARY = Circumstances()


class CheckedIn(msgspec.Struct, frozen=True):
    """What was recorded of a parcel."""

    parcel_id: UUID
    return_row: Any
    number: int
    items: list[Item]
    findings: list[Found] = []
    shares_box: bool = False


class DockLine(msgspec.Struct, frozen=True):
    """A line of the order, as the dock sees it."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    shipped: int
    counted: int
    arrived: int
    """Of `counted`, what came in a parcel: the rest had never left the shop."""
    announced: int
    before: int
    """How many of it came in this return's earlier parcels."""


class Dock(msgspec.Struct, frozen=True):
    """What a count is held against."""

    status: str
    """Of the return."""
    refund_to: str
    """Where its customer wants the money, as of now: it may have been changed while the lock was waited for."""
    bonus_percent: int
    """Of the items that it announces now, in the same way."""
    parcel_id: UUID | None
    """The parcel of this number, where it was counted before."""
    lines: list[DockLine]
    defaults: dict[str, str]
    two_people: dict[str, bool]
    only_warehouse: str | None
    """The shop's, where it has one."""


_DOCK = """
    SELECT (SELECT status FROM returns WHERE id = :return_id) AS status,
           (SELECT refund_to FROM returns WHERE id = :return_id) AS refund_to,
           (SELECT bonus_percent FROM returns WHERE id = :return_id) AS bonus_percent,
           (SELECT id FROM parcel WHERE return_id = :return_id AND number = :number AND undone_at IS NULL) AS parcel_id,
           (SELECT coalesce(json_agg(json_build_object('line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size,
                'color', l.color, 'quantity', l.quantity, 'shipped', l.shipped, 'counted', c.counted,
                'arrived', c.arrived, 'before', c.of_return,
                'announced', coalesce((SELECT a.quantity FROM return_line a
                    WHERE a.return_id = :return_id AND a.order_line_id = l.id), 0)
            ) ORDER BY l.position), '[]'::json) FROM order_line l CROSS JOIN LATERAL (
                SELECT coalesce(sum(i.quantity), 0) AS counted,
                       coalesce(sum(i.quantity) FILTER (WHERE i.condition <> 'not_shipped'), 0) AS arrived,
                       coalesce(sum(i.quantity) FILTER (WHERE p.return_id = :return_id), 0) AS of_return
                FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
                WHERE i.order_line_id = l.id AND p.undone_at IS NULL AND i.acceptance <> 'surplus') c
            WHERE l.order_id = :order_id) AS lines,
           (SELECT coalesce(json_object_agg(condition, disposition), '{}'::json) FROM condition_rule) AS defaults,
           (SELECT coalesce(json_object_agg(disposition, second_person), '{}'::json) FROM disposition_rule
            WHERE offered) AS two_people,
           (SELECT warehouses[1] FROM shop WHERE cardinality(warehouses) = 1) AS only_warehouse
"""


async def dock_for(db: AsyncConnection, row: Any, number: int) -> Dock:  # noqa: ANN401 - a row
    """What a count of a parcel of this return is held against; the caller holds the order's lock."""
    [state] = await run(db, _DOCK, return_id=row.id, order_id=row.order_id, number=number)
    return Dock(
        state.status,
        state.refund_to,
        state.bonus_percent,
        state.parcel_id,
        msgspec.convert(state.lines, list[DockLine]),
        state.defaults,
        state.two_people,
        state.only_warehouse,
    )


async def count_parcel(
    db: AsyncConnection,
    actor: Actor,
    row: Any,  # noqa: ANN401 - a row
    dock: Dock,
    counts: Sequence[Counted],
    number: int,
    around: Circumstances,
    corrects_id: UUID | None = None,
) -> CheckedIn:
    """Write a parcel with what was counted in it, under the order's lock."""
    room = {line.line_id: line.quantity - line.counted for line in dock.lines}
    items = recorded(_valid(counts, dock.lines), room, hold=row.settled_elsewhere)
    announced = {line.line_id: Announced(line.announced, line.before) for line in dock.lines if line.announced}
    # What a trial's return names is all that may come back, not what will.
    found = findings(items, announced, more_to_come=around.more_to_come or row.source == TRIAL)
    parcel_id = new_id()
    found_at = await _recognise(db, actor, around.found_id) if around.found_id else None
    parcel = _parcel_row(actor, parcel_id, row.id, number, around, corrects_id, found_at)
    parcel["warehouse"] = around.warehouse or dock.only_warehouse
    if around.box_id is not None:
        parcel["box_id"] = await _box_of(db, around.box_id)
    before = await placed_in(db, corrects_id) if corrects_id else []
    rows = _item_rows(actor, parcel_id, parted(items, before), dock, around)
    told = [_finding_row(parcel_id, one) for one in found]
    skus = {line.line_id: line.sku for line in dock.lines}
    await insert_rows(
        db, (Parcel, [parcel]), (ParcelItem, rows), (ParcelFinding, told), (RestockEvent, restocked(rows, skus))
    )
    if around.draft:
        await run(db, _KEEP_PHOTOS, parcel_id=parcel_id, draft=around.draft)
    await _had_left(db, dock.lines, items)
    row = row._replace(refund_to=dock.refund_to, bonus_percent=dock.bonus_percent)
    return CheckedIn(parcel_id, row, number, items, found, parcel["box_id"] is not None)


def _finding_row(parcel_id: UUID, found: Found) -> dict[str, Any]:
    return {
        "id": new_id(),
        "parcel_id": parcel_id,
        "kind": found.kind,
        "quantity": found.quantity,
        "order_line_id": found.line_id,
        "description": found.description[:200],
    }


_HAD_LEFT = "UPDATE order_line SET shipped = :shipped WHERE id = :id AND shipped < :shipped"


async def _had_left(db: AsyncConnection, lines: Sequence[DockLine], items: Sequence[Item]) -> None:
    """What arrives had left the shop, whether or not its system has said so yet."""
    for line in lines:
        came = line.arrived + sum(
            item.quantity
            for item in items
            if item.line_id == line.line_id
            and item.acceptance != Acceptance.SURPLUS
            and item.condition != Condition.NOT_SHIPPED
        )
        if came > line.shipped:
            await run(db, _HAD_LEFT, id=line.line_id, shipped=came)


_KEEP_PHOTOS = "UPDATE dock_photo SET parcel_id = :parcel_id, draft = '' WHERE draft = :draft"
_BOX = """
    UPDATE parcel SET box_id = coalesce(box_id, id) WHERE id = :id AND undone_at IS NULL RETURNING box_id
"""
_RECOGNISE = """
    UPDATE found_parcel SET matched_at = :now, matched_by = :by
    WHERE id = :id AND matched_at IS NULL AND closed_at IS NULL RETURNING found_at
"""


async def _box_of(db: AsyncConnection, parcel_id: UUID) -> UUID | None:
    """The box of a parcel that was checked in before; None where that was undone."""
    rows = await run(db, _BOX, id=parcel_id)
    return rows[0].box_id if rows else None


async def _recognise(db: AsyncConnection, actor: Actor, found_id: UUID) -> datetime:
    """Mark an unidentified parcel as recognised; when it came.

    Raises:
        ConflictError: it was recognised or given up before.
    """
    rows = await run(db, _RECOGNISE, id=found_id, now=clock.now(), by=actor.label)
    if not rows:
        raise ConflictError(
            mark("This parcel was recognised by somebody else meanwhile. Nothing was counted again."),
            code="found_already",
        )
    came_at: datetime = rows[0].found_at
    return came_at


def _valid(counts: Sequence[Counted], lines: Sequence[DockLine]) -> Sequence[Counted]:
    known = {line.line_id for line in lines}
    for index, count in enumerate(counts):
        if count.quantity < 0:
            raise InvalidError("A count cannot be negative.", code="bad_quantity", field=f"lines[{index}].quantity")
        if count.line_id is not None and count.line_id not in known:
            raise InvalidError(
                "This item is not part of the order.", code="unknown_line", field=f"lines[{index}].line_id"
            )
    return counts


def _parcel_row(
    actor: Actor,
    parcel_id: UUID,
    return_id: UUID,
    number: int,
    around: Circumstances,
    corrects_id: UUID | None,
    found_at: datetime | None,
) -> dict[str, Any]:
    now, came_at = clock.now(), found_at or around.came_at
    return {
        "id": parcel_id,
        "return_id": return_id,
        "number": number,
        "checked_in_at": came_at or now,
        "checked_in_by": actor.label,
        "note": around.note.strip()[:MAX_NOTE],
        "undone_by": "",
        "corrects_id": corrects_id,
        "box_id": None,
        "found_id": around.found_id,
        "counted_at": now if came_at else None,
        "corrected_at": now if corrects_id else None,
    }


def _item_rows(
    actor: Actor, parcel_id: UUID, parts: Sequence[Part], dock: Dock, around: Circumstances
) -> list[dict[str, Any]]:
    """The rows of what was counted, each with where it goes; units that go the same way stay together."""
    rows: dict[tuple[int, Place, str], dict[str, Any]] = {}
    for part in parts:
        line_id = part.item.line_id
        wanted = around.places.get(line_id) if line_id else None
        goes = placement(part, wanted, dock.defaults, dock.two_people)
        noted = part.like.note if part.like else ""
        note = around.notes.get(line_id, noted) if line_id else noted
        way = part.of, goes, note[:MAX_NOTE].strip()
        if way in rows:
            rows[way]["quantity"] += part.item.quantity
        else:
            rows[way] = item_row(actor, parcel_id, part.item, goes, way[2]) | said_before(part, goes)
    return list(rows.values())

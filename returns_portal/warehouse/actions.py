"""Checking parcels in. What a check-in is worth is decided by `refunds.actions`, which calls these."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.ids import new_id
from returns_portal.orders.models import TRIAL
from returns_portal.returns.actions import lock_return, move_back, move_to
from returns_portal.returns.models import ReturnStatus
from returns_portal.warehouse.models import ACCEPTANCE_TRANSITIONS, Acceptance, Parcel, ParcelItem
from returns_portal.warehouse.queries import parcel_for, parcels_of
from returns_portal.warehouse.rules import Counted, Item, recorded

MAX_NOTE = 1000


class CheckedIn(msgspec.Struct, frozen=True):
    """What was recorded of a parcel."""

    parcel_id: UUID
    return_row: Any
    number: int
    items: list[Item]


class DockLine(msgspec.Struct, frozen=True):
    """A line of the order, as the dock sees it."""

    line_id: UUID
    title: str
    size: str
    color: str
    quantity: int
    shipped: int
    counted: int
    arrived: int
    """Of `counted`, what came in a parcel: the rest had never left the shop."""


_DOCK = """
    SELECT (SELECT status FROM returns WHERE id = :return_id) AS status,
           (SELECT id FROM parcel WHERE return_id = :return_id AND number = :number AND undone_at IS NULL) AS parcel_id,
           (SELECT json_agg(json_build_object('line_id', l.id, 'title', l.title, 'size', l.size, 'color', l.color,
                'quantity', l.quantity, 'shipped', l.shipped, 'counted', c.counted, 'arrived', c.arrived
            ) ORDER BY l.position) FROM order_line l CROSS JOIN LATERAL (
                SELECT coalesce(sum(i.quantity), 0) AS counted,
                       coalesce(sum(i.quantity) FILTER (WHERE i.condition <> 'not_shipped'), 0) AS arrived
                FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
                WHERE i.order_line_id = l.id AND p.undone_at IS NULL AND i.acceptance <> 'surplus') AS c
            WHERE l.order_id = :order_id) AS lines
"""


async def check_in(
    db: AsyncConnection, actor: Actor, rma: str, counts: Sequence[Counted], *, number: int = 1, note: str = ""
) -> tuple[CheckedIn, list[DockLine]]:
    """Record what was found in a parcel of a return, once: a parcel that is closed stays as it was counted.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: `already_checked_in`, with what was counted then as its detail.
        InvalidError: a count is not of this order, or negative.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    row = await lock_return(db, actor, rma)
    [state] = await run(db, _DOCK, return_id=row.id, order_id=row.order_id, number=number)
    if state.parcel_id is not None:
        raise await _already(db, actor, row, number)
    lines = msgspec.convert(state.lines or [], list[DockLine])
    items = _recorded(row, counts, lines)
    parcel_id = await _insert(db, actor, row.id, number, note, items)
    if state.status != ReturnStatus.RECEIVED:
        await move_to(db, actor, row.id, ReturnStatus.RECEIVED, "checked_in", _told(parcel_id, number, items))
    else:
        await history.record(db, actor, ("return", row.id, "checked_in", _told(parcel_id, number, items)))
    return CheckedIn(parcel_id, row, number, items), lines


def _recorded(row: Any, counts: Sequence[Counted], lines: Sequence[DockLine]) -> list[Item]:  # noqa: ANN401 - a row
    """What is recorded of counts. Of a trial, whatever comes is not charged, and nothing is paid for it."""
    room = {line.line_id: line.quantity - line.counted for line in lines}
    sent = room if row.source == TRIAL else {line.line_id: line.shipped - line.arrived for line in lines}
    return recorded(_valid(counts, lines), room, sent, hold=row.settled_elsewhere)


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


def _told(parcel_id: UUID, number: int, items: Sequence[Item]) -> dict[str, Any]:
    """What the history keeps of a check-in."""
    return {
        "parcel": str(parcel_id),
        "number": number,
        "items": [
            {
                "line": str(item.line_id) if item.line_id else None,
                "quantity": item.quantity,
                "condition": item.condition.value,
                "acceptance": item.acceptance.value,
            }
            for item in items
        ],
    }


async def _already(db: AsyncConnection, actor: Actor, row: Any, number: int) -> ConflictError:  # noqa: ANN401 - a row
    parcels = await parcels_of(db, actor, row.id)
    return ConflictError(
        "This parcel was checked in already. Nothing was counted again.",
        code="already_checked_in",
        detail=next(parcel for parcel in parcels if parcel.number == number),
    )


async def _insert(
    db: AsyncConnection,
    actor: Actor,
    return_id: UUID,
    number: int,
    note: str,
    items: Sequence[Item],
    corrects_id: UUID | None = None,
) -> UUID:
    parcel_id = new_id()
    parcel = {
        "id": parcel_id,
        "return_id": return_id,
        "number": number,
        "checked_in_at": clock.now(),
        "checked_in_by": actor.label,
        "note": note.strip()[:MAX_NOTE],
        "undone_by": "",
        "corrects_id": corrects_id,
    }
    rows = [
        _item_row(parcel_id, item.line_id, item.quantity, item.condition, item.acceptance, item.description)
        for item in items
    ]
    await insert_rows(db, (Parcel, [parcel]), (ParcelItem, rows))
    return parcel_id


def _item_row(
    parcel_id: UUID, line_id: UUID | None, quantity: int, condition: str, acceptance: str, description: str
) -> dict[str, object]:
    return {
        "id": new_id(),
        "parcel_id": parcel_id,
        "order_line_id": line_id,
        "quantity": quantity,
        "condition": condition,
        "acceptance": acceptance,
        "description": description[:200],
        "decided_by": "",
        "decision_reason": "",
    }


async def take_back(db: AsyncConnection, actor: Actor, parcel_id: UUID) -> Any:  # noqa: ANN401 - a row
    """Mark a check-in as undone; the caller has made sure that nothing was paid for it.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: it was undone before, or something in it was decided.
    """
    parcel = await parcel_for(db, actor, parcel_id)
    row = await lock_return(db, actor, parcel.rma)
    if any(item.decided_at for item in parcel.items):
        raise ConflictError("Something in this parcel was decided already, so it cannot be undone.", code="decided")
    await _mark_undone(db, actor, parcel_id)
    others = [other for other in await parcels_of(db, actor, row.id) if other.id != parcel_id]
    if not others:
        await move_back(db, actor, row.id, "check_in_undone", {"parcel": str(parcel_id)})
    else:
        await history.record(db, actor, ("return", row.id, "check_in_undone", {"parcel": str(parcel_id)}))
    return row


async def _mark_undone(db: AsyncConnection, actor: Actor, parcel_id: UUID) -> None:
    changed = await db.execute(
        update(Parcel)
        .where(col(Parcel.id) == parcel_id, col(Parcel.undone_at).is_(None))
        .values(undone_at=clock.now(), undone_by=actor.label)
    )
    if changed.rowcount == 0:
        raise ConflictError("This check-in was undone already.", code="already_undone")


async def replace(
    db: AsyncConnection, actor: Actor, parcel_id: UUID, counts: Sequence[Counted], note: str
) -> CheckedIn:
    """Correct a check-in whose refund is already due: the old count stays in the books, the new one stands.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: it was undone or corrected before.
    """
    parcel = await parcel_for(db, actor, parcel_id)
    row = await lock_return(db, actor, parcel.rma)
    await _mark_undone(db, actor, parcel_id)
    [state] = await run(db, _DOCK, return_id=row.id, order_id=row.order_id, number=parcel.number)
    lines = msgspec.convert(state.lines or [], list[DockLine])
    items = _recorded(row, counts, lines)
    new = await _insert(db, actor, row.id, parcel.number, note, items, corrects_id=parcel_id)
    await history.record(
        db,
        actor,
        (
            "return",
            row.id,
            "check_in_corrected",
            _told(new, parcel.number, items) | {"corrects": str(parcel_id)},
        ),
    )
    return CheckedIn(new, row, parcel.number, items)


async def settle_item(
    db: AsyncConnection,
    actor: Actor,
    item_id: UUID,
    acceptance: Acceptance,
    reason: str,
    quantity: int | None = None,
    amount: int | None = None,
) -> Any:  # noqa: ANN401 - a row
    """Decide a waiting item (or `quantity` of it: the rest goes on waiting). Returns its row.

    `amount` is what a part gives for these units together, in minor units.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it does not wait (any more).
        InvalidError: more than wait, or none.
    """
    actor.require("returns:write", "finance", "support")
    row = await _lock_undecided(db, actor, item_id, acceptance)
    units = row.quantity if quantity is None else quantity
    if not 0 < units <= row.quantity:
        raise InvalidError("Decide at least one, and no more than wait.", code="bad_quantity", field="quantity")
    if units < row.quantity:
        await _split(db, row, row.quantity - units)
    await db.execute(
        update(ParcelItem)
        .where(col(ParcelItem.id) == item_id)
        .values(
            acceptance=acceptance.value,
            quantity=units,
            decided_at=clock.now(),
            decided_by=actor.label,
            decision_reason=reason,
            amount=amount,
        )
    )
    told = {"item": str(item_id), "acceptance": acceptance.value, "quantity": units}
    await history.record(db, actor, ("return", row.return_id, "decided", told))
    return row


_RMA_OF_ITEM = """
    SELECT r.rma FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
    WHERE i.id = :id
"""
_LOCK_ITEM = """
    SELECT i.*, p.return_id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
    WHERE i.id = :id AND p.undone_at IS NULL FOR UPDATE OF i
"""


async def _lock_undecided(db: AsyncConnection, actor: Actor, item_id: UUID, acceptance: Acceptance) -> Any:  # noqa: ANN401 - a row
    """The item's row, locked behind its return's, if its life can lead to this acceptance from where it is.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it does not wait (any more).
    """
    rma = (await db.execute(text(_RMA_OF_ITEM), {"id": item_id})).scalar_one_or_none()
    if rma is None:
        raise NotFoundError("There is no such item.")
    await lock_return(db, actor, rma)
    row = (await db.execute(text(_LOCK_ITEM), {"id": item_id})).one_or_none()
    sources = [before.value for before, after in ACCEPTANCE_TRANSITIONS.items() if acceptance in after]
    if row is None or row.acceptance not in sources:
        raise ConflictError("This item was decided already.", code="already_decided")
    return row


async def _split(db: AsyncConnection, row: Any, rest: int) -> None:  # noqa: ANN401 - a row
    """Let the part that is not decided go on waiting as a row of its own."""
    other = _item_row(row.parcel_id, row.order_line_id, rest, row.condition, row.acceptance, row.description)
    await insert_rows(db, (ParcelItem, [other]))

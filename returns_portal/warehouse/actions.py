"""Checking parcels in. What a check-in is worth is decided by `refunds.actions`, which calls these."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.returns.life import lock_return, move_back, move_to
from returns_portal.returns.models import ReturnStatus
from returns_portal.warehouse.counting import ORDINARY, CheckedIn, Circumstances, DockLine, count_parcel, dock_for
from returns_portal.warehouse.models import Parcel
from returns_portal.warehouse.queries import parcel_for, parcels_of
from returns_portal.warehouse.restock import taken_back
from returns_portal.warehouse.rules import Counted


async def check_in(
    db: AsyncConnection,
    actor: Actor,
    rma: str,
    counts: Sequence[Counted],
    *,
    number: int = 1,
    around: Circumstances = ORDINARY,
) -> tuple[CheckedIn, list[DockLine]]:
    """Record what was found in a parcel of a return, once: a parcel that is closed stays as it was counted.

    Raises:
        NotFoundError: there is no such return.
        ConflictError: `already_checked_in`, with what was counted then as its detail; or `found_already`: the
            unidentified parcel that it is said to be was recognised as another one meanwhile.
        InvalidError: a count is not of this order, or negative.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    row = await lock_return(db, actor, rma)
    dock = await dock_for(db, row, number)
    if dock.parcel_id is not None:
        raise await _already(db, actor, row, number)
    checked = await count_parcel(db, actor, row, dock, counts, number, around)
    told = _told(checked, around)
    if dock.status != ReturnStatus.RECEIVED:
        await move_to(db, actor, row.id, ReturnStatus.RECEIVED, "checked_in", told)
    else:
        await history.record(db, actor, ("return", row.id, "checked_in", told))
    return checked, dock.lines


def _told(checked: CheckedIn, around: Circumstances) -> dict[str, Any]:
    """What the history keeps of a check-in."""
    return {
        "parcel": str(checked.parcel_id),
        "number": checked.number,
        "items": [
            {
                "line": str(item.line_id) if item.line_id else None,
                "quantity": item.quantity,
                "condition": item.condition.value,
                "acceptance": item.acceptance.value,
            }
            for item in checked.items
        ],
        "findings": [[one.kind.value, one.quantity] for one in checked.findings],
        **({"found": str(around.found_id)} if around.found_id else {}),
    }


async def _already(db: AsyncConnection, actor: Actor, row: Any, number: int) -> ConflictError:  # noqa: ANN401 - a row
    parcels = await parcels_of(db, actor, row.id)
    return ConflictError(
        "This parcel was checked in already. Nothing was counted again.",
        code="already_checked_in",
        detail=next(parcel for parcel in parcels if parcel.number == number),
    )


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
    await run(db, _NAMELESS_AGAIN, id=parcel_id)
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
    await taken_back(db, parcel_id)


_NAMELESS_AGAIN = """
    UPDATE found_parcel f SET matched_at = NULL, matched_by = '' FROM parcel p WHERE p.id = :id AND f.id = p.found_id
"""


async def replace(
    db: AsyncConnection,
    actor: Actor,
    parcel_id: UUID,
    counts: Sequence[Counted],
    around: Circumstances = ORDINARY,
) -> tuple[CheckedIn, list[DockLine]]:
    """Correct a check-in whose refund is already due: the old count stays in the books, the new one stands.

    Raises:
        NotFoundError: there is no such check-in.
        ConflictError: it was undone or corrected before.
    """
    parcel = await parcel_for(db, actor, parcel_id)
    row = await lock_return(db, actor, parcel.rma)
    await _mark_undone(db, actor, parcel_id)
    dock = await dock_for(db, row, parcel.number)
    checked = await count_parcel(db, actor, row, dock, counts, parcel.number, around, corrects_id=parcel_id)
    # It came when it came, where it came, in the box and from the shelf that it came from.
    await run(db, _INHERIT, new=checked.parcel_id, old=parcel_id)
    told = _told(checked, around) | {"corrects": str(parcel_id)}
    await history.record(db, actor, ("return", row.id, "check_in_corrected", told))
    return checked, dock.lines


_INHERIT = """
    WITH photos AS (UPDATE dock_photo SET parcel_id = :new WHERE parcel_id = :old)
    UPDATE parcel n SET box_id = o.box_id, found_id = o.found_id, checked_in_at = o.checked_in_at,
        counted_at = o.counted_at, warehouse = coalesce(o.warehouse, n.warehouse)
    FROM parcel o WHERE n.id = :new AND o.id = :old
"""

"""What becomes of the units that were counted: a decision about the money, and where the goods go."""

from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.orders.models import TRIAL
from returns_portal.returns.life import lock_return
from returns_portal.warehouse.models import (
    ACCEPTANCE_TRANSITIONS,
    Acceptance,
    Condition,
    Disposition,
    ParcelItem,
    RestockEvent,
)
from returns_portal.warehouse.restock import event_row
from returns_portal.warehouse.rules import Item, Place, stocked


def item_row(actor: Actor, parcel_id: UUID, item: Item, goes: Place, note: str) -> dict[str, Any]:
    """The row of units that were counted."""
    said = goes.disposition or goes.asked
    return {
        "id": new_id(),
        "parcel_id": parcel_id,
        "order_line_id": item.line_id,
        "quantity": item.quantity,
        "condition": item.condition.value,
        "acceptance": item.acceptance.value,
        "description": item.description[:200],
        "decided_by": "",
        "decision_reason": "",
        "disposition": goes.disposition,
        "asked": goes.asked,
        "disposed_by": actor.label if said else "",
        "disposed_at": clock.now() if said else None,
        "note": note.strip(),
    }


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
    await _follow(db, actor, row, acceptance, units)
    told = {"item": str(item_id), "acceptance": acceptance.value, "quantity": units}
    await history.record(db, actor, ("return", row.return_id, "decided", told))
    return row


_RMA_OF_ITEM = """
    SELECT r.rma FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
    WHERE i.id = :id
"""
_LOCK_ITEM = """
    SELECT i.*, p.return_id, l.sku, o.id AS order_id, o.source FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
    JOIN returns r ON r.id = p.return_id JOIN orders o ON o.id = r.order_id
    LEFT JOIN order_line l ON l.id = i.order_line_id
    WHERE i.id = :id AND p.undone_at IS NULL FOR UPDATE OF i
"""


async def _lock_undecided(db: AsyncConnection, actor: Actor, item_id: UUID, acceptance: Acceptance) -> Any:  # noqa: ANN401 - a row
    """The item's row, locked behind its return's, if its life can lead to this acceptance from where it is.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it does not wait (any more).
    """
    row = await _lock_item(db, actor, item_id)
    sources = [before.value for before, after in ACCEPTANCE_TRANSITIONS.items() if acceptance in after]
    if row is None or row.acceptance not in sources:
        raise ConflictError("This item was decided already.", code="already_decided")
    return row


async def _lock_item(db: AsyncConnection, actor: Actor, item_id: UUID) -> Any:  # noqa: ANN401 - a row
    """The item's row, locked behind its return's; None where its parcel was undone.

    Raises:
        NotFoundError: there is no such item.
    """
    rma = (await db.execute(text(_RMA_OF_ITEM), {"id": item_id})).scalar_one_or_none()
    if rma is None:
        raise NotFoundError("There is no such item.")
    await lock_return(db, actor, rma)
    return (await db.execute(text(_LOCK_ITEM), {"id": item_id})).one_or_none()


async def _split(db: AsyncConnection, row: Any, rest: int) -> None:  # noqa: ANN401 - a row
    """Let the part that is not decided go on waiting as a row of its own."""
    other = {name: getattr(row, name) for name in _COPIED} | {"id": new_id(), "quantity": rest, "decided_by": ""}
    await insert_rows(db, (ParcelItem, [other]))


_COPIED = (
    "parcel_id", "order_line_id", "condition", "acceptance", "description", "decision_reason", "disposition", "asked",
    "disposed_by", "disposed_at", "note",
)  # fmt: skip


async def _follow(db: AsyncConnection, actor: Actor, row: Any, acceptance: Acceptance, units: int) -> None:  # noqa: ANN401 - a row
    """What a decision about the money means for where the goods go."""
    if acceptance is Acceptance.SENT_BACK:
        await run(
            db, _PLACE, id=row.id, to=Disposition.BACK_TO_CUSTOMER.value, asked="", by=actor.label, now=clock.now()
        )
    elif stocked(acceptance, row.disposition):
        await insert_rows(db, (RestockEvent, [event_row(row, row.sku, units, row.disposition)]))


_PLACE = """
    UPDATE parcel_item SET disposition = :to, asked = :asked, disposed_by = :by, disposed_at = :now WHERE id = :id
"""
_TWO_PEOPLE = "SELECT second_person FROM disposition_rule WHERE disposition = :to AND offered"


async def send_to(db: AsyncConnection, actor: Actor, item_id: UUID, to: str) -> Place:
    """Say where units go. Where that takes two people, the first one asks and another one says so too.

    The shop system is told of what goes back to the shelf, and of what was told before and goes elsewhere now.

    Raises:
        NotFoundError: there is no such item.
        ConflictError: it was undone, or waits for a decision about the money first.
        ForbiddenError: it takes another person than the one who asked.
        InvalidError: the shop sends nothing there.
    """
    actor.require("warehouse", "support")
    row = await _lock_item(db, actor, item_id)
    if row is None or Condition(row.condition).absent:
        raise ConflictError(mark("This was undone or corrected meanwhile: nothing is to be placed any more."))
    if row.acceptance == Acceptance.WAITING:
        raise ConflictError(mark("First it is decided what the customer gets for it."), code="undecided")
    rules = await run(db, _TWO_PEOPLE, to=to)
    if not rules:
        raise InvalidError(mark("Choose where it goes."), field="to")
    goes = Place(to)
    if rules[0].second_person:
        if row.asked != to:
            goes = Place("", to)
        elif row.disposed_by == actor.label:
            raise ForbiddenError(mark("You asked for this yourself. It takes another person to say so too."))
    await run(db, _PLACE, id=item_id, to=goes.disposition, asked=goes.asked, by=actor.label, now=clock.now())
    await _tell_shop(db, row, goes.disposition)
    if row.source == TRIAL:
        # The catalogue keeps the stock of trials, and stands above.
        await defer(db, "tryon.received", order_id=str(row.order_id))
    told = {"item": str(item_id), "to": to, "agreed": bool(goes.disposition)}
    await history.record(db, actor, ("return", row.return_id, "placed", told))
    return goes


async def _tell_shop(db: AsyncConnection, row: Any, to: str) -> None:  # noqa: ANN401 - a row
    """Tell the shop system what changes for what it can sell."""
    if row.order_line_id is None:
        return
    events = []
    if stocked(row.acceptance, row.disposition):
        events.append(event_row(row, row.sku, -row.quantity, row.disposition))
    if stocked(row.acceptance, to):
        events.append(event_row(row, row.sku, row.quantity, to))
    await insert_rows(db, (RestockEvent, events))

"""One refund with all that happened to it, and how it stands in the ledger."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.finance.credit_notes import NoteLink, notes_of_refund
from returns_portal.refunds.approvals import GestureView, gesture_of
from returns_portal.refunds.failed import Ways, ways_of
from returns_portal.refunds.queries import RefundView, refund_for


class Goods(msgspec.Struct, frozen=True):
    """Units that the refund's parcel is paid for; shipping where there is no title. Minor units."""

    title: str
    sku: str
    size: str
    color: str
    quantity: int
    amount: int
    tax: int


class Event(msgspec.Struct, frozen=True):
    """Something that happened to the refund."""

    action: str
    actor: str
    at: datetime
    data: dict[str, Any]


class Entry(msgspec.Struct, frozen=True):
    """A line of the ledger; positive is debit, negative credit."""

    at: datetime
    kind: str
    account: str
    amount: int
    currency: str


class Story(msgspec.Struct, frozen=True):
    """A refund, told in full."""

    refund: RefundView
    refund_deadline: datetime | None
    """None where no return stands behind it."""
    gesture: GestureView | None
    """Who wanted it and who approved it, where it is no return's."""
    ways: Ways | None
    """What the reader can do about it, where it did not go through."""
    goods: list[Goods]
    events: list[Event]
    entries: list[Entry]
    notes: list[NoteLink]
    """Its credit notes, and what cancels them."""


_GOODS: Final = text("""
    SELECT coalesce(l.title, '') AS title, coalesce(l.sku, '') AS sku, coalesce(l.size, '') AS size,
           coalesce(l.color, '') AS color, c.quantity, c.amount, c.tax
    FROM refund f JOIN refund_line c ON c.release_id = f.release_id
     AND (c.voided_at IS NOT NULL) = (f.status = 'canceled')
    LEFT JOIN order_line l ON l.id = c.order_line_id
    WHERE f.id = :id ORDER BY l.position NULLS LAST, c.first_unit
""")
_EVENTS: Final = text("""
    SELECT h.action, coalesce(s.name, h.actor) AS actor, h.at, h.data
    FROM history h LEFT JOIN staff s ON h.actor = 'staff:' || s.id
    WHERE h.subject_id = :id AND h.subject = 'refund' ORDER BY h.at, h.id
""")
_ENTRIES: Final = text("""
    SELECT t.at, t.kind, e.account, e.amount, e.currency
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    WHERE t.cause = 'refund' AND t.cause_id = :id ORDER BY t.at, t.id, e.amount DESC
""")


async def refund_story(db: AsyncConnection, actor: Actor, refund_id: UUID) -> Story:
    """One refund, told in full.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
        NotFoundError: there is no such refund.
    """
    actor.require("finance", "support")
    view = await refund_for(db, actor, refund_id)
    deadline = await db.scalar(text("SELECT refund_deadline FROM returns WHERE id = :id"), {"id": view.return_id})
    values = {"id": refund_id}
    return Story(
        refund=view,
        refund_deadline=deadline,
        gesture=await gesture_of(db, actor, refund_id),
        ways=(await ways_of(db, actor, [refund_id])).get(refund_id) if actor.has("finance") else None,
        goods=[Goods(**row) for row in (await db.execute(_GOODS, values)).mappings()],
        events=[Event(**row) for row in (await db.execute(_EVENTS, values)).mappings()],
        entries=[Entry(**row) for row in (await db.execute(_ENTRIES, values)).mappings()],
        notes=await notes_of_refund(db, actor, refund_id),
    )

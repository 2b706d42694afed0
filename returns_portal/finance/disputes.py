"""Disputes, and payments of which more went back than came in: what finance has to know of each on one page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.finance.refund import Entry, Event
from returns_portal.orders.queries import OrderView, order_for
from returns_portal.refunds.queries import RefundView, refunds_of_order
from returns_portal.returns.queries import ReturnView, returns_of_order
from returns_portal.returns.whose import LABELLED
from returns_portal.tryon.queries import TrialView, trial_of_order
from returns_portal.warehouse.queries import ParcelView, parcels_of


class DisputeView(msgspec.Struct, frozen=True):
    """A dispute, in minor units of its currency."""

    id: UUID
    gateway_id: str
    order_id: UUID
    order_number: str
    customer: str
    status: str
    reason: str
    currency: str
    amount: int
    withdrawn: int
    evidence_due_by: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    card_last4: str
    reference: str
    """Stripe's id of the payment."""
    held: int
    """How many refunds wait for its end."""
    held_amount: int


_VIEW: Final = """
    SELECT d.id, d.gateway_id, o.id AS order_id, o.number AS order_number, o.name AS customer, d.status, d.reason,
           d.currency, d.amount, d.withdrawn, d.evidence_due_by, d.opened_at, d.closed_at, p.card_last4,
           coalesce(p.reference, d.charge) AS reference, w.held, w.held_amount
    FROM dispute d JOIN payment p ON p.id = d.payment_id JOIN orders o ON o.id = p.order_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS held, CAST(coalesce(sum(f.amount), 0) AS bigint) AS held_amount
        FROM refund f WHERE f.payment_id = p.id AND f.status = 'planned' AND f.held_at IS NOT NULL) AS w
"""


async def open_disputes(db: AsyncConnection, actor: Actor, limit: int) -> list[DisputeView]:
    """The disputes that are open, the one that has to be answered first before the others.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    actor.require("finance", "support")
    order = "ORDER BY d.evidence_due_by, d.id LIMIT :limit"
    return [DisputeView(*row) for row in await run(db, f"{_VIEW} WHERE d.closed_at IS NULL {order}", limit=limit)]


async def closed_disputes(
    db: AsyncConnection, actor: Actor, limit: int, before: UUID | None = None
) -> list[DisputeView]:
    """The disputes that are closed, newest first, after the one where the last page ended."""
    actor.require("finance", "support")
    rows = await run(
        db,
        f"{_VIEW} WHERE d.closed_at IS NOT NULL AND (CAST(:before AS uuid) IS NULL OR d.id < :before)"
        " ORDER BY d.id DESC LIMIT :limit",
        before=before,
        limit=limit,
    )
    return [DisputeView(*row) for row in rows]


class Counted(msgspec.Struct, frozen=True):
    """Units of one line and condition in a parcel."""

    quantity: int
    title: str
    """Empty for what is not of this order and was not described."""
    condition: str
    decision_reason: str


class Parcel(msgspec.Struct, frozen=True):
    """A parcel, as it was counted at the dock."""

    number: int
    checked_in_at: datetime
    note: str
    items: list[Counted]


class Sent(msgspec.Struct, frozen=True):
    """A return with its label and what was counted of it."""

    view: ReturnView
    label: str
    labelled_at: datetime | None
    parcels: list[Parcel]


class Statement(msgspec.Struct, frozen=True):
    """What the customer stated, as it was received."""

    submitted_at: datetime
    content: dict[str, str]


class DisputeStory(msgspec.Struct, frozen=True):
    """A dispute with everything that is known of its order."""

    dispute: DisputeView
    order: OrderView
    trial: TrialView | None
    """What was sent to be tried, and what its carriers told; None where the order is no trial."""
    returns: list[Sent]
    refunds: list[RefundView]
    statements: list[Statement]
    events: list[Event]
    entries: list[Entry]


_LABELS: Final = f"""
    SELECT DISTINCT ON (r.id) r.id AS return_id, b.code, b.created_at
    FROM returns r JOIN label b ON b.return_id = {LABELLED} WHERE r.order_id = :id ORDER BY r.id, b.created_at DESC
"""  # noqa: S608 - our own words
_STATEMENTS: Final = "SELECT submitted_at, content FROM withdrawal WHERE order_id = :id ORDER BY submitted_at"
_EVENTS: Final = """
    SELECT h.action, coalesce(s.name, h.actor) AS actor, h.at, h.data
    FROM history h LEFT JOIN staff s ON h.actor = 'staff:' || s.id
    WHERE h.subject_id = :id AND h.subject = 'dispute' ORDER BY h.at, h.id
"""
_ENTRIES: Final = """
    SELECT t.at, t.kind, e.account, e.amount, e.currency
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    WHERE t.cause = 'dispute' AND t.cause_id = :id ORDER BY t.at, t.id, e.amount DESC
"""


async def dispute_story(db: AsyncConnection, actor: Actor, dispute_id: UUID) -> DisputeStory:
    """A dispute with everything that is known of its order: what was sent, came back, was refunded, was stated.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
        NotFoundError: there is no such dispute.
    """
    actor.require("finance", "support")
    rows = await run(db, f"{_VIEW} WHERE d.id = :id", id=dispute_id)
    if not rows:
        raise NotFoundError("There is no such dispute.")
    dispute = DisputeView(*rows[0])
    order = await order_for(db, actor, dispute.order_number)
    return DisputeStory(
        dispute=dispute,
        order=order,
        trial=await trial_of_order(db, dispute.order_id),
        returns=await _returns(db, actor, dispute.order_id, order),
        refunds=await refunds_of_order(db, actor, dispute.order_id),
        statements=[Statement(*row) for row in await run(db, _STATEMENTS, id=dispute.order_id)],
        events=[Event(*row) for row in await run(db, _EVENTS, id=dispute_id)],
        entries=[Entry(*row) for row in await run(db, _ENTRIES, id=dispute_id)],
    )


async def _returns(db: AsyncConnection, actor: Actor, order_id: UUID, order: OrderView) -> list[Sent]:
    labels: dict[UUID, Any] = {row.return_id: row for row in await run(db, _LABELS, id=order_id)}
    titles = {line.line_id: line.title for line in order.lines}
    told = []
    for view in await returns_of_order(db, actor, order_id):
        label = labels.get(view.id)
        told.append(
            Sent(
                view,
                label.code if label else "",
                label.created_at if label else None,
                [_parcel(parcel, titles) for parcel in await parcels_of(db, actor, view.id)],
            )
        )
    return told


def _parcel(parcel: ParcelView, titles: Mapping[UUID, str]) -> Parcel:
    items = [
        Counted(
            item.quantity,
            titles.get(item.line_id, "") if item.line_id else item.description,
            item.condition,
            item.decision_reason,
        )
        for item in parcel.items
    ]
    return Parcel(parcel.number, parcel.checked_in_at, parcel.note, items)


class Overpaid(msgspec.Struct, frozen=True):
    """A payment of which more went back than came in: by a dashboard that knows of no points, or by a bank besides."""

    payment_id: UUID
    order_number: str
    currency: str
    amount: int
    over: int
    disputed: int
    """What banks took, in disputes that are open or lost."""
    outside: int
    open: bool
    """Whether a dispute may still be won, and the money come back."""


# Only payments that somebody else has touched can be so: those are found by their index. What is planned is held, or is
# stopped, and has not gone back.
_OVERPAID: Final = """
    WITH touched AS (
        SELECT payment_id, max(changed_at) AS at FROM refund WHERE kind = 'outside' GROUP BY payment_id
        UNION ALL SELECT payment_id, max(coalesce(closed_at, recorded_at)) FROM dispute
        WHERE status = 'lost' OR (closed_at IS NULL AND withdrawn > 0) GROUP BY payment_id),
    payments AS (SELECT payment_id, max(at) AS at FROM touched GROUP BY payment_id),
    gone AS (
        SELECT t.payment_id, t.at, coalesce((
                   SELECT sum(f.amount) FROM refund f WHERE f.payment_id = t.payment_id
                   AND f.status NOT IN ('planned', 'failed', 'canceled')), 0) AS refunded, coalesce((
                   SELECT sum(f.amount) FROM refund f WHERE f.payment_id = t.payment_id AND f.kind = 'outside'
                   AND f.status NOT IN ('planned', 'failed', 'canceled')), 0) AS outside, coalesce((
                   SELECT sum(d.withdrawn) FROM dispute d WHERE d.payment_id = t.payment_id
                   AND (d.status = 'lost' OR d.closed_at IS NULL)), 0) AS disputed,
               EXISTS (SELECT FROM dispute d WHERE d.payment_id = t.payment_id AND d.closed_at IS NULL
                   AND d.withdrawn > 0) AS open
        FROM payments t)
    SELECT p.id AS payment_id, o.number AS order_number, p.currency, p.amount,
           CAST(p.refunded_before + g.refunded + g.disputed - p.amount AS bigint) AS over,
           CAST(g.disputed AS bigint) AS disputed, CAST(g.outside AS bigint) AS outside, g.open
    FROM gone g JOIN payment p ON p.id = g.payment_id JOIN orders o ON o.id = p.order_id
    WHERE p.refunded_before + g.refunded + g.disputed > p.amount AND NOT EXISTS (
        SELECT FROM history h WHERE h.subject_id = p.id AND h.action = 'overpayment_reviewed' AND h.at >= g.at)
    ORDER BY g.at LIMIT :limit
"""


async def overpaid(db: AsyncConnection, actor: Actor, limit: int) -> list[Overpaid]:
    """Payments of which more went back than came in, and nobody has looked at that yet."""
    actor.require("finance")
    return [Overpaid(*row) for row in await run(db, _OVERPAID, limit=limit)]


async def review_overpayment(db: AsyncConnection, actor: Actor, payment_id: UUID) -> None:
    """Mark a payment of which too much went back as looked at, until something else happens to it.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is no such payment.
    """
    actor.require("finance")
    if not await run(db, "SELECT id FROM payment WHERE id = :id FOR UPDATE", id=payment_id):
        raise NotFoundError("There is no such payment.")
    await history.record(db, actor, ("payment", payment_id, "overpayment_reviewed", {}))

"""What needs a person of finance: the first thing that their page shows."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.finance.disputes import DisputeView, Overpaid, open_disputes, overpaid
from returns_portal.finance.words import SOON
from returns_portal.refunds.lowering import left_for
from returns_portal.refunds.models import NOT_TOLD, RefundStatus

SHOWN: Final = 20
"""How many of each kind are shown; what is dealt with makes room for the next."""
UNKNOWN_MINUTES: Final = 15
"""From then on a refund of which nobody knows what became stands before all others."""


class OpenRefund(msgspec.Struct, frozen=True):
    """A refund that failed, whose outcome is unknown, or whose payment cannot be refunded. Minor units."""

    id: UUID
    rma: str
    order_number: str
    kind: str
    status: str
    destination: str
    currency: str
    amount: int
    failure_reason: str
    pending_reason: str | None
    card_last4: str
    unknown_since: datetime | None
    """Since when nobody knows what became of it, where that has lasted too long."""
    refund_deadline: datetime | None
    left: int | None = None
    """What is left of its payment, where that is less than the refund."""


class Correction(msgspec.Struct, frozen=True):
    """A count that was lowered after its refund had gone: more units are paid for than are accepted now."""

    parcel_id: UUID
    rma: str
    order_number: str
    title: str
    paid: int
    accepted: int
    corrected_at: datetime
    note: str


class Statement(msgspec.Struct, frozen=True):
    """A statement of withdrawal that nobody has dealt with."""

    id: UUID
    name: str
    email: str
    order_number: str
    details: str
    known_order: str | None
    """The order that it names, where there is one of that number and address."""
    rma: str
    """Of the return that was filed for all that could come back, while only a part is named; else empty."""
    submitted_at: datetime


class Deadline(msgspec.Struct, frozen=True):
    """A return whose statutory deadline is near or over, while something of it is not refunded."""

    rma: str
    order_number: str
    refund_deadline: datetime
    undecided: int
    unsettled: int


class Unshipped(msgspec.Struct, frozen=True):
    """A return of goods that had not left the shop when it was filed."""

    rma: str
    order_number: str
    units: int
    refund_deadline: datetime


class UnpaidTrial(msgspec.Struct, frozen=True):
    """A trial whose payment did not go through, or of which something neither came back nor was paid. Minor units."""

    number: str
    status: str
    currency: str
    amount: int
    """What is still open of it."""
    failure: str
    """Why the last charge was refused, in Stripe's code."""
    since: datetime


class GivenUp(msgspec.Struct, frozen=True):
    """A job that failed as often as it may."""

    id: int
    name: str
    ids: dict[str, str]
    attempts: int
    failed_at: datetime | None


class Tasks(msgspec.Struct, frozen=True):
    """Everything that waits for a decision of finance."""

    refunds: list[OpenRefund]
    disputes: list[DisputeView]
    overpaid: list[Overpaid]
    transfers: int
    decisions: int
    """Units, as everywhere."""
    approvals: int
    adjustments: int
    """Changes of points that wait for a second person."""
    differences: int
    """What the last reconciliation found that does not agree with the gateway."""
    corrections: list[Correction]
    statements: list[Statement]
    deadlines: list[Deadline]
    unshipped: list[Unshipped]
    trials: list[UnpaidTrial]
    jobs: list[GivenUp]

    @property
    def none(self) -> bool:
        """Whether nothing waits."""
        return not any(getattr(self, name) for name in self.__struct_fields__)


# The first condition is the index's, so that only open refunds are looked at.
_REFUNDS: Final = f"""
    SELECT f.id, coalesce(r.rma, '') AS rma, o.number AS order_number, f.kind, f.status, f.destination, f.currency,
           f.amount, f.failure_reason, f.pending_reason, p.card_last4,
           CASE WHEN u.since < :unknown THEN u.since END AS unknown_since, r.refund_deadline
    FROM refund f LEFT JOIN returns r ON r.id = f.return_id JOIN orders o ON o.id = f.order_id
    JOIN payment p ON p.id = f.payment_id
    LEFT JOIN LATERAL (
        SELECT min(h.at) AS since FROM history h
        WHERE f.status IN ('unknown', 'submitting') AND h.subject_id = f.id AND h.subject = 'refund'
          AND h.action IN ('submitting', 'unknown') AND CAST(h.data ->> 'attempt' AS int) = f.attempt) AS u ON true
    WHERE f.status NOT IN ('succeeded', 'canceled')
      AND (f.status IN ('failed', 'unknown') OR (f.status = 'submitting' AND u.since < :unknown)
           OR (f.status = 'planned' AND p.status = 'failed')
           OR (f.status = 'pending' AND f.pending_reason IN ('insufficient_funds', '{NOT_TOLD}')))
    ORDER BY coalesce(u.since < :unknown, false) DESC, r.refund_deadline, f.id LIMIT :shown
"""  # noqa: S608 - the interpolated word is our own
_COUNTS: Final = """
    SELECT (SELECT count(*) FROM refund WHERE status NOT IN ('succeeded', 'canceled')
            AND status = 'awaiting_transfer') AS transfers,
           (SELECT CAST(coalesce(sum(i.quantity), 0) AS int) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
            WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL) AS decisions,
           (SELECT count(*) FROM goodwill WHERE decision = 'waiting') AS approvals,
           (SELECT count(*) FROM points_adjustment WHERE status = 'pending') AS adjustments,
           coalesce((SELECT differences FROM reconciliation WHERE outcome <> 'no_answer' ORDER BY at DESC LIMIT 1), 0)
               AS differences
"""
_CORRECTIONS: Final = """
    WITH RECURSIVE chain AS (
        SELECT id AS last, id, corrects_id FROM parcel
        WHERE corrects_id IS NOT NULL AND reviewed_at IS NULL AND undone_at IS NULL
        UNION ALL SELECT c.last, p.id, p.corrects_id FROM chain c JOIN parcel p ON p.id = c.corrects_id),
    paid AS (
        SELECT c.last, l.order_line_id, sum(l.quantity) AS units FROM chain c JOIN refund_line l ON l.parcel_id = c.id
        WHERE l.voided_at IS NULL AND l.order_line_id IS NOT NULL GROUP BY c.last, l.order_line_id)
    SELECT b.id AS parcel_id, r.rma, o.number AS order_number, l.title, CAST(paid.units AS int) AS paid,
           CAST(coalesce(a.units, 0) AS int) AS accepted, b.corrected_at, b.note
    FROM paid JOIN parcel b ON b.id = paid.last JOIN returns r ON r.id = b.return_id JOIN orders o ON o.id = r.order_id
    JOIN order_line l ON l.id = paid.order_line_id
    LEFT JOIN LATERAL (
        SELECT sum(i.quantity) AS units FROM parcel_item i WHERE i.parcel_id = b.id AND i.order_line_id = l.id
        AND i.acceptance IN ('accepted', 'part')) AS a ON true
    WHERE paid.units > coalesce(a.units, 0) ORDER BY b.corrected_at, b.id, l.position LIMIT :shown
"""
_STATEMENTS: Final = """
    SELECT w.id, w.name, w.email, w.order_number, coalesce(w.content ->> 'details', '') AS details,
           o.number AS known_order, w.submitted_at, coalesce(r.rma, '') AS rma
    FROM withdrawal w LEFT JOIN orders o ON o.id = w.order_id LEFT JOIN returns r ON r.withdrawal_id = w.id
    WHERE w.handled_at IS NULL ORDER BY w.submitted_at LIMIT :shown
"""
# Only where the goods are here: until they come, or were sent, the money may wait (Directive 2011/83/EU, Art. 13(3)).
_DEADLINES: Final = """
    WITH unsettled AS (
        SELECT return_id, count(*) AS refunds FROM refund WHERE status NOT IN ('succeeded', 'canceled')
        GROUP BY return_id),
    undecided AS (
        SELECT p.return_id, sum(i.quantity) AS items FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
        WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL GROUP BY p.return_id)
    SELECT r.rma, o.number AS order_number, r.refund_deadline, CAST(coalesce(d.items, 0) AS int) AS undecided,
           CAST(coalesce(u.refunds, 0) AS int) AS unsettled
    FROM unsettled u FULL JOIN undecided d USING (return_id) JOIN returns r ON r.id = return_id
    JOIN orders o ON o.id = r.order_id
    WHERE r.refund_deadline < :soon ORDER BY r.refund_deadline, r.id LIMIT :shown
"""
# As `refunds.actions.release_unshipped` counts them.
_UNSHIPPED: Final = """
    SELECT r.rma, o.number AS order_number, CAST(sum(u.units) AS int) AS units, r.refund_deadline
    FROM returns r JOIN orders o ON o.id = r.order_id AND o.fulfillment_status <> 'fulfilled'
    JOIN return_line a ON a.return_id = r.id JOIN order_line l ON l.id = a.order_line_id
    CROSS JOIN LATERAL (
        SELECT least(a.quantity, l.quantity - l.shipped - coalesce((
            SELECT sum(i.quantity) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
            WHERE i.order_line_id = l.id AND i.acceptance <> 'surplus' AND p.undone_at IS NULL), 0)) AS units) AS u
    WHERE r.status <> 'cancelled' AND u.units > 0
    GROUP BY r.id, o.number ORDER BY r.refund_deadline, r.id LIMIT :shown
"""
_TRIALS: Final = """
    SELECT t.number, t.status, t.currency, t.changed_at AS since,
           CAST(coalesce((SELECT sum(i.price) FROM trial_item i LEFT JOIN trial_charge c ON c.id = i.charge_id
               WHERE i.trial_id = t.id AND (i.outcome = 'open' OR (i.outcome = 'kept' AND c.status <> 'captured'))), 0)
               AS bigint) AS amount,
           coalesce((SELECT c.failure FROM trial_charge c WHERE c.trial_id = t.id AND c.failure <> ''
                     ORDER BY c.changed_at DESC, c.id DESC LIMIT 1), '') AS failure
    FROM trial t WHERE t.status IN ('overdue', 'payment_action_needed', 'authorisation_expired')
    ORDER BY t.status, t.changed_at, t.id LIMIT :shown
"""
# A periodic job (it has a queueing lock) comes again by itself.
_JOBS: Final = """
    SELECT j.id, j.task_name AS name, j.args AS ids, j.attempts, (
        SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS failed_at
    FROM procrastinate_jobs j WHERE j.status = 'failed' AND j.queueing_lock IS NULL ORDER BY j.id LIMIT :shown
"""


async def tasks(db: AsyncConnection, actor: Actor) -> Tasks:
    """What waits for finance, the most urgent of each kind first.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    values = {"shown": SHOWN, "soon": clock.now() + SOON, "unknown": clock.minutes_ago(UNKNOWN_MINUTES)}
    counts = (await db.execute(text(_COUNTS))).one()
    return Tasks(
        refunds=await _with_left(db, [OpenRefund(**row) for row in await _rows(db, _REFUNDS, values)]),
        disputes=await open_disputes(db, actor, SHOWN),
        overpaid=await overpaid(db, actor, SHOWN),
        transfers=counts.transfers,
        decisions=counts.decisions,
        approvals=counts.approvals,
        adjustments=counts.adjustments,
        differences=counts.differences,
        corrections=[Correction(**row) for row in await _rows(db, _CORRECTIONS, values)],
        statements=[Statement(**row) for row in await _rows(db, _STATEMENTS, values)],
        deadlines=[Deadline(**row) for row in await _rows(db, _DEADLINES, values)],
        unshipped=[Unshipped(**row) for row in await _rows(db, _UNSHIPPED, values)],
        trials=[UnpaidTrial(**row) for row in await _rows(db, _TRIALS, values)],
        jobs=[GivenUp(**row) for row in await _rows(db, _JOBS, values)],
    )


async def _with_left(db: AsyncConnection, refunds: list[OpenRefund]) -> list[OpenRefund]:
    """The refunds; those that failed and are more than what is left of their payment say so."""
    failed = [refund.id for refund in refunds if refund.status == RefundStatus.FAILED]
    left = await left_for(db, failed)
    return [
        msgspec.structs.replace(refund, left=left[refund.id])
        if left.get(refund.id, refund.amount) < refund.amount
        else refund
        for refund in refunds
    ]


async def _rows(db: AsyncConnection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await db.execute(text(query), values)).mappings()]

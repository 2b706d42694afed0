"""Refunds: within what came in, the same way back, not before they are due, and never forgotten."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant
from returns_portal.refunds.models import LIVE

_LIVE: Final = ", ".join(f"'{status.value}'" for status in LIVE)

REFUNDS: Final = (
    Invariant(
        "payment-cap",
        "What went back of a payment, or may still go back, is no more than what came in by it.",
        # The gateway's dashboard knows nothing of points and transfers, so that what is made there may exceed it, and
        # is a task of finance then; but nothing more is to go back here after that.
        f"""
        SELECT p.id AS payment_id, p.amount, p.refunded_before, sum(f.amount) AS refunded
        FROM payment p JOIN refund f ON f.payment_id = p.id AND f.status IN ({_LIVE})
        GROUP BY p.id HAVING p.refunded_before + sum(f.amount) > p.amount AND (
            p.refunded_before + coalesce(sum(f.amount) FILTER (WHERE f.kind <> 'outside'), 0) > p.amount
            OR p.refunded_before + coalesce(sum(f.amount) FILTER (WHERE f.destination = 'original'), 0) > p.amount
            OR bool_or(f.kind <> 'outside' AND f.status IN ('planned', 'awaiting_transfer')))
        """,  # noqa: S608 - the interpolated words are our own enumeration
    ),
    Invariant(
        "same-way-back",
        "Points come back as points, card money to the card or as points (by transfer where that failed and it was"
        " chosen), and what came in elsewhere never to a card.",
        """
        SELECT f.id AS refund_id, p.tender, f.destination FROM refund f JOIN payment p ON p.id = f.payment_id
        WHERE (p.tender = 'points' AND f.destination <> 'points')
           OR (f.destination = 'original' AND p.tender <> 'stripe')
           OR (f.destination = 'transfer' AND p.tender <> 'external' AND NOT EXISTS (
               SELECT FROM history h WHERE h.subject_id = f.id AND h.subject = 'refund' AND h.action = 'rerouted'))
        """,
    ),
    Invariant(
        "bonus-as-promised",
        "A bonus is on card money taken as points alone, and no more than the return was promised.",
        """
        SELECT f.id AS refund_id, f.amount, f.bonus, r.bonus_percent, r.refund_to, p.tender
        FROM refund f JOIN returns r ON r.id = f.return_id JOIN payment p ON p.id = f.payment_id
        WHERE f.bonus > 0 AND (f.bonus * 100 > f.amount * r.bonus_percent OR p.tender <> 'stripe'
           OR (r.refund_to <> 'points' AND f.points_consent_at IS NULL))
        """,
    ),
    Invariant(
        "not-before-due",
        "No refund moved before it was due, while its check-in could still be undone.",
        """
        SELECT f.id AS refund_id, f.status, f.due_at, f.submitted_at, f.settled_at FROM refund f
        WHERE least(f.submitted_at, f.settled_at) < f.due_at
          -- Once it was sent, the clock may be set back, and it may be sent again.
          AND coalesce((SELECT h.at FROM history h WHERE h.subject_id = f.id AND h.action = 'submitting'
                        AND h.data ->> 'attempt' = CAST(f.attempt AS text) ORDER BY h.id LIMIT 1),
                       f.submitted_at, f.settled_at) < f.due_at
        """,
    ),
    Invariant(
        "nothing-stuck",
        "Every refund that is an hour overdue has a job that works on it, or waits for its payment.",
        """
        SELECT f.id AS refund_id, f.status, f.due_at, f.attempt FROM refund f JOIN payment p ON p.id = f.payment_id
        WHERE f.status IN ('planned', 'submitting', 'unknown') AND f.held_at IS NULL
          AND f.due_at < :late AND f.changed_at < :late
          AND (p.status = 'captured' OR f.status <> 'planned') AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j WHERE j.task_name = 'refunds.submit' AND j.status IN ('todo', 'doing')
            AND j.args ->> 'refund_id' = CAST(f.id AS text))
        """,
    ),
)

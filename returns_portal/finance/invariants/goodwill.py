"""Gestures: made as they were asked for, approved by another where that was needed, and points only by consent."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

GOODWILL: Final = (
    Invariant(
        "goodwill-as-given",
        "A gesture that has its approval or needed none is refunded in full, or to what finance lowered it to.",
        """
        WITH refunded AS (
            SELECT f.release_id, f.order_id, coalesce(sum(f.amount) FILTER (WHERE f.status <> 'canceled'), 0) AS amount,
                   bool_and(f.reason <> '') AS said, bool_or(EXISTS (
                       SELECT FROM history h WHERE h.subject_id = f.id AND h.action = 'lowered')) AS lowered
            FROM refund f WHERE f.kind = 'goodwill' GROUP BY f.release_id, f.order_id),
        due AS (SELECT *, CASE WHEN decision IN ('not_needed', 'approved') THEN amount ELSE 0 END AS due FROM goodwill)
        SELECT coalesce(g.id, r.release_id) AS gesture, g.decision, g.amount, r.amount AS refunded
        FROM due g FULL JOIN refunded r ON r.release_id = g.id
        WHERE g.id IS NULL OR coalesce(r.amount, 0) > g.due OR (coalesce(r.amount, 0) < g.due AND r.lowered IS NOT TRUE)
           OR r.order_id <> g.order_id OR NOT r.said
        """,
    ),
    Invariant(
        "approved-by-another",
        "What was approved or declined was so by somebody else than the one who asked, and the history says who.",
        """
        SELECT g.id AS gesture, g.decision, g.requested_by, g.decided_by FROM goodwill g
        WHERE g.decision IN ('approved', 'declined') AND (g.decided_by IN ('', g.requested_by) OR NOT EXISTS (
            SELECT FROM history h WHERE h.subject = 'goodwill' AND h.subject_id = g.id AND h.action = g.decision
            AND h.actor = g.decided_by))
        """,
    ),
    Invariant(
        "points-by-consent",
        "Money goes back as points only where the customer agreed to it (Directive 2011/83/EU, Art. 13(1)).",
        """
        SELECT f.id AS refund_id, f.return_id, p.tender FROM refund f JOIN payment p ON p.id = f.payment_id
        LEFT JOIN returns r ON r.id = f.return_id
        WHERE f.destination = 'points' AND p.tender <> 'points' AND f.points_consent_at IS NULL
          AND r.points_consent_at IS NULL
        """,
    ),
)

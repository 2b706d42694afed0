"""Trials: charged is the price of what is kept, once; never what the warehouse has; never more held than was shown."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

TRIALS: Final = (
    Invariant(
        "trial-charged",
        "What came in for a trial is the price of what was charged, and the deposit that is not used; its order, its"
        " payments and its points say the same.",
        """
        WITH paid AS (
            SELECT trial_id, sum(captured) AS card, sum(points) AS points FROM trial_charge
            WHERE status = 'captured' GROUP BY trial_id),
        priced AS (
            SELECT i.trial_id, sum(i.price) AS amount FROM trial_item i JOIN trial_charge c ON c.id = i.charge_id
            WHERE c.status = 'captured' GROUP BY i.trial_id),
        units AS (
            SELECT l.order_id, sum(u.paid) AS amount FROM order_line l JOIN trial t ON t.order_id = l.order_id
            CROSS JOIN LATERAL unnest(l.unit_paid) AS u(paid) GROUP BY l.order_id),
        payments AS (
            SELECT m.order_id, sum(m.amount) FILTER (WHERE m.tender = 'stripe') AS card,
                   sum(m.amount) FILTER (WHERE m.tender = 'points') AS points,
                   count(*) FILTER (WHERE m.tender = 'external' OR m.status <> 'captured') AS odd
            FROM payment m JOIN trial t ON t.order_id = m.order_id GROUP BY m.order_id)
        SELECT t.id AS trial_id, t.status, c.card, c.points, p.amount AS price, u.amount AS units, o.extras_paid,
               m.card AS paid_by_card, m.points AS paid_with_points
        FROM trial t JOIN orders o ON o.id = t.order_id LEFT JOIN paid c ON c.trial_id = t.id
        LEFT JOIN priced p ON p.trial_id = t.id LEFT JOIN units u ON u.order_id = o.id
        LEFT JOIN payments m ON m.order_id = o.id
        WHERE coalesce(c.card, 0) + coalesce(c.points, 0) <> coalesce(p.amount, 0) + o.extras_paid
           OR coalesce(u.amount, 0) <> coalesce(p.amount, 0)
           OR coalesce(m.card, 0) <> coalesce(c.card, 0) OR coalesce(m.points, 0) <> coalesce(c.points, 0)
           OR m.odd > 0 OR coalesce(p.amount, 0) > t.max_charge
        """,
    ),
    Invariant(
        "charge-is-a-payment",
        "Every charge that brought money in is one payment of its order, with this amount and reference.",
        """
        SELECT c.id AS charge_id, c.captured, c.reference, p.id AS payment_id, p.amount
        FROM trial_charge c JOIN trial t ON t.id = c.trial_id LEFT JOIN payment p ON p.id = c.payment_id
        WHERE (c.captured > 0) <> (c.payment_id IS NOT NULL) OR (c.captured > 0 AND c.status <> 'captured')
           OR (p.id IS NOT NULL AND (p.amount <> c.captured OR p.reference IS DISTINCT FROM c.reference
               OR p.order_id <> t.order_id OR p.tender <> 'stripe'))
        """,
    ),
    Invariant(
        "one-hold",
        "A trial has at most one hold, and none is larger than what the customer was told.",
        """
        SELECT t.id AS trial_id, t.max_charge, t.points, t.deposit, count(*) FILTER (
            WHERE c.status IN ('submitting', 'unknown', 'held', 'capturing', 'canceling')) AS live,
            max(c.amount) AS most
        FROM trial t JOIN trial_charge c ON c.trial_id = t.id AND c.kind = 'hold' GROUP BY t.id
        HAVING count(*) FILTER (WHERE c.status IN ('submitting', 'unknown', 'held', 'capturing', 'canceling')) > 1
            OR max(c.amount) > t.max_charge - t.points - t.deposit
        """,
    ),
    Invariant(
        "kept-or-back",
        "What was charged and is in the warehouse is refunded, and what came before it was charged never is.",
        # Whoever was refunded elsewhere, by a gesture or by their bank has had some of it in another way.
        """
        SELECT i.id AS item_id, i.outcome, l.unit_paid[1] AS paid, back.amount AS refunded
        FROM trial_item i JOIN order_line l ON l.id = i.order_line_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(r.amount), 0) AS amount FROM refund_line r
            WHERE r.order_line_id = l.id AND r.voided_at IS NULL) AS back
        WHERE l.unit_paid[1] > back.amount AND EXISTS (
            SELECT FROM parcel_item c JOIN parcel p ON p.id = c.parcel_id
            WHERE c.order_line_id = l.id AND p.undone_at IS NULL AND c.acceptance = 'accepted')
          AND NOT EXISTS (SELECT FROM refund f WHERE f.order_id = l.order_id AND (f.kind IN ('outside', 'goodwill')
            OR EXISTS (SELECT FROM history h WHERE h.subject_id = f.id AND h.action = 'lowered')))
          AND NOT EXISTS (SELECT FROM dispute d JOIN payment m ON m.id = d.payment_id WHERE m.order_id = l.order_id)
        """,
    ),
    Invariant(
        "kept-by-a-charge",
        "What is kept is charged by something that was charged or is under way, and what is neither costs nothing.",
        """
        SELECT i.id AS item_id, i.outcome, c.status, l.unit_paid[1] AS paid
        FROM trial_item i JOIN trial t ON t.id = i.trial_id JOIN order_line l ON l.id = i.order_line_id
        LEFT JOIN trial_charge c ON c.id = i.charge_id
        WHERE (i.outcome = 'kept' AND t.mode = 'trial' AND c.status IN ('failed', 'canceled', 'expired'))
           OR c.trial_id <> i.trial_id
           OR l.unit_paid[1] <> CASE WHEN c.status = 'captured' THEN i.price ELSE 0 END
        """,
    ),
    Invariant(
        "settled-is-over",
        "A trial that is settled or called off leaves nothing open: no item, no hold, no points, no deposit.",
        """
        SELECT t.id AS trial_id, t.status, o.extras_paid FROM trial t JOIN orders o ON o.id = t.order_id
        WHERE t.status IN ('settled', 'cancelled', 'written_off') AND t.changed_at < :late AND (
            EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.changed_at < :late AND (c.status IN (
                'planned', 'submitting', 'unknown', 'action_needed', 'capturing', 'canceling')
                OR (c.kind = 'hold' AND c.status = 'held')))
         OR (t.status <> 'cancelled' AND EXISTS (
                SELECT FROM trial_item i WHERE i.trial_id = t.id AND i.outcome = 'open'))
         OR (t.status <> 'written_off' AND EXISTS (
                SELECT FROM points_redemption r WHERE r.id = t.redemption_id AND r.status = 'held'))
         OR (t.status <> 'written_off' AND o.extras_paid <> (SELECT coalesce(sum(f.amount), 0) FROM refund f
                WHERE f.order_id = o.id AND f.kind = 'deposit' AND f.status <> 'canceled')))
        """,
    ),
    Invariant(
        "no-charge-forgotten",
        "Every charge that has been under way for an hour has a job that works on it.",
        """
        SELECT c.id AS charge_id, c.status, c.attempts FROM trial_charge c
        WHERE c.status IN ('submitting', 'unknown', 'capturing', 'canceling') AND c.changed_at < :late AND NOT EXISTS (
            SELECT FROM procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND j.task_name LIKE 'tryon.%'
            AND (j.args ->> 'charge_id' = CAST(c.id AS text) OR j.args ->> 'trial_id' = CAST(c.trial_id AS text)))
        """,
    ),
)

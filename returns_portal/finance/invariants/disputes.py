"""Disputes: nobody is paid back twice, by a refund and by their bank, and the books say what the bank took.

What a customer has back of a payment, by refunds and by disputes that are open or lost, can be more than was paid
without anything being wrong here: whoever was refunded can still go to the bank, and the dashboard can refund what a
bank has taken. Then finance has a case (`finance.disputes.overpaid`), and the books are in order. What is proven is
what the portal does: that it sets no refund going, and after a loss plans none, that goes beyond what was paid.
"""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

DISPUTES: Final = (
    Invariant(
        "dispute-holds",
        "No refund of a payment was set going while a dispute of it was open.",
        """
        SELECT d.id AS dispute_id, f.id AS refund_id, h.at AS set_going, d.recorded_at, d.closed_at
        FROM dispute d JOIN refund f ON f.payment_id = d.payment_id JOIN history h ON h.subject_id = f.id
        WHERE h.subject = 'refund' AND h.action IN ('submitting', 'succeeded', 'awaiting_transfer')
          AND h.data ->> 'from' = 'planned' AND h.at > d.recorded_at AND (d.closed_at IS NULL OR h.at < d.closed_at)
        """,
    ),
    Invariant(
        "held-while-disputed",
        "A refund is held back only while its payment is disputed.",
        """
        SELECT f.id AS refund_id, f.status, f.held_at FROM refund f WHERE f.held_at IS NOT NULL
        AND (f.status <> 'planned' OR NOT EXISTS (
            SELECT FROM dispute d WHERE d.payment_id = f.payment_id AND d.closed_at IS NULL))
        """,
    ),
    Invariant(
        "dispute-cap",
        "No refund was set going that was, with all before it and with what banks took, more than was paid.",
        # Each refund is looked at as of the moment in which it was set going: disputes that were recorded by then, and
        # refunds that were on their way, or were found in the dashboard. What failed since counts for nothing.
        """
        WITH disputed AS (
            SELECT d.payment_id, p.amount - p.refunded_before AS paid,
                   sum(d.withdrawn) FILTER (WHERE d.status = 'lost') AS lost
            FROM dispute d JOIN payment p ON p.id = d.payment_id
            WHERE d.withdrawn > 0 AND (d.closed_at IS NULL OR d.status = 'lost')
            GROUP BY d.payment_id, p.amount, p.refunded_before),
        live AS (
            SELECT f.id, f.payment_id, f.kind, f.status, f.amount,
                   CASE WHEN f.kind = 'outside' THEN f.created_at ELSE (
                       SELECT min(h.at) FROM history h WHERE h.subject_id = f.id AND h.subject = 'refund'
                       AND h.action IN ('submitting', 'succeeded', 'awaiting_transfer')
                       AND h.data ->> 'from' = 'planned' AND h.data ->> 'attempt' = CAST(f.attempt AS text))
                   END AS at
            FROM refund f JOIN disputed USING (payment_id) WHERE f.status NOT IN ('failed', 'canceled'))
        SELECT f.payment_id, f.id AS refund_id, f.status, t.paid, taken.amount AS taken, gone.amount AS refunded
        FROM live f JOIN disputed t USING (payment_id)
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(d.withdrawn), 0) AS amount FROM dispute d WHERE d.payment_id = f.payment_id
            AND d.recorded_at < f.at AND (d.closed_at IS NULL OR d.status = 'lost')) AS taken
        CROSS JOIN LATERAL (
            SELECT sum(x.amount) AS amount FROM live x WHERE x.payment_id = f.payment_id AND x.at <= f.at) AS gone
        WHERE f.kind <> 'outside' AND taken.amount > 0 AND taken.amount + gone.amount > t.paid
        UNION ALL
        SELECT t.payment_id, NULL, 'planned', t.paid, t.lost, sum(f.amount)
        FROM disputed t JOIN live f USING (payment_id) WHERE t.lost > 0
        GROUP BY t.payment_id, t.paid, t.lost
        HAVING t.lost + sum(f.amount) > t.paid AND bool_or(f.status = 'planned')
        """,
    ),
    Invariant(
        "disputes-are-booked",
        "The books say of each dispute what the bank took of its payment, as open or as lost.",
        """
        WITH posted AS (
            SELECT t.cause_id, count(DISTINCT t.id) AS postings,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'disputes_open'), 0) AS disputes_open,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'dispute_losses'), 0) AS dispute_losses,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'gateway_clearing'), 0) AS gateway_clearing,
                   min(e.currency) AS currency, max(e.currency) AS other_currency
            FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id WHERE t.cause = 'dispute'
            GROUP BY t.cause_id)
        SELECT d.id AS dispute_id, d.status, d.withdrawn, b.disputes_open, b.dispute_losses, b.gateway_clearing
        FROM dispute d LEFT JOIN posted b ON b.cause_id = d.id
        WHERE coalesce(b.disputes_open, 0) <> CASE WHEN d.status = 'lost' THEN 0 ELSE d.withdrawn END
           OR coalesce(b.dispute_losses, 0) <> CASE WHEN d.status = 'lost' THEN d.withdrawn ELSE 0 END
           OR coalesce(b.gateway_clearing, 0) <> -d.withdrawn OR coalesce(b.postings, 0) <> d.postings
           OR b.currency <> d.currency OR b.other_currency <> d.currency
        """,
    ),
)

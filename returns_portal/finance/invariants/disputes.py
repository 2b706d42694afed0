"""Disputes: nobody is paid back twice, by a refund and by their bank, and the books say what the bank took."""

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
        "What is refunded after a dispute was lost is, with what the bank took, no more than was paid.",
        # Whoever was refunded first can still go to the bank. But while a dispute is open nothing is set going, and
        # once it is lost nothing may be, nor be planned, that is not within what is left.
        """
        WITH taken AS (
            SELECT payment_id, sum(withdrawn) AS withdrawn, min(closed_at) AS since FROM dispute
            WHERE withdrawn > 0 AND status = 'lost' GROUP BY payment_id)
        SELECT p.id AS payment_id, p.amount, p.refunded_before, t.withdrawn, sum(f.amount) AS refunded
        FROM taken t JOIN payment p ON p.id = t.payment_id JOIN refund f ON f.payment_id = p.id
        WHERE f.status NOT IN ('failed', 'canceled')
        GROUP BY p.id, t.withdrawn, t.since
        HAVING p.refunded_before + t.withdrawn + sum(f.amount) > p.amount AND bool_or(
            f.status = 'planned' OR (f.kind <> 'outside' AND EXISTS (
                SELECT FROM history h WHERE h.subject_id = f.id AND h.subject = 'refund' AND h.at > t.since
                AND h.action IN ('submitting', 'succeeded', 'awaiting_transfer') AND h.data ->> 'from' = 'planned')))
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

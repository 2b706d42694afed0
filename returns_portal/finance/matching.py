"""Matching the ledger with the gateway's balance: each line of the one with exactly one line of the other.

Lines are matched by what they are, never by when they happened or by how much they come to: a refund by the gateway's
own note of which refund and attempt of ours it is, else by the gateway's id of it; its failure alike; what a dispute
took and gave back, by the dispute and the order in which it happened. So no clock can make a false alarm, and an amount
that differs shows as that.
"""

from typing import Final

from returns_portal.db import Begin, run

_LOCK: Final = "SELECT pg_advisory_xact_lock(4711023)"
"""Two that match at once would each give the same posting to another line."""

# Where the gateway has several refunds of one attempt, the first is ours, and the others stay without a posting.
_REFUNDS: Final = """
    WITH found AS (
        SELECT g.id, g.created_at, e.id AS entry_id
        FROM gateway_line g
        CROSS JOIN LATERAL (
            SELECT g.refund_id AS id, g.attempt WHERE g.refund_id IS NOT NULL
            UNION SELECT f.id, f.attempt FROM refund f WHERE f.gateway_id = g.source) AS r
        JOIN ledger_transaction t ON t.cause = 'refund' AND t.cause_id = r.id AND t.sequence = r.attempt
         AND t.kind = CASE g.category WHEN 'refund' THEN 'refund' ELSE 'refund_reversal' END
        JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'gateway_clearing'
        WHERE g.ledger_entry_id IS NULL AND g.category IN ('refund', 'refund_failure')
          AND NOT EXISTS (SELECT FROM gateway_line m WHERE m.ledger_entry_id = e.id)),
    first AS (SELECT DISTINCT ON (entry_id) entry_id, id FROM found ORDER BY entry_id, created_at, id)
    UPDATE gateway_line g SET ledger_entry_id = first.entry_id FROM first WHERE g.id = first.id
"""
_DISPUTES: Final = """
    WITH theirs AS (
        SELECT g.id, d.id AS dispute_id, g.payment_currency AS currency, g.payment_amount AS amount, row_number() OVER (
            PARTITION BY d.id, g.payment_currency, g.payment_amount ORDER BY g.created_at, g.id) AS n
        FROM gateway_line g JOIN dispute d ON d.gateway_id = g.source
        WHERE g.ledger_entry_id IS NULL AND g.category IN ('dispute', 'dispute_reversal')),
    ours AS (
        SELECT e.id AS entry_id, t.cause_id AS dispute_id, e.currency, e.amount, row_number() OVER (
            PARTITION BY t.cause_id, e.currency, e.amount ORDER BY t.sequence) AS n
        FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'gateway_clearing'
        WHERE t.cause = 'dispute' AND t.cause_id IN (SELECT dispute_id FROM theirs)
          AND NOT EXISTS (SELECT FROM gateway_line m WHERE m.ledger_entry_id = e.id))
    UPDATE gateway_line g SET ledger_entry_id = ours.entry_id
    FROM theirs JOIN ours USING (dispute_id, currency, amount, n) WHERE g.id = theirs.id
"""


async def match(begin: Begin) -> None:
    """Match what can be matched by now; what is matched stays so."""
    async with begin() as db:
        # The first night of a large shop takes longer than any request may.
        await run(db, "SET LOCAL statement_timeout = '30min'")
        await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")
        await run(db, _LOCK)
        # What was read just now may be most of the table, which the planner would take for a small one.
        await run(db, "ANALYZE gateway_line")
        await run(db, _REFUNDS)
        await run(db, _DISPUTES)

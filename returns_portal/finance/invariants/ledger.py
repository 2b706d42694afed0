"""The ledger: balanced, each posting with its cause, and in agreement with what it tells of."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

CAUSES: Final = {
    "refund": ("refund", ("refund_owed", "refund_released", "refund_lowered", "refund", "refund_reversal")),
    "dispute": ("dispute", ("dispute",)),
    "order": ("orders", ("points_earned",)),
    "points_clawback": ("points_clawback", ("points_clawed_back",)),
    "points_redemption": ("points_redemption", ("points_held", "points_captured", "points_released")),
    "points_move": ("points_move", ("points_expired",)),
    "points_adjustment": ("points_adjustment", ("points_adjusted",)),
}
"""What may cause a posting: the table of the record, and the kinds of transaction that it can bring about."""


def _caused() -> str:
    """The SQL condition that a transaction `t` has the record that it names."""
    return " OR ".join(
        f"(t.cause = '{cause}' AND t.kind IN ({', '.join(map(repr, kinds))})"
        f" AND EXISTS (SELECT FROM {table} x WHERE x.id = t.cause_id))"
        for cause, (table, kinds) in CAUSES.items()
    )


LEDGER: Final = (
    Invariant(
        "ledger-balance",
        "The entries of every transaction of the ledger sum to zero in each currency.",
        """
        SELECT transaction_id, currency, sum(amount) AS sum FROM ledger_entry
        GROUP BY transaction_id, currency HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        "ledger-cause",
        "Every transaction of the ledger has entries, and the record that caused it.",
        f"""
        SELECT t.id AS transaction_id, t.kind, t.cause, t.cause_id, t.sequence FROM ledger_transaction t
        WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.transaction_id = t.id) OR NOT ({_caused()})
        """,  # noqa: S608 - the interpolated words are our own table above
    ),
    Invariant(
        "refunds-are-booked",
        "A refund is booked once while it has succeeded, and not at all, or reversed, while it has not.",
        """
        WITH booked AS (
            SELECT cause_id, sequence, count(*) FILTER (WHERE kind = 'refund') AS booked,
                   count(*) FILTER (WHERE kind = 'refund_reversal') AS reversed
            FROM ledger_transaction WHERE cause = 'refund' AND kind IN ('refund', 'refund_reversal')
            GROUP BY cause_id, sequence)
        SELECT f.id AS refund_id, f.status, f.attempt, f.attempt AS sequence, b.booked, b.reversed
        FROM refund f LEFT JOIN booked b ON b.cause_id = f.id AND b.sequence = f.attempt
        WHERE coalesce(b.booked, 0) - coalesce(b.reversed, 0) <> CAST(f.status = 'succeeded' AS int) OR b.booked > 1
        UNION ALL
        SELECT f.id, f.status, f.attempt, b.sequence, b.booked, b.reversed
        FROM refund f JOIN booked b ON b.cause_id = f.id AND b.sequence < f.attempt
        WHERE b.booked <> b.reversed OR b.booked > 1
        """,
    ),
    Invariant(
        "history-is-booked",
        "Every success that the history tells of is booked, and so is every failure after a success.",
        """
        SELECT h.subject_id AS refund_id, h.action, h.data -> 'attempt' AS attempt
        FROM history h LEFT JOIN ledger_transaction t ON t.cause = 'refund' AND t.cause_id = h.subject_id
         AND t.sequence = CAST(h.data ->> 'attempt' AS int)
         AND t.kind = CASE h.action WHEN 'succeeded' THEN 'refund' ELSE 'refund_reversal' END
        WHERE h.subject = 'refund' AND t.id IS NULL
          AND (h.action = 'succeeded' OR (h.action = 'failed' AND h.data ->> 'from' = 'succeeded'))
        """,
    ),
    Invariant(
        "booked-as-refunded",
        "The books say of each refund what is true of it: owed until it succeeds, then paid, on its accounts.",
        # What was posted is added up over all attempts, so that reversals and second tries need no rules of their own.
        """
        WITH posted AS (
            SELECT t.cause_id,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'sales_returns'), 0) AS sales_returns,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'goodwill_expense'), 0) AS goodwill_expense,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'refunds_payable'), 0) AS refunds_payable,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'postage_income'), 0) AS postage_income,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'bonus_expense'), 0) AS bonus_expense,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'customer_points'), 0) AS customer_points,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'gateway_clearing'), 0) AS gateway_clearing,
                   coalesce(sum(e.amount) FILTER (WHERE e.account = 'bank_clearing'), 0) AS bank_clearing,
                   min(e.currency) AS currency, max(e.currency) AS other_currency
            FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id WHERE t.cause = 'refund'
            GROUP BY t.cause_id),
        due AS (
            SELECT f.*, CASE WHEN f.status = 'canceled' THEN 0 ELSE f.amount END AS cost,
                   CASE WHEN f.status = 'canceled' THEN 0 ELSE f.fee END AS kept,
                   CASE WHEN f.status = 'succeeded' THEN f.amount ELSE 0 END AS gone,
                   CASE WHEN f.status = 'succeeded' THEN f.bonus ELSE 0 END AS extra
            FROM refund f)
        SELECT f.id AS refund_id, f.status, f.kind, f.destination, f.amount, f.fee, f.bonus, t.sales_returns,
               t.postage_income, t.goodwill_expense, t.refunds_payable, t.bonus_expense, t.customer_points,
               t.gateway_clearing, t.bank_clearing, t.currency
        FROM due f LEFT JOIN posted t ON t.cause_id = f.id
        WHERE coalesce(t.sales_returns, 0) <> CASE WHEN f.kind = 'goodwill' THEN 0 ELSE f.cost + f.kept END
           OR coalesce(t.postage_income, 0) <> -f.kept
           OR coalesce(t.goodwill_expense, 0) <> CASE WHEN f.kind = 'goodwill' THEN f.cost ELSE 0 END
           OR coalesce(t.refunds_payable, 0) <> f.gone - f.cost
           OR coalesce(t.bonus_expense, 0) <> f.extra
           OR coalesce(t.customer_points, 0) <> CASE f.destination WHEN 'points' THEN -f.gone - f.extra ELSE 0 END
           OR coalesce(t.gateway_clearing, 0) <> CASE f.destination WHEN 'original' THEN -f.gone ELSE 0 END
           OR coalesce(t.bank_clearing, 0) <> CASE f.destination WHEN 'transfer' THEN -f.gone ELSE 0 END
           OR t.currency <> f.currency OR t.other_currency <> f.currency
        """,
    ),
    Invariant(
        "attempts-as-booked",
        "What is kept of an attempt that is over is what was booked of it, and nothing that was booked is forgotten.",
        """
        SELECT t.id AS transaction_id, t.kind, t.cause_id AS refund_id, t.sequence, k.destination, k.amount, k.bonus
        FROM ledger_transaction t JOIN refund f ON f.id = t.cause_id
        LEFT JOIN refund_attempt k ON k.refund_id = f.id AND k.attempt = t.sequence
        JOIN ledger_entry e ON e.transaction_id = t.id
        WHERE t.cause = 'refund' AND t.kind IN ('refund', 'refund_reversal')
          AND (k.refund_id IS NOT NULL OR t.sequence < f.attempt)
        GROUP BY t.id, k.refund_id, k.attempt
        HAVING abs(sum(e.amount) FILTER (WHERE e.account = 'refunds_payable')) IS DISTINCT FROM k.amount
            OR abs(coalesce(sum(e.amount) FILTER (WHERE e.account = 'bonus_expense'), 0)) IS DISTINCT FROM k.bonus
            OR NOT bool_or(e.account = CASE k.destination WHEN 'original' THEN 'gateway_clearing'
                           WHEN 'points' THEN 'customer_points' ELSE 'bank_clearing' END)
        """,
    ),
)

"""Closed months and credit notes: nothing in two months, nothing changed since, no number missing."""

from typing import Final

from returns_portal.finance.invariants.shapes import Invariant

CLOSING: Final = (
    Invariant(
        "closed-lines-once",
        "Every closed month holds as many transactions as when it was closed, none of them dated after its end.",
        # That no transaction is in two months says its primary key.
        """
        SELECT m.month, m.lines, count(k.ledger_transaction_id) AS found, max(t.at) AS newest, m.ends
        FROM closed_period m LEFT JOIN closed_line k ON k.period_id = m.id
        LEFT JOIN ledger_transaction t ON t.id = k.ledger_transaction_id
        GROUP BY m.id HAVING m.lines <> count(k.ledger_transaction_id) OR max(t.at) >= m.ends
        """,
    ),
    Invariant(
        "closed-in-order",
        "Closed months follow one another without a gap, each beginning where the one before ends.",
        """
        SELECT * FROM (SELECT month, begins, lag(month) OVER months AS month_before, lag(ends) OVER months AS ended
                       FROM closed_period WINDOW months AS (ORDER BY month)) AS m
        WHERE m.month_before IS NOT NULL
          AND (m.month <> m.month_before + interval '1 month' OR m.begins <> m.ended)
        """,
    ),
    Invariant(
        "closed-totals",
        "What a closed month was said to come to is what its transactions come to.",
        """
        WITH said AS (
            SELECT m.month, x.currency, x.refunds, x.refunded, x.reversals, x.reversed FROM closed_period m
            CROSS JOIN LATERAL jsonb_to_recordset(m.totals) AS x(
                currency text, refunds bigint, refunded bigint, reversals bigint, reversed bigint)),
        found AS (
            SELECT m.month, e.currency, count(*) FILTER (WHERE t.kind = 'refund') AS refunds,
                   coalesce(sum(e.amount) FILTER (WHERE t.kind = 'refund'), 0) AS refunded,
                   count(*) FILTER (WHERE t.kind = 'refund_reversal') AS reversals,
                   -coalesce(sum(e.amount) FILTER (WHERE t.kind = 'refund_reversal'), 0) AS reversed
            FROM closed_period m JOIN closed_line k ON k.period_id = m.id
            JOIN ledger_transaction t ON t.id = k.ledger_transaction_id
            JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'refunds_payable'
            WHERE t.kind IN ('refund', 'refund_reversal') GROUP BY m.month, e.currency)
        SELECT month, currency, said.refunded AS said, found.refunded AS found, said.reversed AS said_reversed,
               found.reversed AS found_reversed
        FROM said FULL JOIN found USING (month, currency)
        WHERE (said.refunds, said.refunded, said.reversals, said.reversed)
           IS DISTINCT FROM (found.refunds, found.refunded, found.reversals, found.reversed)
        """,
    ),
    Invariant(
        "closed-files-add-up",
        "The refunds and reversals in the file of a closed month come to what the month was said to come to.",
        # Of files that were written before their sums were kept nothing is asked.
        """
        WITH said AS (
            SELECT m.month, x.currency, x.refunds, x.refunded, x.reversals, x.reversed FROM closed_period m
            JOIN closed_file k ON k.period_id = m.id AND k.sums IS NOT NULL
            CROSS JOIN LATERAL jsonb_to_recordset(m.totals) AS x(
                currency text, refunds bigint, refunded bigint, reversals bigint, reversed bigint)),
        written AS (
            SELECT m.month, x.currency, x.refunds, x.refunded, x.reversals, x.reversed FROM closed_period m
            JOIN closed_file k ON k.period_id = m.id
            CROSS JOIN LATERAL jsonb_to_recordset(k.sums) AS x(
                currency text, refunds bigint, refunded bigint, reversals bigint, reversed bigint))
        SELECT month, currency, said.refunded AS said, written.refunded AS written, said.reversed AS said_reversed,
               written.reversed AS written_reversed
        FROM said FULL JOIN written USING (month, currency)
        WHERE (said.refunds, said.refunded, said.reversals, said.reversed)
           IS DISTINCT FROM (written.refunds, written.refunded, written.reversals, written.reversed)
        """,
    ),
    Invariant(
        "closed-exported-once",
        "Each closed month has one file of each kind, with all of its lines, and of the very bytes that were written.",
        # A file above half a gigabyte would not fit into one value; of it the length is asked alone.
        """
        WITH content AS (
            SELECT f.id, coalesce(sum(length(c.data)), 0) AS length,
                   CASE WHEN f.size < 500000000 THEN sha256(coalesce(string_agg(c.data, '' ORDER BY c.number), ''))
                   ELSE f.digest END AS digest
            FROM closed_file k JOIN finance_file f ON f.id = k.file_id
            LEFT JOIN finance_file_chunk c ON c.file_id = f.id GROUP BY f.id),
        due AS (
            SELECT m.id, m.month, m.closed_at, kind,
                   CASE kind WHEN 'journal.csv' THEN (
                       SELECT count(*) FROM closed_line k JOIN ledger_entry e
                       ON e.transaction_id = k.ledger_transaction_id WHERE k.period_id = m.id)
                   ELSE (SELECT count(*) FROM closed_line k JOIN ledger_transaction t
                       ON t.id = k.ledger_transaction_id WHERE k.period_id = m.id AND t.cause = 'refund'
                       AND t.kind IN ('refund', 'refund_reversal')) END AS rows
            FROM closed_period m CROSS JOIN unnest(ARRAY['refunds.csv', 'refunds.xlsx', 'journal.csv']) AS kind)
        SELECT d.month, d.kind, d.rows AS due, f.rows, f.size, c.length
        FROM due d LEFT JOIN closed_file k ON k.period_id = d.id AND k.kind = d.kind
        LEFT JOIN finance_file f ON f.id = k.file_id LEFT JOIN content c ON c.id = f.id
        WHERE CASE WHEN f.id IS NULL THEN d.closed_at < :late
              ELSE f.rows <> d.rows OR f.size <> c.length OR f.digest <> c.digest END
        """,
    ),
    Invariant(
        "credit-notes-without-gaps",
        "The numbers of credit notes run from 1 in each year, each given once.",
        """
        SELECT year, s.last, n.count, n.lowest, n.highest FROM credit_note_series s FULL JOIN (
            SELECT year, count(*) AS count, min(number) AS lowest, max(number) AS highest FROM credit_note GROUP BY year
        ) AS n USING (year)
        WHERE (s.last, n.count, n.lowest, n.highest) IS DISTINCT FROM (n.count, n.highest, 1, n.highest)
        """,
    ),
    Invariant(
        "credit-notes-of-postings",
        "Every credit note tells of the posting that it names, and every cancellation of what it cancels.",
        """
        SELECT n.document, n.kind, n.refund_id, n.attempt, t.kind AS posting, t.cause_id, t.sequence,
               c.document AS cancels
        FROM credit_note n JOIN ledger_transaction t ON t.id = n.ledger_transaction_id
        LEFT JOIN credit_note c ON c.id = n.cancels_id
        WHERE t.cause <> 'refund' OR t.cause_id <> n.refund_id OR t.sequence <> n.attempt
           OR t.kind <> CASE n.kind WHEN 'cancellation' THEN 'refund_reversal' ELSE 'refund' END
           OR (c.id IS NOT NULL AND (c.kind, c.refund_id, c.attempt) <> ('credit_note', n.refund_id, n.attempt))
        """,
    ),
    Invariant(
        "credit-notes-for-all",
        "No refund was passed over when numbers were given.",
        # Numbers are given in the order of the postings; one that is committed late is found by the next nightly round.
        """
        SELECT t.id AS transaction_id, t.kind, t.cause_id AS refund_id, t.at FROM ledger_transaction t
        WHERE t.cause = 'refund' AND t.kind IN ('refund', 'refund_reversal')
          AND t.at < (SELECT max(p.at) - interval '2 days' FROM credit_note n
                      JOIN ledger_transaction p ON p.id = n.ledger_transaction_id)
          AND NOT EXISTS (SELECT FROM credit_note n WHERE n.ledger_transaction_id = t.id)
        """,
    ),
)

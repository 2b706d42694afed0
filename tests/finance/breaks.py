"""What breaks the rules of closed months and credit notes: one statement each, on the seed's stories."""
# ruff: noqa: S608 - the statements are made of ids of the seed's own records

from typing import Final

from tests.finance.seed import identity


def _period(month: str, ends: str, *, lines: int = 0, totals: str = "[]", closed: str = "2027-01-01") -> str:
    """A closed month of nothing; closed so late that its files are not missed yet."""
    return f"""INSERT INTO closed_period VALUES (gen_random_uuid(), '{month}', 'UTC', '{month}', '{ends}', {lines},
        '{totals}', '{closed}', 'staff:1')"""


_SELLER: Final = "seller AS (INSERT INTO credit_note_seller VALUES (gen_random_uuid(), '{}', now()) RETURNING id)"

CLOSING_BREAKS: Final = {
    "closed-lines-once": _period("2026-10-01", "2026-11-01", lines=1),
    "closed-in-order": f"""
        WITH august AS ({_period("2026-08-01", "2026-09-01")}) {_period("2026-10-01", "2026-11-01")}""",
    "closed-totals": _period(
        "2026-10-01",
        "2026-11-01",
        totals='[{"currency": "EUR", "refunds": 1, "refunded": 5, "reversals": 0, "reversed": 0}]',
    ),
    "closed-files-add-up": f"""
        WITH file AS (
            INSERT INTO finance_file VALUES (gen_random_uuid(), 'refunds.csv', 'text/csv', 0, 0, sha256(''), now())
            RETURNING id),
        period AS ({_period("2026-10-01", "2026-11-01")} RETURNING id)
        INSERT INTO closed_file SELECT period.id, 'refunds.csv', file.id,
            '[{{"currency": "EUR", "refunds": 1, "refunded": 5, "reversals": 0, "reversed": 0}}]' FROM period, file""",
    "closed-exported-once": f"""
        WITH file AS (
            INSERT INTO finance_file SELECT gen_random_uuid(), kind, 'text/csv', 0,
            CASE kind WHEN 'journal.csv' THEN 1 ELSE 0 END, sha256(''), now()
            FROM unnest(ARRAY['refunds.csv', 'refunds.xlsx', 'journal.csv']) AS kind RETURNING id, name),
        period AS ({_period("2026-10-01", "2026-11-01", closed="2026-11-02")} RETURNING id)
        INSERT INTO closed_file SELECT period.id, file.name, file.id FROM period, file""",
    "credit-notes-without-gaps": "INSERT INTO credit_note_series VALUES (2026, 1)",
    "credit-notes-of-postings": f"""
        WITH {_SELLER}, series AS (INSERT INTO credit_note_series VALUES (2026, 1))
        INSERT INTO credit_note SELECT gen_random_uuid(), 2026, 1, 'CN-2026-000001', 'credit_note',
        '{identity("refund", 1)}', 1, '{identity("booking", 2)}', NULL, id, now(), '{{}}'
        FROM seller""",
    "credit-notes-for-all": f"""
        WITH {_SELLER}, series AS (
            INSERT INTO credit_note_series SELECT 2026, count(*) - 1 FROM ledger_transaction WHERE kind = 'refund'),
        early AS (UPDATE ledger_transaction SET at = at - interval '10 days' WHERE id = '{identity("booking", 1)}')
        INSERT INTO credit_note
        SELECT gen_random_uuid(), 2026, row_number() OVER (ORDER BY t.at), 'CN-' || t.id, 'credit_note', t.cause_id, 1,
        t.id, NULL, seller.id, now(), '{{}}' FROM ledger_transaction t, seller
        WHERE t.kind = 'refund' AND t.id <> '{identity("booking", 1)}'""",
}

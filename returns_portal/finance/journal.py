"""The books as files: which transactions belong to a month, the journal of them, and the refunds among them.

The journal is CSV with one row for each line of the ledger and this header:

- `date`: the day, in the shop's zone, on which it is booked; of what came after its month was closed, the first day of
  the month that was open then
- `document`: the credit note; else the return's number, the order's, or the transaction's id
- `account_code`, `account`: the shop's code, and the name of the account in the portal's ledger
- `text`: what it is and whose
- `currency`, `debit`, `credit`: ISO 4217, and decimal numbers in major units, of which one is empty; debits and credits
  of a transaction come to the same in each currency
- `order_number`, `transaction_id`
- `livemode`: false where no money moved
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from returns_portal.finance.codes import CODES_SQL
from returns_portal.finance.listing import Column, Listing
from returns_portal.finance.report import COLUMNS, joins
from returns_portal.refunds.attempts import AS_BOOKED


class Members(msgspec.Struct, frozen=True):
    """Transactions of the ledger: a SELECT of them, each with the moment `booked_at`, and its values."""

    sql: str
    values: dict[str, Any]


def in_period(begins: datetime, ends: datetime) -> Members:
    """What is dated in a period, whatever was closed."""
    return Members(
        "SELECT t.*, t.at AS booked_at FROM ledger_transaction t WHERE t.at >= %(begins)s AND t.at < %(ends)s",
        {"begins": begins, "ends": ends},
    )


def in_closed(period_id: UUID) -> Members:
    """What a closed month holds; late lines are booked at its beginning."""
    return Members(
        "SELECT t.*, greatest(t.at, m.begins) AS booked_at FROM closed_period m"
        " JOIN closed_line k ON k.period_id = m.id JOIN ledger_transaction t ON t.id = k.ledger_transaction_id"
        " WHERE m.id = %(period_id)s",
        {"period_id": period_id},
    )


def in_open(begins: datetime, ends: datetime, *, first: bool) -> Members:
    """What an open month holds so far; the first open one holds whatever is older and in no closed one, too."""
    older = "" if first else " AND t.at >= %(begins)s"
    return Members(
        "SELECT t.*, greatest(t.at, %(begins)s) AS booked_at FROM ledger_transaction t"  # noqa: S608 - our own text
        f" WHERE t.at < %(ends)s{older} AND NOT EXISTS ("
        "SELECT FROM closed_line k WHERE k.ledger_transaction_id = t.id)",
        {"begins": begins, "ends": ends},
    )


_JOURNAL: Final = (
    Column("date", "to_char(t.booked_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD')"),
    Column("document", "coalesce(n.document, r.rma, o.number, CAST(t.id AS text))", "text"),
    Column("account_code", "a.code", "text"),
    Column("account", "e.account"),
    Column("text", "concat_ws(', ', replace(t.kind, '_', ' '), r.rma, o.number)", "text"),
    Column("currency", "e.currency"),
    Column("debit", "CASE WHEN e.amount > 0 THEN e.amount END", "amount"),
    Column("credit", "CASE WHEN e.amount < 0 THEN -e.amount END", "amount"),
    Column("order_number", "o.number", "text"),
    Column("transaction_id", "t.id"),
    Column("livemode", "coalesce(f.livemode, %(livemode)s)", "flag"),
)


def journal_listing(members: Members, zone: str, *, livemode: bool) -> Listing:
    """The journal of these transactions, in the order in which they are booked.

    Args:
        members: the transactions.
        zone: of the shop.
        livemode: whether money moves, for transactions that no refund caused.
    """
    source = f"""
        FROM ({members.sql}) AS t JOIN ledger_entry e ON e.transaction_id = t.id
        JOIN ({CODES_SQL}) AS a ON a.account = e.account
        LEFT JOIN refund f ON t.cause = 'refund' AND f.id = t.cause_id
        LEFT JOIN orders o ON o.id = f.order_id LEFT JOIN returns r ON r.id = f.return_id
        LEFT JOIN credit_note n ON n.ledger_transaction_id = t.id
    """
    values = members.values | {"zone": zone, "livemode": livemode}
    return Listing(_JOURNAL, source, "t.booked_at, t.at, t.id, e.amount DESC, e.id", values)


_SIGN: Final = "CASE t.kind WHEN 'refund_reversal' THEN -1 ELSE 1 END"
_LINE: Final = "CASE t.kind WHEN 'refund_reversal' THEN 'refund_failure' ELSE 'refund' END"
"""What comes back has a line of the gateway's of its own, and goes in by another payout."""
_MOVEMENTS: Final = (
    Column("movement", "CASE t.kind WHEN 'refund_reversal' THEN 'reversal' ELSE 'refund' END"),
    Column("booked_at", "t.booked_at", "moment"),
    *(
        Column(column.name, f"{_SIGN} * ({column.sql})", column.kind)
        if column.kind == "amount" or column.name == "quantity"
        else column
        for column in COLUMNS
        # Where it stands now says nothing of a month that is over.
        if column.name != "status"
    ),
)


def movements_listing(members: Members) -> Listing:
    """The refunds among these transactions, and with negative amounts their reversals, as the report shows refunds.

    Each is told as it was booked, whatever has become of the refund since.
    """
    source = f"""
        FROM ({members.sql}) AS t {AS_BOOKED} {joins(_LINE)}
        LEFT JOIN credit_note n ON n.ledger_transaction_id = t.id
        WHERE t.cause = 'refund' AND t.kind IN ('refund', 'refund_reversal')
    """
    return Listing(_MOVEMENTS, source, "t.booked_at, t.at, t.id", members.values)

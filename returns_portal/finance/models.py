"""What finance keeps: files, closed months, credit notes, codes of accounts, proofs, and the gateway's balance."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary
from sqlmodel import Field, SQLModel

from returns_portal.ledger.models import Account
from returns_portal.tables import json, minor_units, moment, one_of


class StoredFile(SQLModel, table=True):
    """A file that was written once, whole; its content is in chunks."""

    __tablename__ = "finance_file"

    id: UUID = Field(primary_key=True)
    name: str
    media_type: str
    rows: int
    """How many records are in it, without its header and sums."""
    size: int = Field(sa_type=BigInteger)
    """Bytes."""
    digest: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of the content."""
    created_at: datetime = Field(sa_column=moment(nullable=False))


class StoredChunk(SQLModel, table=True):
    """A part of a file; the parts in the order of their numbers are the file."""

    __tablename__ = "finance_file_chunk"

    file_id: UUID = Field(primary_key=True, foreign_key="finance_file.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class Export(SQLModel, table=True):
    """A report that a job writes, and how far it is."""

    __tablename__ = "finance_export"
    __table_args__ = (Index("ix_finance_export_requested", "requested_at"),)

    id: UUID = Field(primary_key=True)
    wanted: dict[str, Any] = Field(sa_column=json())
    """The report's filters, as the finance page's query string names them."""
    requested_by: str
    requested_at: datetime = Field(sa_column=moment(nullable=False))
    rows_done: int = 0
    rows_total: int | None = None
    """None until the job has counted them."""
    file_id: UUID | None = Field(default=None, foreign_key="finance_file.id")
    """Set when it is done."""


class ClosedPeriod(SQLModel, table=True):
    """A month that finance closed. What it holds never changes; what comes later belongs to the open month."""

    __tablename__ = "closed_period"
    __table_args__ = (
        CheckConstraint("date_part('day', month) = 1", name="whole_month"),
        CheckConstraint("begins < ends AND ends <= closed_at", name="past"),
    )

    id: UUID = Field(primary_key=True)
    month: date = Field(unique=True)
    """Its first day."""
    zone: str
    """Of the shop, when it was closed."""
    begins: datetime = Field(sa_column=moment(nullable=False))
    ends: datetime = Field(sa_column=moment(nullable=False))
    """The first moment that is not in it."""
    lines: int
    """How many transactions of the ledger are in it."""
    totals: list[dict[str, Any]] = Field(sa_column=json())
    """By currency, in minor units: how many refunds and reversals it has, and what they come to."""
    closed_at: datetime = Field(sa_column=moment(nullable=False))
    closed_by: str


class ClosedLine(SQLModel, table=True):
    """A transaction of the ledger in the one closed month that it belongs to."""

    __tablename__ = "closed_line"
    __table_args__ = (Index("ix_closed_line_period", "period_id"),)

    ledger_transaction_id: UUID = Field(primary_key=True, foreign_key="ledger_transaction.id")
    period_id: UUID = Field(foreign_key="closed_period.id")


class ClosedFileKind(StrEnum):
    """What is kept of a closed month."""

    REFUNDS_CSV = "refunds.csv"
    REFUNDS_XLSX = "refunds.xlsx"
    JOURNAL_CSV = "journal.csv"


class ClosedFile(SQLModel, table=True):
    """A file of a closed month, kept as it was written first: whoever takes it again has the same bytes."""

    __tablename__ = "closed_file"
    __table_args__ = (one_of(ClosedFileKind, "kind"),)

    period_id: UUID = Field(primary_key=True, foreign_key="closed_period.id")
    kind: str = Field(primary_key=True)
    file_id: UUID = Field(foreign_key="finance_file.id", unique=True)
    sums: list[dict[str, Any]] | None = Field(default=None, sa_column=json(nullable=True))
    """What the rows of `refunds.csv` come to, read from the file itself, as `totals` of the month; None of the others.
    """


class Seller(SQLModel, table=True):
    """The shop as it stands on credit notes, at the time when they were issued."""

    __tablename__ = "credit_note_seller"

    id: UUID = Field(primary_key=True)
    facts: dict[str, Any] = Field(sa_column=json())
    """name, email, phone, details, address."""
    since: datetime = Field(sa_column=moment(nullable=False))


class CreditNoteKind(StrEnum):
    """What a document says."""

    CREDIT_NOTE = "credit_note"
    CANCELLATION = "cancellation"
    """The refund that a credit note tells of came back from the bank: the credit note does not hold any more."""


class CreditNote(SQLModel, table=True):
    """A numbered document of one refund that succeeded, or of one that was reversed after that."""

    __tablename__ = "credit_note"
    __table_args__ = (
        one_of(CreditNoteKind, "kind"),
        CheckConstraint("number > 0", name="counted_from_one"),
        CheckConstraint("(kind = 'cancellation') = (cancels_id IS NOT NULL)", name="cancels_one"),
        Index("uq_credit_note_number", "year", "number", unique=True),
        Index("uq_credit_note_cause", "refund_id", "attempt", "kind", unique=True),
    )

    id: UUID = Field(primary_key=True)
    year: int
    """Of its issue, in the shop's zone."""
    number: int
    """From 1 in each year, without a gap."""
    document: str
    """Year and number as they are printed: CN-2026-000001."""
    kind: str
    refund_id: UUID = Field(foreign_key="refund.id")
    attempt: int
    ledger_transaction_id: UUID = Field(foreign_key="ledger_transaction.id", unique=True)
    """The posting that it documents."""
    cancels_id: UUID | None = Field(default=None, foreign_key="credit_note.id")
    seller_id: UUID = Field(foreign_key="credit_note_seller.id")
    content: dict[str, Any] = Field(sa_column=json())
    """What it says besides its number and the seller, as it was when the number was given (`credit_notes_content`)."""
    issued_at: datetime = Field(sa_column=moment(nullable=False))


class CreditNoteSeries(SQLModel, table=True):
    """How far the numbers of a year have come. Its row is locked while numbers are given."""

    __tablename__ = "credit_note_series"

    year: int = Field(primary_key=True)
    last: int


class AccountCode(SQLModel, table=True):
    """What the shop's bookkeeping calls an account of the ledger."""

    __tablename__ = "account_code"
    __table_args__ = (one_of(Account, "account"),)

    account: str = Field(primary_key=True)
    code: str


class BooksCheck(SQLModel, table=True):
    """One proof of the books: when, and what broke them."""

    __tablename__ = "books_check"
    __table_args__ = (Index("ix_books_check_at", "at"),)

    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_column=moment(nullable=False))
    invariants: int
    """How many were asked."""
    breaches: list[dict[str, Any]] = Field(sa_column=json())
    """invariant, sentence, count and the first rows; empty where the books are in order."""


class Payout(SQLModel, table=True):
    """Money that the gateway sent to the shop's bank, in minor units of `currency`."""

    __tablename__ = "payout"
    __table_args__ = (Index("ix_payout_created", "created_at", "id"),)

    id: str = Field(primary_key=True)
    """The gateway's id of it, `po_…`."""
    status: str
    """In Stripe's word: pending, in_transit, paid, failed, canceled."""
    currency: str
    amount: int = Field(sa_column=minor_units())
    automatic: bool
    """The gateway tells the lines of automatic payouts alone."""
    listed: bool
    """Whether it tells them by now."""
    livemode: bool
    created_at: datetime = Field(sa_column=moment(nullable=False))
    """By the gateway's clock."""
    arrives: date
    """The day on which the bank has it, or should."""
    read_at: datetime | None = Field(default=None, sa_column=moment())
    """When all its lines had been read; None before."""


SETTLING: Final = ("refund", "refund_failure", "dispute", "dispute_reversal")
"""The categories of lines that the books have a posting for."""

_OPEN: Final = f"ledger_entry_id IS NULL AND category IN ({', '.join(map(repr, SETTLING))})"


class GatewayLine(SQLModel, table=True):
    """A line of the gateway's balance, in minor units: what the gateway says has happened to the shop's money.

    `amount`, `fee` and `net` are in the balance's own currency.
    """

    __tablename__ = "gateway_line"
    __table_args__ = (
        CheckConstraint("net = amount - fee", name="net_of_fee"),
        Index("uq_gateway_line_entry", "ledger_entry_id", unique=True, postgresql_where="ledger_entry_id IS NOT NULL"),
        Index("ix_gateway_line_open", "created_at", postgresql_where=_OPEN),
        Index("ix_gateway_line_source", "source"),
        Index("ix_gateway_line_payout", "payout_id", postgresql_where="payout_id IS NOT NULL"),
        Index("ix_gateway_line_created", "created_at"),
    )

    id: str = Field(primary_key=True)
    """The gateway's id of it, `txn_…`."""
    type: str
    category: str
    """In Stripe's word for reports: charge, refund, refund_failure, dispute, payout, fee …"""
    source: str | None = None
    """What it belongs to at the gateway: `ch_…`, `re_…`, `du_…`, `po_…`."""
    payment: str | None = None
    charge: str | None = None
    refund_id: UUID | None = None
    """Which refund of ours the gateway says it is, and which attempt of it; None for what was made elsewhere."""
    attempt: int | None = None
    currency: str
    amount: int = Field(sa_column=minor_units())
    fee: int = Field(sa_column=minor_units())
    net: int = Field(sa_column=minor_units())
    payment_currency: str
    """What `amount` was to the customer, where the balance has another currency than the payment."""
    payment_amount: int = Field(sa_column=minor_units())
    livemode: bool
    created_at: datetime = Field(sa_column=moment(nullable=False))
    """By the gateway's clock."""
    available_on: datetime = Field(sa_column=moment(nullable=False))
    payout_id: str | None = Field(default=None, foreign_key="payout.id")
    """The payout that it went out with; None until that is known."""
    ledger_entry_id: UUID | None = Field(default=None, foreign_key="ledger_entry.id")
    """The line of the ledger that it is matched with; None until there is one."""


class Outcome(StrEnum):
    """How a reconciliation ended."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_ANSWER = "no_answer"
    """The gateway could not be read to the end, so that nothing was compared."""


class Reconciliation(SQLModel, table=True):
    """One time that the gateway's balance was read and compared with the ledger."""

    __tablename__ = "reconciliation"
    __table_args__ = (one_of(Outcome, "outcome"), Index("ix_reconciliation_at", "at"))

    id: UUID = Field(primary_key=True)
    at: datetime = Field(sa_column=moment(nullable=False))
    """When the reading began: what happened later is not in it."""
    finished_at: datetime = Field(sa_column=moment(nullable=False))
    livemode: bool
    first: date
    """The days that were compared, in the shop's zone, both in it."""
    last: date
    outcome: str
    lines: int
    """How many lines were read."""
    differences: int
    reason: str = ""
    """What the gateway said instead of an answer."""

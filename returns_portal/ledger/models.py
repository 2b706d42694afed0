"""The books: transactions whose entries sum to zero in each currency, never changed, never deleted."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from returns_portal.tables import minor_units, moment, one_of


class Account(StrEnum):
    """The accounts. Debits are positive, credits negative."""

    SALES_RETURNS = "sales_returns"
    """What returned goods cost the shop's sales, tax in it."""
    GOODWILL_EXPENSE = "goodwill_expense"
    """What is given back without goods."""
    REFUNDS_PAYABLE = "refunds_payable"
    """What is owed to customers and not paid back yet."""
    GATEWAY_CLEARING = "gateway_clearing"
    BANK_CLEARING = "bank_clearing"
    CUSTOMER_POINTS = "customer_points"
    """The liability: what the shop owes in points, one sub-account per customer (`owner_id`)."""
    POINTS_HELD = "points_held"
    """Still owed, but set aside for a purchase that is being paid, per customer (`owner_id`)."""
    POINTS_REDEEMED = "points_redeemed"
    """What points paid for at the shop's own checkout."""
    POINTS_EXPENSE = "points_expense"
    """What points earned by purchases cost."""
    BONUS_EXPENSE = "bonus_expense"
    """What is added to card money that is taken as points."""
    POSTAGE_INCOME = "postage_income"
    """What customers pay for sending goods back: kept of their refunds where the policy of their order says so."""
    BREAKAGE = "breakage"
    """Points that expired: a liability that became income."""
    DISPUTES_OPEN = "disputes_open"
    """What banks took back while a dispute is open."""
    DISPUTE_LOSSES = "dispute_losses"
    GATEWAY_FEES = "gateway_fees"


class LedgerTransaction(SQLModel, table=True):
    """One event in the books, with its cause."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        Index("uq_ledger_cause", "cause", "cause_id", "kind", "sequence", unique=True),
        # The books only grow, so that a summary of each stretch finds a period, and costs nothing when one posts.
        Index("ix_ledger_at", "at", postgresql_using="brin"),
    )

    id: UUID = Field(primary_key=True)
    kind: str
    cause: str
    cause_id: UUID
    sequence: int
    """Tells apart repeated events of one kind and cause; the unique index makes booking twice impossible."""
    at: datetime = Field(sa_column=moment(nullable=False))


class LedgerEntry(SQLModel, table=True):
    """One line of a transaction, in minor units; positive is debit, negative credit."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        one_of(Account, "account"),
        Index("ix_ledger_entry_transaction", "transaction_id"),
        Index("ix_ledger_entry_owner", "owner_id", "currency", postgresql_where="owner_id IS NOT NULL"),
    )

    id: UUID = Field(primary_key=True)
    transaction_id: UUID = Field(foreign_key="ledger_transaction.id")
    account: str
    owner_id: UUID | None = None
    currency: str
    amount: int = Field(sa_column=minor_units())

"""Finance's files and exports, closed months, credit notes, account codes, and the nightly proof of the books."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ACCOUNTS = (
    "sales_returns",
    "goodwill_expense",
    "refunds_payable",
    "gateway_clearing",
    "bank_clearing",
    "customer_points",
    "points_held",
    "points_redeemed",
    "points_expense",
    "bonus_expense",
    "breakage",
    "disputes_open",
    "dispute_losses",
    "gateway_fees",
)
APPEND_ONLY = ("closed_period", "closed_line", "closed_file", "credit_note", "credit_note_seller")


def _id(name: str, *reference: str, nullable: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid(), *map(sa.ForeignKey, reference), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _json(name: str) -> sa.Column[dict[str, object]]:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=False)


def _files() -> None:
    op.create_table(
        "finance_file",
        _id("id"),
        _text("name"),
        _text("media_type"),
        _number("rows"),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "finance_file_chunk",
        sa.Column("file_id", sa.Uuid(), sa.ForeignKey("finance_file.id", ondelete="CASCADE"), nullable=False),
        _number("number"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "number"),
    )
    # What it holds is compressed where that helps already.
    op.execute("ALTER TABLE finance_file_chunk ALTER COLUMN data SET STORAGE EXTERNAL")
    op.create_table(
        "finance_export",
        _id("id"),
        _json("wanted"),
        _text("requested_by"),
        _moment("requested_at"),
        _number("rows_done"),
        _number("rows_total", nullable=True),
        _id("file_id", "finance_file.id", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_finance_export_requested", "finance_export", ["requested_at"])


def _closing() -> None:
    op.create_table(
        "closed_period",
        _id("id"),
        sa.Column("month", sa.Date(), nullable=False),
        _text("zone"),
        _moment("begins"),
        _moment("ends"),
        _number("lines"),
        _json("totals"),
        _moment("closed_at"),
        _text("closed_by"),
        sa.CheckConstraint("date_part('day', month) = 1", name="whole_month"),
        sa.CheckConstraint("begins < ends AND ends <= closed_at", name="past"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("month"),
    )
    op.create_table(
        "closed_line",
        _id("ledger_transaction_id", "ledger_transaction.id"),
        _id("period_id", "closed_period.id"),
        sa.PrimaryKeyConstraint("ledger_transaction_id"),
    )
    op.create_index("ix_closed_line_period", "closed_line", ["period_id"])
    op.create_table(
        "closed_file",
        _id("period_id", "closed_period.id"),
        _text("kind"),
        _id("file_id", "finance_file.id"),
        sa.CheckConstraint("kind IN ('refunds.csv', 'refunds.xlsx', 'journal.csv')", name="kind_known"),
        sa.PrimaryKeyConstraint("period_id", "kind"),
        sa.UniqueConstraint("file_id"),
    )


def _credit_notes() -> None:
    op.create_table(
        "credit_note_seller",
        _id("id"),
        _json("facts"),
        _moment("since"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "credit_note",
        _id("id"),
        _number("year"),
        _number("number"),
        _text("document"),
        _text("kind"),
        _id("refund_id", "refund.id"),
        _number("attempt"),
        _id("ledger_transaction_id", "ledger_transaction.id"),
        _id("cancels_id", "credit_note.id", nullable=True),
        _id("seller_id", "credit_note_seller.id"),
        _moment("issued_at"),
        sa.CheckConstraint("kind IN ('credit_note', 'cancellation')", name="kind_known"),
        sa.CheckConstraint("number > 0", name="counted_from_one"),
        sa.CheckConstraint("(kind = 'cancellation') = (cancels_id IS NOT NULL)", name="cancels_one"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ledger_transaction_id"),
    )
    op.create_index("uq_credit_note_number", "credit_note", ["year", "number"], unique=True)
    op.create_index("uq_credit_note_cause", "credit_note", ["refund_id", "attempt", "kind"], unique=True)
    op.create_table(
        "credit_note_series",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        _number("last"),
        sa.PrimaryKeyConstraint("year"),
    )
    op.add_column(
        "shop", sa.Column("tax_details", sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default="")
    )
    op.alter_column("shop", "tax_details", server_default=None)


def upgrade() -> None:
    _files()
    _closing()
    _credit_notes()
    op.create_table(
        "account_code",
        _text("account"),
        _text("code"),
        sa.CheckConstraint(f"account IN ({', '.join(map(repr, ACCOUNTS))})", name="account_known"),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "books_check",
        _id("id"),
        _moment("at"),
        _number("invariants"),
        _json("breaches"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_books_check_at", "books_check", ["at"])
    op.create_index("ix_ledger_at", "ledger_transaction", ["at"], postgresql_using="brin")
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_index("ix_ledger_at", "ledger_transaction")
    op.drop_column("shop", "tax_details")
    for table in (
        "books_check",
        "account_code",
        "credit_note_series",
        "credit_note",
        "credit_note_seller",
        "closed_file",
        "closed_line",
        "closed_period",
        "finance_export",
        "finance_file_chunk",
        "finance_file",
    ):
        op.drop_table(table)

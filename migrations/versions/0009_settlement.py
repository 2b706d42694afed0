"""The lines of the gateway's balance and its payouts, beside the ledger; and when they were compared."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPEN = "ledger_entry_id IS NULL AND category IN ('refund', 'refund_failure', 'dispute', 'dispute_reversal')"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=nullable)


def _amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _payouts() -> None:
    op.create_table(
        "payout",
        _text("id"),
        _text("status"),
        _text("currency"),
        _amount("amount"),
        _flag("automatic"),
        _flag("listed"),
        _flag("livemode"),
        _moment("created_at"),
        sa.Column("arrives", sa.Date(), nullable=False),
        _moment("read_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_payout_created", "payout", ["created_at", "id"])


def _lines() -> None:
    op.create_table(
        "gateway_line",
        _text("id"),
        _text("type"),
        _text("category"),
        _text("source", nullable=True),
        _text("payment", nullable=True),
        _text("charge", nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        _text("currency"),
        _amount("amount"),
        _amount("fee"),
        _amount("net"),
        _text("payment_currency"),
        _amount("payment_amount"),
        _flag("livemode"),
        _moment("created_at"),
        _moment("available_on"),
        sa.Column("payout_id", sqlmodel.sql.sqltypes.AutoString(), sa.ForeignKey("payout.id"), nullable=True),
        sa.Column("ledger_entry_id", sa.Uuid(), sa.ForeignKey("ledger_entry.id"), nullable=True),
        sa.CheckConstraint("net = amount - fee", name="net_of_fee"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_gateway_line_entry",
        "gateway_line",
        ["ledger_entry_id"],
        unique=True,
        postgresql_where=sa.text("ledger_entry_id IS NOT NULL"),
    )
    op.create_index("ix_gateway_line_open", "gateway_line", ["created_at"], postgresql_where=sa.text(OPEN))
    op.create_index("ix_gateway_line_source", "gateway_line", ["source"])
    op.create_index(
        "ix_gateway_line_payout", "gateway_line", ["payout_id"], postgresql_where=sa.text("payout_id IS NOT NULL")
    )
    op.create_index("ix_gateway_line_created", "gateway_line", ["created_at"])


def upgrade() -> None:
    _payouts()
    _lines()
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Uuid(), nullable=False),
        _moment("at"),
        _moment("finished_at"),
        _flag("livemode"),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        _text("outcome"),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        _text("reason"),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("outcome IN ('agrees', 'differs', 'no_answer')", name="outcome_known"),
    )
    op.create_index("ix_reconciliation_at", "reconciliation", ["at"])


def downgrade() -> None:
    # The gateway has all of it still, and is read from the first payment on when it is wanted again.
    op.execute("DELETE FROM gateway_cursor WHERE name LIKE 'balance:%'")
    for table in ("reconciliation", "gateway_line", "payout"):
        op.drop_table(table)

"""Refunds of more kinds than returns; lines and refunds share the release that made them; what is owed is booked."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ACCOUNTS_BEFORE = ("sales_returns", "gateway_clearing", "bank_clearing", "customer_points", "bonus_expense")
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


def _accounts(names: tuple[str, ...]) -> None:
    known = ", ".join(f"'{name}'" for name in names)
    op.drop_constraint("account_known", "ledger_entry", type_="check")
    op.create_check_constraint("account_known", "ledger_entry", f"account IN ({known})")


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.add_column("refund", sa.Column("kind", text(), nullable=False, server_default="return"))
    op.add_column("refund", sa.Column("reason", text(), nullable=False, server_default=""))
    op.add_column("refund", sa.Column("release_id", sa.Uuid(), nullable=True))
    op.add_column("refund_line", sa.Column("release_id", sa.Uuid(), nullable=True))
    # Until now a parcel's refunds and lines were told apart by nothing, so that the parcel is their one release.
    op.execute("UPDATE refund SET release_id = parcel_id")
    op.execute("UPDATE refund_line SET release_id = parcel_id")
    for table in ("refund", "refund_line"):
        op.alter_column(table, "release_id", nullable=False)
        op.alter_column(table, "parcel_id", nullable=True)
    op.alter_column("refund", "return_id", nullable=True)
    op.alter_column("refund", "kind", server_default=None)
    op.alter_column("refund", "reason", server_default=None)
    op.create_check_constraint("kind_known", "refund", "kind IN ('return', 'goodwill', 'outside')")
    op.create_check_constraint(
        "of_a_return", "refund", "kind <> 'return' OR (return_id IS NOT NULL AND parcel_id IS NOT NULL)"
    )
    op.create_index("ix_refund_line_release", "refund_line", ["release_id"])
    _accounts(ACCOUNTS)
    # What is owed and not paid yet was not in the books before.
    op.execute("""
        WITH owed AS (
            SELECT id AS refund_id, amount, currency, created_at, gen_random_uuid() AS id FROM refund
            WHERE status NOT IN ('succeeded', 'canceled')),
        head AS (
            INSERT INTO ledger_transaction (id, kind, cause, cause_id, sequence, at)
            SELECT id, 'refund_owed', 'refund', refund_id, 1, created_at FROM owed)
        INSERT INTO ledger_entry (id, transaction_id, account, currency, amount)
        SELECT gen_random_uuid(), id, 'sales_returns', currency, amount FROM owed
        UNION ALL SELECT gen_random_uuid(), id, 'refunds_payable', currency, -amount FROM owed
    """)


def downgrade() -> None:
    # The books are append-only: what was posted to the newer accounts forbids the way back.
    _accounts(ACCOUNTS_BEFORE)
    op.drop_index("ix_refund_line_release", "refund_line")
    op.drop_constraint("of_a_return", "refund", type_="check")
    op.drop_constraint("kind_known", "refund", type_="check")
    op.alter_column("refund", "return_id", nullable=False)
    for table in ("refund", "refund_line"):
        op.alter_column(table, "parcel_id", nullable=False)
        op.drop_column(table, "release_id")
    op.drop_column("refund", "reason")
    op.drop_column("refund", "kind")

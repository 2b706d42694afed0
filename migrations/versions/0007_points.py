"""Points lot by lot: earned, held, spent, expired, adjusted; and what the shop promises of them."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    "points_adjustment",
    "points_notice",
    "points_clawback",
    "points_earning",
    "points_redemption",
    "points_move",
    "points_lot",
)
SHOP = ("points_rate", "points_since", "points_months", "points_limit")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _amount(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id(name: str, *reference: str, nullable: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, sa.Uuid(), *map(sa.ForeignKey, reference), nullable=nullable)


def upgrade() -> None:
    _lots()
    _redemptions()
    _earnings()
    op.create_table(
        "points_notice",
        _id("id"),
        _id("account_id", "points_account.id"),
        _text("currency"),
        _moment("expires_at"),
        sa.Column("days", sa.Integer(), nullable=False),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_points_notice", "points_notice", ["account_id", "currency", "expires_at", "days"], unique=True)
    _adjustments()
    _shop()
    # Points that were there before were promised without an end.
    op.execute("""
        INSERT INTO points_lot (id, account_id, currency, kind, granted, remaining, expires_at, cause, cause_id, created_at)
        SELECT gen_random_uuid(), e.owner_id, e.currency, 'refund', -sum(e.amount), -sum(e.amount), NULL, t.cause,
               t.cause_id, min(t.at)
        FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id WHERE e.account = 'customer_points'
        GROUP BY e.owner_id, e.currency, t.cause, t.cause_id HAVING sum(e.amount) < 0
    """)


def _lots() -> None:
    op.create_table(
        "points_lot",
        _id("id"),
        _id("account_id", "points_account.id"),
        _text("currency"),
        _text("kind"),
        _amount("granted"),
        _amount("remaining"),
        _moment("expires_at", nullable=True),
        _text("cause"),
        _id("cause_id"),
        _id("origin_id", "points_lot.id", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("kind IN ('earned', 'refund', 'bonus', 'restored', 'adjusted')", name="kind_known"),
        sa.CheckConstraint("granted > 0 AND remaining BETWEEN 0 AND granted", name="remaining_of_granted"),
        sa.CheckConstraint("(kind = 'restored') OR origin_id IS NULL", name="origin_of_restored"),
    )
    op.create_index("ix_points_lot_open", "points_lot", ["account_id", "currency"], postgresql_where="remaining > 0")
    op.create_index(
        "ix_points_lot_expiry",
        "points_lot",
        ["expires_at"],
        postgresql_where="remaining > 0 AND expires_at IS NOT NULL",
    )
    op.create_index("ix_points_lot_cause", "points_lot", ["cause_id"])
    op.create_table(
        "points_move",
        _id("id"),
        _id("lot_id", "points_lot.id"),
        _text("cause"),
        _id("cause_id"),
        _amount("delta"),
        _moment("at"),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("cause IN ('redemption', 'clawback', 'expiry', 'adjustment')", name="cause_known"),
        sa.CheckConstraint("delta < 0 OR (delta > 0 AND cause = 'redemption')", name="only_holds_come_back"),
    )
    op.create_index("ix_points_move_cause", "points_move", ["cause_id"])
    op.create_index("ix_points_move_lot", "points_move", ["lot_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON points_move"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _redemptions() -> None:
    op.create_table(
        "points_redemption",
        _id("id"),
        _id("account_id", "points_account.id"),
        _text("currency"),
        _amount("amount"),
        _amount("captured"),
        _text("status"),
        _text("order_number"),
        _text("reference"),
        _moment("expires_at"),
        _moment("created_at"),
        _moment("settled_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("status IN ('held', 'captured', 'released')", name="status_known"),
        sa.CheckConstraint("amount > 0 AND captured BETWEEN 0 AND amount", name="captured_of_held"),
        sa.CheckConstraint("(status = 'captured') = (captured > 0)", name="captured_is_some"),
        sa.CheckConstraint("(status = 'held') = (settled_at IS NULL)", name="held_until_settled"),
    )
    op.create_index("ix_points_redemption_account", "points_redemption", ["account_id"])
    op.create_index(
        "ix_points_redemption_order", "points_redemption", ["order_number"], postgresql_where="status = 'captured'"
    )
    op.create_index(
        "ix_points_redemption_held", "points_redemption", ["expires_at"], postgresql_where="status = 'held'"
    )


def _earnings() -> None:
    op.create_table(
        "points_earning",
        _id("order_id", "orders.id"),
        _id("account_id", "points_account.id"),
        _text("currency"),
        _amount("points"),
        _amount("basis"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("order_id"),
        sa.CheckConstraint("points > 0 AND basis > 0", name="earned_on_money"),
    )
    op.create_table(
        "points_clawback",
        _id("id"),
        _id("order_id", "points_earning.order_id"),
        _amount("due"),
        _amount("taken"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("due > 0 AND taken BETWEEN 0 AND due", name="taken_of_due"),
    )
    op.create_index("ix_points_clawback_order", "points_clawback", ["order_id"])


def _adjustments() -> None:
    op.create_table(
        "points_adjustment",
        _id("id"),
        _id("account_id", "points_account.id"),
        _text("currency"),
        _amount("amount"),
        _text("reason"),
        _text("status"),
        sa.Column("needed_second", sa.Boolean(), nullable=False),
        _text("requested_by"),
        _moment("requested_at"),
        _text("decided_by"),
        _moment("decided_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("status IN ('pending', 'done', 'refused')", name="status_known"),
        sa.CheckConstraint("amount <> 0 AND reason <> ''", name="some_for_a_reason"),
        sa.CheckConstraint("(status = 'pending') = (decided_at IS NULL)", name="pending_until_decided"),
        sa.CheckConstraint("NOT needed_second OR decided_by <> requested_by", name="decided_by_another"),
    )
    op.create_index("ix_points_adjustment_account", "points_adjustment", ["account_id"])
    op.create_index(
        "ix_points_adjustment_pending", "points_adjustment", ["requested_at"], postgresql_where="status = 'pending'"
    )


def _shop() -> None:
    op.add_column("shop", sa.Column("points_rate", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shop", _moment("points_since", nullable=True))
    op.add_column("shop", sa.Column("points_months", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("shop", sa.Column("points_limit", sa.BigInteger(), nullable=False, server_default="5000"))
    for column in ("points_rate", "points_months", "points_limit"):
        op.alter_column("shop", column, server_default=None)
    op.create_check_constraint("points_rate_sane", "shop", "points_rate BETWEEN 0 AND 1000")
    op.create_check_constraint("points_rate_since", "shop", "points_rate = 0 OR points_since IS NOT NULL")
    op.create_check_constraint("points_months_sane", "shop", "points_months BETWEEN 0 AND 120")
    op.create_check_constraint("points_limit_sane", "shop", "points_limit >= 0")


def downgrade() -> None:
    for name in ("points_limit_sane", "points_months_sane", "points_rate_since", "points_rate_sane"):
        op.drop_constraint(name, "shop", type_="check")
    for column in reversed(SHOP):
        op.drop_column("shop", column)
    for table in TABLES:
        op.drop_table(table)

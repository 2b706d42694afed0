"""Gestures of goodwill with their approval; what customers agree to for one refund; what a part was decided to be."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UNITS_BEFORE = "amount >= 0 AND tax >= 0 AND (quantity > 0 OR order_line_id IS NULL)"
UNITS = "amount >= 0 AND tax >= 0 AND quantity >= 0 AND (quantity > 0 OR order_line_id IS NULL OR amount > 0)"


def _units(condition: str) -> None:
    op.drop_constraint("amounts", "refund_line", type_="check")
    op.create_check_constraint("amounts", "refund_line", condition)


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table(
        "goodwill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("shipping", sa.Boolean(), nullable=False),
        sa.Column("refund_to", text(), nullable=False),
        sa.Column("currency", text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", text(), nullable=False),
        sa.Column("points_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_by", text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", text(), nullable=False),
        sa.Column("decided_by", text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", text(), nullable=False),
        sa.CheckConstraint("decision IN ('not_needed', 'waiting', 'approved', 'declined')", name="decision_known"),
        sa.CheckConstraint("refund_to IN ('original', 'points')", name="refund_to_known"),
        sa.CheckConstraint("amount > 0 AND reason <> ''", name="says_what"),
        sa.CheckConstraint("refund_to <> 'points' OR points_consent_at IS NOT NULL", name="points_with_consent"),
        sa.CheckConstraint(
            "(decision IN ('approved', 'declined')) = (decided_at IS NOT NULL) AND decided_by <> requested_by",
            name="decided_by_another",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_goodwill_order", "goodwill", ["order_id"])
    op.create_index(
        "ix_goodwill_waiting", "goodwill", ["requested_at"], postgresql_where=sa.text("decision = 'waiting'")
    )
    op.add_column("refund", sa.Column("pending_reason", text(), nullable=True))
    op.add_column("refund", sa.Column("points_consent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("refund", sa.Column("bank_account", text(), nullable=True))
    _units(UNITS)
    op.add_column("parcel_item", sa.Column("amount", sa.BigInteger(), nullable=True))
    # What was decided for parts was not kept; what was paid for them is as near as the books come to it.
    op.execute("""
        UPDATE parcel_item i SET amount = paid.amount * i.quantity / taken.units
        FROM (SELECT parcel_id, order_line_id, CAST(sum(amount) AS bigint) AS amount FROM refund_line
              WHERE voided_at IS NULL AND order_line_id IS NOT NULL GROUP BY parcel_id, order_line_id) AS paid
        JOIN (SELECT parcel_id, order_line_id, sum(quantity) AS units FROM parcel_item
              WHERE acceptance IN ('accepted', 'part') GROUP BY parcel_id, order_line_id) AS taken
          USING (parcel_id, order_line_id)
        WHERE i.acceptance = 'part' AND i.parcel_id = paid.parcel_id AND i.order_line_id = paid.order_line_id
    """)
    op.add_column("shop", sa.Column("goodwill_limit", sa.BigInteger(), nullable=False, server_default="5000"))
    op.add_column("shop", sa.Column("second_person", sa.Boolean(), nullable=False, server_default=sa.true()))
    for column in ("goodwill_limit", "second_person"):
        op.alter_column("shop", column, server_default=None)
    op.create_check_constraint("goodwill_limit_sane", "shop", "goodwill_limit >= 0")


def downgrade() -> None:
    op.drop_constraint("goodwill_limit_sane", "shop", type_="check")
    op.drop_column("shop", "second_person")
    op.drop_column("shop", "goodwill_limit")
    op.drop_column("parcel_item", "amount")
    # A unit that was paid for in two parts forbids the way back: the earlier schema cannot tell of it.
    _units(UNITS_BEFORE)
    op.drop_column("refund", "bank_account")
    op.drop_column("refund", "points_consent_at")
    op.drop_column("refund", "pending_reason")
    op.drop_table("goodwill")

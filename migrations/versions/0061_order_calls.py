"""Calls about orders, and every try."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "order_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'over')", name="state_known"),
        sa.CheckConstraint("outcome IN ('confirmed', 'changed', 'not_needed')", name="outcome_ends"),
        sa.CheckConstraint("(state = 'over') = (outcome IS NOT NULL)", name="over_with_outcome"),
        sa.CheckConstraint("(taken_by IS NULL) = (taken_at IS NULL)", name="taken_when"),
        sa.CheckConstraint("taken_by IS NULL OR state = 'waiting'", name="taken_to_call"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["taken_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_order_call_order", "order_call", ["order_id"], unique=True)
    op.create_index("ix_order_call_waiting", "order_call", ["id"], postgresql_where="state = 'waiting'")
    op.create_table(
        "order_call_try",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('confirmed', 'changed', 'not_reached', 'not_needed')", name="outcome_known"),
        sa.ForeignKeyConstraint(["call_id"], ["order_call.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_order_call_try_call", "order_call_try", ["call_id"])


def downgrade() -> None:
    op.drop_table("order_call_try")
    op.drop_table("order_call")

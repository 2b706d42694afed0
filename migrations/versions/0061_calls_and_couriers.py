"""Calls about orders, and every try; couriers who were announced; text messages of which nobody knows."""

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
    op.create_table(
        "courier_announcement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("courier", sa.String(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timed", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("announced_by", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("announced_by IN ('staff', 'api', 'carrier')", name="announced_by_known"),
        sa.CheckConstraint("ends_at > begins_at", name="window_sane"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_courier_announcement_order", "courier_announcement", ["order_id"])
    op.create_index(
        "uq_courier_announcement_event",
        "courier_announcement",
        ["event_id"],
        unique=True,
        postgresql_where="event_id IS NOT NULL",
    )
    op.create_index(
        "ix_courier_announcement_named", "courier_announcement", ["ends_at"], postgresql_where="courier <> ''"
    )
    op.create_index("ix_outbound_parcel_tracking", "outbound_parcel", ["tracking"])
    op.drop_constraint("status_known", "sms")
    op.create_check_constraint("status_known", "sms", "status IN ('queued', 'sending', 'sent', 'failed', 'unknown')")


def downgrade() -> None:
    # What nobody knows of counted as sent before.
    op.execute("UPDATE sms SET status = 'sent' WHERE status = 'unknown'")
    op.drop_constraint("status_known", "sms")
    op.create_check_constraint("status_known", "sms", "status IN ('queued', 'sending', 'sent', 'failed')")
    op.drop_index("ix_outbound_parcel_tracking", "outbound_parcel")
    op.drop_table("courier_announcement")
    op.drop_table("order_call_try")
    op.drop_table("order_call")

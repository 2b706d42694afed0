"""Surprises for loyal customers, and who is left out by lot."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loyalty_member",
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("control", sa.Boolean(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("email_key"),
    )
    op.create_table(
        "surprise",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('faster', 'gift', 'card')", name="kind_known"),
        sa.CheckConstraint("status IN ('proposed', 'given', 'declined', 'lapsed', 'withheld')", name="status_known"),
        sa.CheckConstraint("cost >= 0", name="cost_not_negative"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject_id"),
    )
    op.create_index("ix_surprise_email", "surprise", ["email_key", "proposed_at"])
    op.create_index("ix_surprise_month", "surprise", ["month"])
    op.create_index("ix_surprise_order", "surprise", ["order_id"])


def downgrade() -> None:
    op.drop_table("surprise")
    op.drop_table("loyalty_member")

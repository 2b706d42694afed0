"""Questions that people ask the shop, and their answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("number", "subject", "source")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("email", "email_key", "name", "locale")),
        sa.Column("order_id", sa.Uuid(), sa.ForeignKey("orders.id")),
        sa.Column("return_id", sa.Uuid(), sa.ForeignKey("returns.id")),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        *(sa.Column(name, _MOMENT) for name in ("asked_at", "due_at", "promised_until", "first_reply_at", "closed_at")),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("assigned_to", sa.Uuid(), sa.ForeignKey("staff.id")),
        sa.Column("seen_at", _MOMENT),
        sa.Column("schedule", postgresql.JSONB(), nullable=False),
        sa.Column("goal_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'answered', 'closed')", name="state_known"),
        sa.CheckConstraint("source IN ('form', 'email')", name="source_known"),
        sa.CheckConstraint("(state = 'waiting') = (asked_at IS NOT NULL)", name="waits_since"),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="waits_until"),
        sa.CheckConstraint("promised_until IS NULL OR state = 'waiting'", name="promised_to_who_waits"),
        sa.CheckConstraint("state = 'waiting' OR first_reply_at IS NOT NULL", name="answered_first"),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_since"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_question_number", "question", ["number"], unique=True)
    op.create_index("ix_question_waiting", "question", ["asked_at", "id"], postgresql_where="state = 'waiting'")
    op.create_index("ix_question_opened", "question", ["opened_at"])
    op.create_index("ix_question_order", "question", ["order_id"], postgresql_where="order_id IS NOT NULL")
    op.create_index("ix_question_email", "question", ["email_key"])
    op.create_table(
        "question_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), sa.ForeignKey("staff.id")),
        sa.Column("at", _MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('customer', 'staff', 'promise', 'note')", name="kind_known"),
        sa.CheckConstraint("kind = 'customer' OR staff_id IS NOT NULL", name="staff_have_names"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_question_message", "question_message", ["question_id", "id"])


def downgrade() -> None:
    op.drop_table("question_message")
    op.drop_table("question")

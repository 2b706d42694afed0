"""What a question is about, prepared solutions for recurring trouble, letters that are being written, and what was done."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_TOPICS = "('damaged', 'address', 'wrong', 'late', 'missing', 'return', 'refund', 'product', 'other')"


def upgrade() -> None:
    op.add_column("question", sa.Column("topic", sa.String()))
    op.create_check_constraint("topic_known", "question", f"topic IN {_TOPICS}")
    op.add_column("question_message", sa.Column("link", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "playbook",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("offers", sa.Text(), nullable=False),
        sa.Column("letters", postgresql.JSONB(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        sa.CheckConstraint(f"topic IN {_TOPICS}", name="topic_known"),
        sa.CheckConstraint("version > 0", name="version_counts"),
        sa.PrimaryKeyConstraint("topic", "version"),
    )
    op.create_table(
        "question_draft",
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id"), nullable=False),
        sa.Column("staff_id", sa.Uuid(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("letter", postgresql.JSONB(), nullable=False),
        sa.Column("looked_at", _MOMENT),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("question_id", "staff_id"),
    )


def downgrade() -> None:
    op.drop_table("question_draft")
    op.drop_table("playbook")
    op.drop_column("question_message", "link")
    op.drop_constraint("topic_known", "question")
    op.drop_column("question", "topic")

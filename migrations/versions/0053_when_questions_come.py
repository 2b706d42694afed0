"""When questions come is counted by an index of its own."""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_question_message_came", "question_message", ["at"], postgresql_where="kind = 'customer'")


def downgrade() -> None:
    op.drop_index("ix_question_message_came", "question_message")

"""Whether customers were helped, and whether the shop says how fast it answers."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question_rating",
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id"), nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("rated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("question_id"),
    )
    op.add_column("shop", sa.Column("shows_pace", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("shop", "shows_pace", server_default=None)


def downgrade() -> None:
    op.drop_column("shop", "shows_pace")
    op.drop_table("question_rating")

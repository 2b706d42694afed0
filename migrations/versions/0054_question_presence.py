"""Who of the staff has a question open just now; and what stands beside it is found by the address of a gift, too."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "question_presence",
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id"), nullable=False),
        sa.Column("staff_id", sa.Uuid(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("question_id", "staff_id"),
    )
    op.create_index("ix_gift_email", "gift", ["email_key"])


def downgrade() -> None:
    op.drop_index("ix_gift_email", "gift")
    op.drop_table("question_presence")

"""How the shop thanks loyal customers: one row of rules, empty as nothing is on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "loyalty_programme",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO loyalty_programme (id, rules, changed_at) VALUES (1, '{}', now())")


def downgrade() -> None:
    op.drop_table("loyalty_programme")

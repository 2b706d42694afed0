"""The shop looks like itself: its colour, its logo, its own words in each language."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("accent", "logo"):
        op.add_column("shop", sa.Column(name, sa.String(), nullable=False, server_default=""))
        op.alter_column("shop", name, server_default=None)
    op.add_column("shop", sa.Column("texts", postgresql.JSONB(), nullable=False, server_default="{}"))
    op.alter_column("shop", "texts", server_default=None)
    op.create_table(
        "shop_logo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("shop_logo")
    for name in ("texts", "logo", "accent"):
        op.drop_column("shop", name)

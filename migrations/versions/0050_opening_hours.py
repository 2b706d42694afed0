"""When somebody serves which channel: opening hours of the shop."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shop", sa.Column("hours", postgresql.JSONB(), nullable=False, server_default="{}"))
    op.alter_column("shop", "hours", server_default=None)


def downgrade() -> None:
    op.drop_column("shop", "hours")

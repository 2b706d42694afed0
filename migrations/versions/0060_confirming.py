"""What the shop does about new orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shop", sa.Column("confirming", postgresql.JSONB(), nullable=False, server_default="{}"))
    op.alter_column("shop", "confirming", server_default=None)


def downgrade() -> None:
    op.drop_column("shop", "confirming")

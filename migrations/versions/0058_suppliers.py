"""From whom the shop gets a product."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product", sa.Column("supplier", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("product", "supplier")

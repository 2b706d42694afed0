"""Which warehouse sent a parcel, and which counted what came back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shop", sa.Column("warehouses", postgresql.ARRAY(sa.String()), nullable=False, server_default="{}"))
    for table in ("outbound_parcel", "parcel"):
        op.add_column(table, sa.Column("warehouse", sa.String(), nullable=True))


def downgrade() -> None:
    for table in ("parcel", "outbound_parcel"):
        op.drop_column(table, "warehouse")
    op.drop_column("shop", "warehouses")

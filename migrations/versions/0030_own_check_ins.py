"""What somebody checked in last is found by its index: every parcel that is opened at a station asks for it."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_parcel_own",
        "parcel",
        ["checked_in_by", sa.text("coalesce(counted_at, checked_in_at)")],
        postgresql_where=sa.text("undone_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_parcel_own", table_name="parcel")

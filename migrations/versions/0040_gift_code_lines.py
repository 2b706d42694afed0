"""A gift code is for the items that the giver chooses; None, as for those that were made before, is for all."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("gift_code", sa.Column("lines", sa.ARRAY(sa.Uuid()), nullable=True))


def downgrade() -> None:
    op.drop_column("gift_code", "lines")

"""An order remembers that its customer has chosen the language, which the shop's system does not change then."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("locale_chosen_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("orders", "locale_chosen_at")

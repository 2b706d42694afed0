"""The occasion for which it was anybody's turn."""

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("surprise", sa.Column("occasion", sa.String(), nullable=True))
    op.create_check_constraint("occasion_known", "surprise", "occasion IN ('first', 'round', 'year')")


def downgrade() -> None:
    op.drop_constraint("occasion_known", "surprise")
    op.drop_column("surprise", "occasion")

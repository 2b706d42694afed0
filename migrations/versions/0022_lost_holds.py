"""Holds that are asked for again without the customer."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trial_charge", sa.Column("unattended", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("trial_charge", "unattended", server_default=None)


def downgrade() -> None:
    op.drop_column("trial_charge", "unattended")

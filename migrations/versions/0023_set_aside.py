"""Orders that nobody pays for do not keep their items from the stock."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trial", sa.Column("stocked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE trial SET stocked_at = placed_at WHERE status <> 'cancelled'")


def downgrade() -> None:
    # The version before gives back the stock of every order that is called off.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM trial WHERE stocked_at IS NULL AND status <> 'cancelled') THEN
                RAISE EXCEPTION 'there are orders whose items are in the stock again: wait until they are called off';
            END IF;
        END $$
    """)
    op.drop_column("trial", "stocked_at")

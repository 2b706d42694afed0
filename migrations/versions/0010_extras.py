"""Orders with duties and tips: part of the total, paid for no item and for no delivery."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Orders that are there were only taken where units and shipping came to the total: they have none.
    op.add_column("orders", sa.Column("extras_paid", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint("extras_not_negative", "orders", "extras_paid >= 0")


def downgrade() -> None:
    # Without the column the sums of an order that has extras would not come to its total any more.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM orders WHERE extras_paid <> 0) THEN
                RAISE EXCEPTION 'there are orders with duties or tips, which the revision before cannot hold';
            END IF;
        END $$
    """)
    op.drop_constraint("extras_not_negative", "orders")
    op.drop_column("orders", "extras_paid")

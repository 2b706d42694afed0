"""Several orders in one parcel: a return may travel in the parcel of another one."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_CHECKS = {
    "travels_with_another": "travels_with <> id",
    "one_fee_per_parcel": "travels_with IS NULL OR postage_fee = 0",
    "gifts_travel_alone": "travels_with IS NULL OR gift_id IS NULL",
}


def upgrade() -> None:
    op.add_column("returns", sa.Column("travels_with", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "returns", "returns", ["travels_with"], ["id"])
    for name, condition in _CHECKS.items():
        op.create_check_constraint(name, "returns", condition)
    op.create_index(
        "ix_returns_travels_with", "returns", ["travels_with"], postgresql_where=sa.text("travels_with IS NOT NULL")
    )


def downgrade() -> None:
    # With the column go its index, its checks and its foreign key.
    op.drop_column("returns", "travels_with")

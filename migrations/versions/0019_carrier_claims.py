"""Claims against carriers, for what came damaged or did not come."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "carrier_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("return_id", sa.Uuid(), nullable=True),
        *(
            sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)
            for name in ("kind", "status", "carrier", "tracking", "currency")
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("kind IN ('damaged', 'missing', 'wrong')", name="kind_known"),
        sa.CheckConstraint("status IN ('open', 'claimed', 'paid', 'refused', 'dropped')", name="status_known"),
        sa.CheckConstraint("(item_id IS NULL) <> (return_id IS NULL)", name="of_one_thing"),
        sa.CheckConstraint("amount >= 0", name="amount_sane"),
        sa.ForeignKeyConstraint(["item_id"], ["trial_item.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("item", "return"):
        op.create_index(
            f"uq_carrier_claim_{name}",
            "carrier_claim",
            [f"{name}_id"],
            unique=True,
            postgresql_where=sa.text(f"{name}_id IS NOT NULL"),
        )
    op.create_index("ix_carrier_claim_listed", "carrier_claim", ["status", "id"])


def downgrade() -> None:
    op.drop_table("carrier_claim")

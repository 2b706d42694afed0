"""How products are cut: verdicts that are measured every night."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "product_fit",
        sa.Column("product_id", sa.Uuid(), sa.ForeignKey("product.id"), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("chance", sa.Float(), nullable=False),
        sa.Column("ordered", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("buyers", "small", "large")),
        sa.Column("sizes", postgresql.JSONB(), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("measured_at", _MOMENT, nullable=False),
        sa.Column("silenced_at", _MOMENT),
        sa.Column("silenced_by", sa.String(), nullable=False),
        sa.CheckConstraint("verdict IN ('small', 'large', 'as_expected', 'unknown')", name="verdict_known"),
        sa.CheckConstraint("small >= 0 AND large >= 0 AND small + large <= buyers", name="counted"),
        sa.CheckConstraint("chance BETWEEN 0 AND 1", name="chance_is_one"),
        sa.CheckConstraint("(silenced_at IS NULL) = (silenced_by = '')", name="silenced_by_somebody"),
        sa.PrimaryKeyConstraint("product_id"),
    )


def downgrade() -> None:
    op.drop_table("product_fit")

"""How long parcels travel and refunds take is measured; where a parcel was scanned is kept; points are spent by code."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "country"),
        sa.CheckConstraint("kind IN ('transit', 'refund')", name="kind_known"),
        sa.CheckConstraint("days BETWEEN 0 AND 365 AND samples > 0", name="days_sane"),
    )
    # What was told before is in the carrier's own words alone.
    op.add_column("tracking_event", sa.Column("place", sa.String(), nullable=False, server_default=""))
    op.alter_column("tracking_event", "place", server_default=None)
    op.add_column("points_redemption", sa.Column("code", sa.String()))
    op.create_index(
        "uq_points_redemption_code",
        "points_redemption",
        ["code"],
        unique=True,
        postgresql_where=sa.text("code IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_points_redemption_code", table_name="points_redemption")
    op.drop_column("points_redemption", "code")
    op.drop_column("tracking_event", "place")
    op.drop_table("pace")

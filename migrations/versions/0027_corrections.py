"""Corrections keep the day on which their parcel came; when they were made stands apart."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# A correction of a correction came when the first of them did.
_CAME = """
    WITH RECURSIVE chain AS (
        SELECT id AS last, corrects_id FROM parcel WHERE corrects_id IS NOT NULL
        UNION ALL SELECT c.last, p.corrects_id FROM chain c JOIN parcel p ON p.id = c.corrects_id
        WHERE p.corrects_id IS NOT NULL)
    UPDATE parcel n SET corrected_at = n.checked_in_at, checked_in_at = o.checked_in_at, counted_at = o.counted_at
    FROM chain c JOIN parcel o ON o.id = c.corrects_id
    WHERE n.id = c.last AND o.corrects_id IS NULL
"""


def upgrade() -> None:
    op.add_column("parcel", sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_CAME)


def downgrade() -> None:
    op.execute("UPDATE parcel SET checked_in_at = corrected_at, counted_at = NULL WHERE corrected_at IS NOT NULL")
    op.drop_column("parcel", "corrected_at")

"""By how much a claim has reduced the price of which line."""

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

# What was given for several lines is shared by what they cost; what is left of the division goes with the dearest.
_SHARES = """
    WITH line AS (
        SELECT k.id, k.claim_id, g.amount, (
            SELECT coalesce(sum(paid), 0) FROM (
                SELECT paid FROM unnest(l.unit_paid) AS paid ORDER BY paid DESC LIMIT k.quantity) AS dearest) AS worth
        FROM item_claim_line k JOIN order_line l ON l.id = k.order_line_id
        JOIN item_claim c ON c.id = k.claim_id JOIN goodwill g ON g.id = c.goodwill_id WHERE c.status = 'reduced'),
    share AS (
        SELECT id, claim_id, amount, worth,
               coalesce(floor(amount * worth / nullif(sum(worth) OVER (PARTITION BY claim_id), 0)), 0) AS part
        FROM line),
    rest AS (
        SELECT id, part + CASE WHEN row_number() OVER (PARTITION BY claim_id ORDER BY worth DESC, id) = 1
                               THEN amount - sum(part) OVER (PARTITION BY claim_id) ELSE 0 END AS part
        FROM share)
    UPDATE item_claim_line k SET reduced = rest.part FROM rest WHERE rest.id = k.id
"""


def upgrade() -> None:
    op.add_column("item_claim_line", sa.Column("reduced", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("item_claim_line", "reduced", server_default=None)
    op.create_check_constraint("reduced_not_raised", "item_claim_line", "reduced >= 0")
    op.execute(_SHARES)


def downgrade() -> None:
    op.drop_constraint("reduced_not_raised", "item_claim_line")
    op.drop_column("item_claim_line", "reduced")

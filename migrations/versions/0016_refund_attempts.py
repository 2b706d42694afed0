"""Attempts at refunds that are over are kept as they were; files of closed months say what they come to."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# What the books say of earlier attempts; the tax and the shipping in them in proportion, as they were lowered.
EARLIER = """
    INSERT INTO refund_attempt (refund_id, attempt, destination, amount, bonus, tax, shipping, gateway_id,
        gateway_reference, failure_reason, submitted_at, settled_at, lines, others)
    SELECT f.id, b.attempt, b.destination, b.amount, b.bonus, f.tax * b.amount / f.amount,
           f.shipping * b.amount / f.amount, NULL, '', '', NULL, b.at, w.lines, y.others
    FROM (SELECT t.cause_id, t.sequence AS attempt, t.at,
                 CASE WHEN bool_or(e.account = 'gateway_clearing') THEN 'original'
                      WHEN bool_or(e.account = 'bank_clearing') THEN 'transfer' ELSE 'points' END AS destination,
                 sum(e.amount) FILTER (WHERE e.account = 'refunds_payable') AS amount,
                 coalesce(sum(e.amount) FILTER (WHERE e.account = 'bonus_expense'), 0) AS bonus
          FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
          WHERE t.cause = 'refund' AND t.kind = 'refund' GROUP BY t.id) AS b
    JOIN refund f ON f.id = b.cause_id AND f.attempt > b.attempt
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'title', coalesce(l.title, ''), 'sku', coalesce(l.sku, ''), 'size', coalesce(l.size, ''),
                   'color', coalesce(l.color, ''), 'quantity', c.quantity, 'amount', c.amount, 'tax', c.tax)
                   ORDER BY l.position NULLS LAST, c.first_unit), '[]') AS lines
        FROM refund_line c LEFT JOIN order_line l ON l.id = c.order_line_id
        WHERE c.release_id = f.release_id AND c.voided_at IS NULL) AS w
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.amount), 0) AS others FROM refund x
        WHERE x.release_id = f.release_id AND x.id <> f.id AND x.status <> 'canceled') AS y
"""


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString()
    op.create_table(
        "refund_attempt",
        sa.Column("refund_id", sa.Uuid(), sa.ForeignKey("refund.id"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("destination", text, nullable=False),
        *[sa.Column(name, sa.BigInteger(), nullable=False) for name in ("amount", "bonus", "tax", "shipping")],
        sa.Column("gateway_id", text, nullable=True),
        sa.Column("gateway_reference", text, nullable=False),
        sa.Column("failure_reason", text, nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("others", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("destination IN ('original', 'points', 'transfer')", name="destination_known"),
        sa.PrimaryKeyConstraint("refund_id", "attempt"),
    )
    op.execute(EARLIER)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_attempt"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.add_column("closed_file", sa.Column("sums", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column("closed_file", "sums")
    op.drop_table("refund_attempt")

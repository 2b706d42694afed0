"""Credit notes keep what they say, so that nothing that happens later changes one that was issued."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What the documents said until now, of each attempt as it was kept, in the days of the shop's zone of today.
AS_SHOWN = """
    UPDATE credit_note n SET content = jsonb_build_object(
        'issued', CAST(n.issued_at AT TIME ZONE z.zone AS date), 'refunded', CAST(t.at AT TIME ZONE z.zone AS date),
        'locale', o.locale, 'buyer', o.address || jsonb_build_object('name', o.name, 'email', o.email),
        'order_number', o.number, 'ordered', CAST(o.placed_at AT TIME ZONE z.zone AS date),
        'rma', coalesce(r.rma, ''), 'refund_id', f.id, 'kind', f.kind, 'reason', f.reason,
        'destination', coalesce(k.destination, f.destination), 'card_last4', p.card_last4, 'currency', f.currency,
        'lines', g.lines, 'others', CASE WHEN g.lines = '[]' THEN 0 ELSE g.others END,
        'amount', coalesce(k.amount, f.amount), 'tax', coalesce(k.tax, f.tax), 'bonus', coalesce(k.bonus, f.bonus),
        'sandbox', NOT f.livemode)
    FROM refund f JOIN orders o ON o.id = f.order_id JOIN payment p ON p.id = f.payment_id
    LEFT JOIN returns r ON r.id = f.return_id
    CROSS JOIN (SELECT coalesce((SELECT timezone FROM shop LIMIT 1), 'UTC') AS zone) AS z
    JOIN ledger_transaction t ON t.cause = 'refund' AND t.cause_id = f.id AND t.kind IN ('refund', 'refund_reversal')
    LEFT JOIN refund_attempt k ON k.refund_id = f.id AND k.attempt = t.sequence
    CROSS JOIN LATERAL (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'title', coalesce(l.title, ''), 'sku', coalesce(l.sku, ''), 'size', coalesce(l.size, ''),
                   'color', coalesce(l.color, ''), 'quantity', c.quantity, 'amount', c.amount, 'tax', c.tax)
                   ORDER BY l.position NULLS LAST, c.first_unit), '[]') AS lines, (
               SELECT coalesce(sum(x.amount), 0) FROM refund x
               WHERE x.release_id = f.release_id AND x.id <> f.id AND x.status <> 'canceled') AS others
        FROM refund_line c LEFT JOIN order_line l ON l.id = c.order_line_id
        WHERE c.release_id = f.release_id AND c.voided_at IS NULL) AS g
    WHERE t.id = n.ledger_transaction_id
"""


def upgrade() -> None:
    op.add_column("credit_note", sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute("ALTER TABLE credit_note DISABLE TRIGGER append_only")
    op.execute(AS_SHOWN)
    op.execute("ALTER TABLE credit_note ENABLE TRIGGER append_only")
    op.alter_column("credit_note", "content", nullable=False)


def downgrade() -> None:
    op.drop_column("credit_note", "content")

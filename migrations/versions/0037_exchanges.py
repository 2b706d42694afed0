"""Exchanges: what is sent instead of what comes back, and the payments of what it costs more."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "exchange",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("size", sa.String(), nullable=False),
        sa.Column("color", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=False),
        sa.Column("to_pay", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Boolean(), nullable=False),
        sa.Column("reserved_until", _MOMENT, nullable=False),
        sa.Column("arrived_at", _MOMENT),
        sa.Column("parcel_id", sa.Uuid()),
        sa.Column("unit", sa.Integer()),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.Column("moved_tax", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid()),
        sa.Column("paid_at", _MOMENT),
        sa.Column("sent_at", _MOMENT),
        sa.Column("carrier", sa.String(), nullable=False),
        sa.Column("tracking", sa.String(), nullable=False),
        sa.Column("replacement_line_id", sa.Uuid()),
        sa.Column("end_reason", sa.String()),
        sa.Column("ended_at", _MOMENT),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.Column("owed_tax", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", _MOMENT),
        sa.Column("paid_back_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.CheckConstraint("(status = 'ended') = (end_reason IS NOT NULL)", name="end_has_a_reason"),
        sa.CheckConstraint("(status = 'sent') = (replacement_line_id IS NOT NULL)", name="sent_is_a_line"),
        sa.CheckConstraint(
            "end_reason IN ('customer', 'return_cancelled', 'never_came', 'not_paid', 'not_as_expected', 'paid_back', 'sold_out')",
            name="end_reason_known",
        ),
        sa.CheckConstraint("owed >= 0 AND (owed = 0 OR status = 'ended')", name="owed_at_the_end"),
        sa.CheckConstraint(
            "reserved = (status IN ('awaiting_payment', 'awaiting_goods', 'to_send'))", name="set_aside"
        ),
        sa.CheckConstraint("status <> 'to_send' OR arrived_at IS NOT NULL", name="sent_against_goods"),
        sa.CheckConstraint(
            "status IN ('awaiting_payment', 'awaiting_goods', 'to_send', 'sent', 'ended')", name="status_known"
        ),
        sa.CheckConstraint("moved = 0 OR (unit IS NOT NULL AND arrived_at IS NOT NULL)", name="moved_with_the_goods"),
        sa.CheckConstraint("moved >= 0 AND moved_tax BETWEEN 0 AND moved", name="moved_sane"),
        sa.CheckConstraint(
            "value >= 0 AND price >= 0 AND list_price >= price AND to_pay BETWEEN 0 AND price", name="sums"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"]),
        sa.ForeignKeyConstraint(["replacement_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index(
        "ix_exchange_live",
        "exchange",
        ["status", "reserved_until"],
        postgresql_where="status IN ('awaiting_payment', 'awaiting_goods', 'to_send')",
    )
    op.create_index("ix_exchange_line", "exchange", ["order_line_id"])
    op.create_index("ix_exchange_order", "exchange", ["order_id"])
    op.create_index("ix_exchange_return", "exchange", ["return_id"])
    op.create_index("ix_exchange_variant", "exchange", ["variant_id"])
    op.create_table(
        "exchange_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("customer", sa.String()),
        sa.Column("payment_method", sa.String()),
        sa.Column("reference", sa.String()),
        sa.Column("failure", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("submitted_at", _MOMENT),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.CheckConstraint(
            "status IN ('submitting', 'unknown', 'action_needed', 'canceling', 'captured', 'failed', 'canceled')",
            name="status_known",
        ),
        sa.CheckConstraint("amount > 0", name="some"),
        sa.ForeignKeyConstraint(["exchange_id"], ["exchange.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exchange_charge", "exchange_charge", ["exchange_id"])
    op.create_index(
        "uq_exchange_charge_open",
        "exchange_charge",
        ["exchange_id"],
        unique=True,
        postgresql_where="status IN ('submitting', 'unknown', 'action_needed', 'canceling')",
    )
    op.create_index(
        "uq_exchange_charge_reference",
        "exchange_charge",
        ["reference"],
        unique=True,
        postgresql_where="reference IS NOT NULL",
    )
    op.drop_constraint("kind_known", "refund", type_="check")
    op.create_check_constraint(
        "kind_known", "refund", "kind IN ('return', 'goodwill', 'outside', 'deposit', 'exchange')"
    )


def downgrade() -> None:
    # What exchanges have moved inside of orders, and the refunds of differences, cannot be called anything else.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM exchange) THEN
                RAISE EXCEPTION 'there are exchanges, which the revision before cannot hold';
            END IF;
        END $$
        """
    )
    op.drop_constraint("kind_known", "refund", type_="check")
    op.create_check_constraint("kind_known", "refund", "kind IN ('return', 'goodwill', 'outside', 'deposit')")
    op.drop_table("exchange_charge")
    op.drop_table("exchange")

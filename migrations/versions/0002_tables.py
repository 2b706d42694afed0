"""The tables of the first version."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("prefix", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "email",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("recipient", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("locale", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rendered", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="status_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_email_due", "email", ["next_try_at"], unique=False, postgresql_where="status IN ('queued', 'sending')"
    )
    op.create_index("ix_email_sent", "email", ["created_at"], unique=False)
    op.create_table(
        "history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("action", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("actor", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_history_subject", "history", ["subject_id", "at"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("caller", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key"),
    )
    op.create_table(
        "ledger_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("cause", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_ledger_cause", "ledger_transaction", ["cause", "cause_id", "kind", "sequence"], unique=True)
    op.create_table(
        "orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("email_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phone", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("locale", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("financial_status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("fulfillment_status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tax_included", sa.Boolean(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("order_discount", sa.BigInteger(), nullable=False),
        sa.Column("shipping_price", sa.BigInteger(), nullable=False),
        sa.Column("shipping_discount", sa.BigInteger(), nullable=False),
        sa.Column("shipping_tax", sa.BigInteger(), nullable=False),
        sa.Column("shipping_standard_price", sa.BigInteger(), nullable=True),
        sa.Column("shipping_paid", sa.BigInteger(), nullable=False),
        sa.Column("shipping_refundable", sa.BigInteger(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "financial_status IN ('pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided')",
            name="financial_status_known",
        ),
        sa.CheckConstraint(
            "fulfillment_status IN ('unfulfilled', 'partial', 'fulfilled')", name="fulfillment_status_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_orders_email", "orders", ["email_key"], unique=False)
    op.create_table(
        "points_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email_key"),
    )
    op.create_table(
        "rate_limit",
        sa.Column("bucket", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket"),
    )
    op.create_table(
        "shop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phone", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("timezone", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("return_days", sa.Integer(), nullable=False),
        sa.Column("bonus_percent", sa.Integer(), nullable=False),
        sa.Column("licence", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("address", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bonus_percent BETWEEN 0 AND 100", name="bonus_sane"),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("return_days BETWEEN 14 AND 3650", name="window_lawful"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("password_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(), nullable=False),
        sa.Column("account", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "account IN ('sales_returns', 'gateway_clearing', 'bank_clearing', 'customer_points', 'bonus_expense')",
            name="account_known",
        ),
        sa.ForeignKeyConstraint(["transaction_id"], ["ledger_transaction.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_ledger_entry_owner",
        "ledger_entry",
        ["owner_id", "currency"],
        unique=False,
        postgresql_where="owner_id IS NOT NULL",
    )
    op.create_index("ix_ledger_entry_transaction", "ledger_entry", ["transaction_id"], unique=False)
    op.create_table(
        "login_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_login_code_challenge", "login_code", ["challenge"], unique=False)
    op.create_table(
        "order_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("color", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("unit_discount", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("unit_tax", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("unit_paid", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(
            "cardinality(unit_paid) = quantity AND cardinality(unit_tax) = quantity AND cardinality(unit_discount) = quantity",
            name="every_unit_priced",
        ),
        sa.CheckConstraint("quantity > 0 AND shipped BETWEEN 0 AND quantity", name="quantities"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_order_line_order", "order_line", ["order_id", "position"], unique=True)
    op.create_table(
        "payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("tender", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("imported_reference", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("method", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("card_brand", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("card_last4", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("refunded_before", sa.BigInteger(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('creating', 'unverified', 'captured', 'failed')", name="status_known"),
        sa.CheckConstraint("tender IN ('stripe', 'points', 'external')", name="tender_known"),
        sa.CheckConstraint("amount > 0 AND refunded_before BETWEEN 0 AND amount", name="amounts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_payment_order", "payment", ["order_id"], unique=False)
    op.create_index(
        "uq_payment_reference",
        "payment",
        ["reference"],
        unique=True,
        postgresql_where="tender = 'stripe' AND reference IS NOT NULL",
    )
    op.create_table(
        "web_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_web_session_order_id"), "web_session", ["order_id"], unique=False)
    op.create_index(op.f("ix_web_session_staff_id"), "web_session", ["staff_id"], unique=False)
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("order_number", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_withdrawal_open", "withdrawal", ["handled_at", "submitted_at"], unique=False)
    op.create_table(
        "returns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rma", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("refund_to", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("points_consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bonus_percent", sa.Integer(), nullable=False),
        sa.Column("withdrawal_id", sa.Uuid(), nullable=True),
        sa.Column("refund_deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bank_account", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("filed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("refund_to IN ('original', 'points')", name="refund_to_known"),
        sa.CheckConstraint("status IN ('filed', 'received', 'cancelled')", name="status_known"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["withdrawal_id"], ["withdrawal.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rma"),
    )
    op.create_index("ix_returns_order", "returns", ["order_id"], unique=False)
    op.create_index("ix_returns_status", "returns", ["status", "id"], unique=False)
    op.create_table(
        "label",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("ix_label_return", "label", ["return_id"], unique=False)
    op.create_table(
        "parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_in_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("number > 0", name="counted_from_one"),
        sa.ForeignKeyConstraint(["corrects_id"], ["parcel.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_parcel_correction", "parcel", ["corrects_id"], unique=False, postgresql_where="corrects_id IS NOT NULL"
    )
    op.create_index("ix_parcel_time", "parcel", ["checked_in_at"], unique=False)
    op.create_index("uq_parcel", "parcel", ["return_id", "number"], unique=True, postgresql_where="undone_at IS NULL")
    op.create_table(
        "return_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="some"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_return_line_order_line", "return_line", ["order_line_id"], unique=False)
    op.create_index("uq_return_line", "return_line", ["return_id", "order_line_id"], unique=True)
    op.create_table(
        "parcel_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("condition", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("acceptance", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decision_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint(
            "acceptance IN ('accepted', 'waiting', 'part', 'sent_back', 'surplus')", name="acceptance_known"
        ),
        sa.CheckConstraint(
            "condition IN ('resellable', 'worn', 'damaged', 'wrong_item', 'not_shipped')", name="condition_known"
        ),
        sa.CheckConstraint("order_line_id IS NOT NULL OR acceptance = 'surplus'", name="known_or_surplus"),
        sa.CheckConstraint("quantity > 0", name="some"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_parcel_item_line", "parcel_item", ["order_line_id"], unique=False)
    op.create_index("ix_parcel_item_parcel", "parcel_item", ["parcel_id"], unique=False)
    op.create_index(
        "ix_parcel_item_waiting", "parcel_item", ["id"], unique=False, postgresql_where="acceptance = 'waiting'"
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("destination", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("bonus", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("shipping", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("gateway_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("gateway_reference", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("failure_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("bonus = 0 OR destination = 'points'", name="bonus_is_points"),
        sa.CheckConstraint("destination IN ('original', 'points', 'transfer')", name="destination_known"),
        sa.CheckConstraint(
            "status IN ('planned', 'awaiting_transfer', 'submitting', 'pending', 'succeeded', 'failed', 'canceled', 'unknown')",
            name="status_known",
        ),
        sa.CheckConstraint("amount > 0 AND bonus >= 0 AND tax >= 0 AND shipping >= 0", name="amounts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refund_requested", "refund", ["requested_at", "id"], unique=False)
    op.create_index(
        "ix_refund_open",
        "refund",
        ["status", "due_at"],
        unique=False,
        postgresql_where="status NOT IN ('succeeded', 'canceled')",
    )
    op.create_index("ix_refund_order", "refund", ["order_id"], unique=False)
    op.create_index("ix_refund_parcel", "refund", ["parcel_id"], unique=False)
    op.create_index("ix_refund_payment", "refund", ["payment_id"], unique=False)
    op.create_index("ix_refund_return", "refund", ["return_id"], unique=False)
    op.create_index("ix_refund_settled", "refund", ["settled_at", "id"], unique=False)
    op.create_index(
        "uq_refund_gateway", "refund", ["gateway_id"], unique=True, postgresql_where="gateway_id IS NOT NULL"
    )
    op.create_table(
        "refund_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("first_unit", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount >= 0 AND tax >= 0 AND (quantity > 0 OR order_line_id IS NULL)", name="amounts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_refund_line_line", "refund_line", ["order_line_id"], unique=False)
    op.create_index("ix_refund_line_order", "refund_line", ["order_id"], unique=False)
    op.create_index("ix_refund_line_parcel", "refund_line", ["parcel_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_refund_line_parcel", table_name="refund_line")
    op.drop_index("ix_refund_line_order", table_name="refund_line")
    op.drop_index("ix_refund_line_line", table_name="refund_line")
    op.drop_table("refund_line")
    op.drop_index("uq_refund_gateway", table_name="refund", postgresql_where="gateway_id IS NOT NULL")
    op.drop_index("ix_refund_settled", table_name="refund")
    op.drop_index("ix_refund_return", table_name="refund")
    op.drop_index("ix_refund_payment", table_name="refund")
    op.drop_index("ix_refund_parcel", table_name="refund")
    op.drop_index("ix_refund_order", table_name="refund")
    op.drop_index("ix_refund_open", table_name="refund", postgresql_where="status NOT IN ('succeeded', 'canceled')")
    op.drop_index("ix_refund_requested", table_name="refund")
    op.drop_table("refund")
    op.drop_index("ix_parcel_item_waiting", table_name="parcel_item", postgresql_where="acceptance = 'waiting'")
    op.drop_index("ix_parcel_item_parcel", table_name="parcel_item")
    op.drop_index("ix_parcel_item_line", table_name="parcel_item")
    op.drop_table("parcel_item")
    op.drop_index("uq_return_line", table_name="return_line")
    op.drop_index("ix_return_line_order_line", table_name="return_line")
    op.drop_table("return_line")
    op.drop_index("uq_parcel", table_name="parcel", postgresql_where="undone_at IS NULL")
    op.drop_index("ix_parcel_time", table_name="parcel")
    op.drop_index("ix_parcel_correction", table_name="parcel", postgresql_where="corrects_id IS NOT NULL")
    op.drop_table("parcel")
    op.drop_index("ix_label_return", table_name="label")
    op.drop_table("label")
    op.drop_index("ix_returns_status", table_name="returns")
    op.drop_index("ix_returns_order", table_name="returns")
    op.drop_table("returns")
    op.drop_index("ix_withdrawal_open", table_name="withdrawal")
    op.drop_table("withdrawal")
    op.drop_index(op.f("ix_web_session_staff_id"), table_name="web_session")
    op.drop_index(op.f("ix_web_session_order_id"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_index(
        "uq_payment_reference", table_name="payment", postgresql_where="tender = 'stripe' AND reference IS NOT NULL"
    )
    op.drop_index("ix_payment_order", table_name="payment")
    op.drop_table("payment")
    op.drop_index("ix_order_line_order", table_name="order_line")
    op.drop_table("order_line")
    op.drop_index("ix_login_code_challenge", table_name="login_code")
    op.drop_table("login_code")
    op.drop_index("ix_ledger_entry_transaction", table_name="ledger_entry")
    op.drop_index("ix_ledger_entry_owner", table_name="ledger_entry", postgresql_where="owner_id IS NOT NULL")
    op.drop_table("ledger_entry")
    op.drop_table("staff")
    op.drop_table("shop")
    op.drop_table("rate_limit")
    op.drop_table("points_account")
    op.drop_index("ix_orders_email", table_name="orders")
    op.drop_table("orders")
    op.drop_index("uq_ledger_cause", table_name="ledger_transaction")
    op.drop_table("ledger_transaction")
    op.drop_table("idempotency_key")
    op.drop_index("ix_history_subject", table_name="history")
    op.drop_table("history")
    op.drop_index("ix_email_sent", table_name="email")
    op.drop_index("ix_email_due", table_name="email", postgresql_where="status IN ('queued', 'sending')")
    op.drop_table("email")
    op.drop_table("api_key")

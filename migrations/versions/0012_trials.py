"""Products, and trials of them: items, holds and charges, parcels, photos, and what the shop allows."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("handle", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("brand", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size_system", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size_group", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tax_rate", sa.Integer(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('shoe', 'clothing', 'other')", name="kind_known"),
        sa.CheckConstraint("size_group IN ('men', 'women', 'kids', 'unisex')", name="size_group_known"),
        sa.CheckConstraint("size_system IN ('eu', 'uk', 'us', 'alpha', 'own')", name="size_system_known"),
        sa.CheckConstraint("tax_rate BETWEEN 0 AND 10000", name="tax_rate_sane"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("handle"),
    )
    op.create_index("ix_product_listed", "product", ["title", "id"], unique=False, postgresql_where="listed")
    op.create_table(
        "trial_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("max_items", sa.Integer(), nullable=False),
        sa.Column("max_value", sa.BigInteger(), nullable=False),
        sa.Column("open_trials", sa.Integer(), nullable=False),
        sa.Column("deposit_percent", sa.Integer(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("max_trial_days", sa.Integer(), nullable=False),
        sa.Column("extension_days", sa.Integer(), nullable=False),
        sa.Column("transit_days", sa.Integer(), nullable=False),
        sa.Column("delivery_days", sa.Integer(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("silence_keeps", sa.Boolean(), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "extension_days BETWEEN 0 AND 30 AND delivery_days BETWEEN 1 AND 60 AND transit_days BETWEEN 0 AND 30 AND grace_days BETWEEN 1 AND 60",
            name="days_sane",
        ),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("max_items BETWEEN 1 AND 50 AND open_trials BETWEEN 1 AND 50", name="counts_sane"),
        sa.CheckConstraint("max_value > 0 AND deposit_percent BETWEEN 0 AND 100", name="amounts_sane"),
        sa.CheckConstraint("trial_days BETWEEN 1 AND max_trial_days AND max_trial_days <= 60", name="trial_days_sane"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "product_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("color", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("alt", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_product_picture", "product_picture", ["product_id", "position"], unique=False)
    op.create_table(
        "variant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("size", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("color", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ean", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("weight_grams", sa.Integer(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("price >= 0 AND stock >= 0 AND weight_grams >= 0", name="amounts"),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sku"),
    )
    op.create_index("ix_variant_ean", "variant", ["ean"], unique=False, postgresql_where="ean <> ''")
    op.create_index("ix_variant_product", "variant", ["product_id", "position"], unique=False)
    op.create_table(
        "trial",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("mode", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("strategy", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("strategy_reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("email_key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("max_charge", sa.BigInteger(), nullable=False),
        sa.Column("deposit", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("extended_days", sa.Integer(), nullable=False),
        sa.Column("policy", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("silence_keeps", sa.Boolean(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("locale", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("payment_method", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("card_brand", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("card_last4", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=True),
        sa.Column("return_scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("authorised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_assumed", sa.Boolean(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("settling_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status = 'delivered') <= (ends_at IS NOT NULL)", name="running_ends"),
        sa.CheckConstraint("mode IN ('trial', 'purchase')", name="mode_known"),
        sa.CheckConstraint(
            "status IN ('placed', 'authorised', 'packed', 'shipped', 'delivered', 'settling', 'settled', 'cancelled', 'authorisation_failed', 'authorisation_expired', 'payment_action_needed', 'overdue', 'written_off')",
            name="status_known",
        ),
        sa.CheckConstraint("strategy IN ('hold', 'card_on_file', 'charge')", name="strategy_known"),
        sa.CheckConstraint("max_charge >= 0 AND deposit BETWEEN 0 AND max_charge", name="amounts"),
        sa.CheckConstraint("points BETWEEN 0 AND max_charge", name="points_sane"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["redemption_id"], ["points_redemption.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("order_id"),
    )
    op.create_index("ix_trial_customer", "trial", ["email_key", "status"], unique=False)
    op.create_index("ix_trial_ends", "trial", ["ends_at"], unique=False, postgresql_where="status = 'delivered'")
    op.create_index("ix_trial_listed", "trial", ["status", "placed_at"], unique=False)
    op.create_index(
        "ix_trial_settling", "trial", ["grace_ends_at"], unique=False, postgresql_where="status = 'settling'"
    )
    op.create_table(
        "trial_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trial_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("status", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("currency", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("to_capture", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("deposit", sa.BigInteger(), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("capture_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind <> 'setup' OR amount = 0", name="setup_is_free"),
        sa.CheckConstraint("kind IN ('hold', 'setup', 'deposit', 'charge')", name="kind_known"),
        sa.CheckConstraint(
            "status IN ('planned', 'submitting', 'unknown', 'action_needed', 'held', 'capturing', 'captured', 'canceling', 'canceled', 'expired', 'failed')",
            name="status_known",
        ),
        sa.CheckConstraint("amount >= 0 AND captured BETWEEN 0 AND amount", name="amounts"),
        sa.CheckConstraint("to_capture BETWEEN 0 AND amount AND points >= 0 AND deposit >= 0", name="capture_sane"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"]),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trial_charge", "trial_charge", ["trial_id"], unique=False)
    op.create_index(
        "ix_trial_charge_hold",
        "trial_charge",
        ["capture_before"],
        unique=False,
        postgresql_where="kind = 'hold' AND status = 'held'",
    )
    op.create_index(
        "ix_trial_charge_open",
        "trial_charge",
        ["changed_at"],
        unique=False,
        postgresql_where="status IN ('planned', 'submitting', 'unknown', 'capturing', 'canceling')",
    )
    op.create_index(
        "uq_trial_charge_reference",
        "trial_charge",
        ["reference"],
        unique=True,
        postgresql_where="reference IS NOT NULL",
    )
    op.create_table(
        "trial_shipment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trial_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("tracking", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trial_shipment", "trial_shipment", ["trial_id"], unique=False)
    op.create_table(
        "trial_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trial_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("decision", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("problem", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("problem_note", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("(outcome = 'kept') = (charge_id IS NOT NULL)", name="kept_is_charged"),
        sa.CheckConstraint("decision IN ('undecided', 'keep', 'return', 'problem')", name="decision_known"),
        sa.CheckConstraint("outcome IN ('open', 'kept', 'returned', 'waived')", name="outcome_known"),
        sa.CheckConstraint("price >= 0 AND tax BETWEEN 0 AND price", name="amounts"),
        sa.ForeignKeyConstraint(["charge_id"], ["trial_charge.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["trial_id"], ["trial.id"]),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("order_line_id"),
    )
    op.create_index("ix_trial_item", "trial_item", ["trial_id", "position"], unique=True)
    op.create_index("ix_trial_item_charge", "trial_item", ["charge_id"], unique=False)
    op.create_index("ix_trial_item_variant", "trial_item", ["variant_id"], unique=False)
    op.create_table(
        "trial_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["trial_item.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trial_photo", "trial_photo", ["item_id"], unique=False)
    op.execute(
        "INSERT INTO trial_policy (id, offered, max_items, max_value, open_trials, deposit_percent, trial_days,"
        " max_trial_days, extension_days, transit_days, delivery_days, grace_days, silence_keeps, countries, updated_at)"
        " VALUES (1, true, 6, 150000, 2, 0, 7, 30, 3, 2, 7, 14, true, '{}', now())"
    )
    op.drop_constraint("kind_known", "refund", type_="check")
    op.create_check_constraint("kind_known", "refund", "kind IN ('return', 'goodwill', 'outside', 'deposit')")


def downgrade() -> None:
    # A refund of a deposit cannot be called anything else: the books say what it was.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM refund WHERE kind = 'deposit') THEN
                RAISE EXCEPTION 'there are refunds of deposits, which the revision before cannot hold';
            END IF;
        END $$
    """)
    op.drop_constraint("kind_known", "refund", type_="check")
    op.create_check_constraint("kind_known", "refund", "kind IN ('return', 'goodwill', 'outside')")
    op.drop_index("ix_trial_photo", table_name="trial_photo")
    op.drop_table("trial_photo")
    op.drop_index("ix_trial_item_variant", table_name="trial_item")
    op.drop_index("ix_trial_item_charge", table_name="trial_item")
    op.drop_index("ix_trial_item", table_name="trial_item")
    op.drop_table("trial_item")
    op.drop_index("ix_trial_shipment", table_name="trial_shipment")
    op.drop_table("trial_shipment")
    op.drop_index("uq_trial_charge_reference", table_name="trial_charge", postgresql_where="reference IS NOT NULL")
    op.drop_index(
        "ix_trial_charge_open",
        table_name="trial_charge",
        postgresql_where="status IN ('planned', 'submitting', 'unknown', 'capturing', 'canceling')",
    )
    op.drop_index(
        "ix_trial_charge_hold", table_name="trial_charge", postgresql_where="kind = 'hold' AND status = 'held'"
    )
    op.drop_index("ix_trial_charge", table_name="trial_charge")
    op.drop_table("trial_charge")
    op.drop_index("ix_trial_settling", table_name="trial", postgresql_where="status = 'settling'")
    op.drop_index("ix_trial_listed", table_name="trial")
    op.drop_index("ix_trial_ends", table_name="trial", postgresql_where="status = 'delivered'")
    op.drop_index("ix_trial_customer", table_name="trial")
    op.drop_table("trial")
    op.drop_index("ix_variant_product", table_name="variant")
    op.drop_index("ix_variant_ean", table_name="variant", postgresql_where="ean <> ''")
    op.drop_table("variant")
    op.drop_index("ix_product_picture", table_name="product_picture")
    op.drop_table("product_picture")
    op.drop_table("trial_policy")
    op.drop_index("ix_product_listed", table_name="product", postgresql_where="listed")
    op.drop_table("product")

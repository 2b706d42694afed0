"""Labels have lives, costs and carriers; rules choose among carriers; parcels are tracked; couriers pick up; SMS."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

LIVE = "status IN ('requested', 'bought', 'sent', 'in_transit')"
TEXT = sqlmodel.sql.sqltypes.AutoString()
MOMENT = sa.DateTime(timezone=True)


def _added() -> list[sa.Column[object]]:
    return [
        sa.Column("number", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("service", TEXT, nullable=False, server_default=""),
        sa.Column("status", TEXT, nullable=False, server_default="bought"),
        sa.Column("tracking", TEXT, nullable=True),
        sa.Column("shipment_ref", TEXT, nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", TEXT, nullable=False, server_default=""),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("bought_at", MOMENT, nullable=True),
        sa.Column("voided_at", MOMENT, nullable=True),
        sa.Column("void_status", TEXT, nullable=False, server_default=""),
        sa.Column("first_scan_at", MOMENT, nullable=True),
        sa.Column("last_scan_at", MOMENT, nullable=True),
        sa.Column("last_scan", TEXT, nullable=False, server_default=""),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("delivered_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("stuck_at", MOMENT, nullable=True),
        sa.Column("reused_at", MOMENT, nullable=True),
        sa.Column("polled_at", MOMENT, nullable=True),
        sa.Column("pdf", sa.LargeBinary(), nullable=True),
        sa.Column("qr", TEXT, nullable=False, server_default=""),
        sa.Column("failure", TEXT, nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tried", sa.Integer(), nullable=False, server_default="0"),
    ]


CHECKS = {
    "status_known": "status IN ('requested', 'bought', 'sent', 'in_transit', 'delivered', 'voided', 'expired', 'lost')",
    "counted_from_one": "number > 0",
    "void_status_known": "void_status IN ('', 'submitted', 'refunded', 'rejected', 'not_applicable')",
    "cost_has_currency": "cost IS NULL OR cost >= 0 AND cost_currency <> ''",
}


def upgrade() -> None:
    for column in _added():
        op.add_column("label", column)
    # A parcel that was checked in has its label behind it, and a cancelled return lets nobody use its own.
    op.execute(
        "UPDATE label b SET bought_at = b.created_at,"
        " status = CASE r.status WHEN 'received' THEN 'delivered' WHEN 'cancelled' THEN 'voided' ELSE 'bought' END,"
        " delivered_at = CASE r.status WHEN 'received' THEN (SELECT min(p.checked_in_at) FROM parcel p"
        " WHERE p.return_id = r.id AND p.undone_at IS NULL) END,"
        " voided_at = CASE r.status WHEN 'cancelled' THEN r.cancelled_at END,"
        " void_status = CASE r.status WHEN 'cancelled' THEN 'not_applicable' ELSE '' END"
        " FROM returns r WHERE r.id = b.return_id"
    )
    for column in _added():
        if column.server_default is not None:
            op.alter_column("label", column.name, server_default=None)
    for name, condition in CHECKS.items():
        op.create_check_constraint(name, "label", condition)
    op.drop_constraint("label_code_key", "label", type_="unique")
    op.create_index("ix_label_code", "label", ["code"])
    op.create_index("ix_label_tracking", "label", ["tracking"], postgresql_where=sa.text("tracking IS NOT NULL"))
    op.create_index(
        "ix_label_shipment", "label", ["carrier", "shipment_ref"], postgresql_where=sa.text("shipment_ref IS NOT NULL")
    )
    op.create_index("uq_label_live", "label", ["return_id", "number"], unique=True, postgresql_where=sa.text(LIVE))
    op.create_index(
        "ix_label_open", "label", ["carrier", "id"], postgresql_where=sa.text(f"{LIVE} AND carrier <> 'prepaid'")
    )
    op.create_index("ix_label_cost", "label", ["return_id", "cost"], postgresql_where=sa.text("cost IS NOT NULL"))
    op.create_index("ix_label_created", "label", ["created_at"])
    _tables()
    _sms()
    op.execute(
        "INSERT INTO carrier_policy (id, void_days, stuck_days, lost_days, transit_days, item_grams, own_courier,"
        " updated_at) VALUES (1, 25, 5, 20, 3, 700, false, now())"
    )
    op.execute(
        "CREATE TRIGGER tracking_event_append_only BEFORE UPDATE OR DELETE ON tracking_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _tables() -> None:
    op.create_table(
        "carrier_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("max_weight_grams", sa.Integer(), nullable=True),
        sa.Column("min_value", sa.BigInteger(), nullable=False),
        sa.Column("max_value", sa.BigInteger(), nullable=True),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("position > 0", name="counted_from_one"),
        sa.CheckConstraint("max_weight_grams IS NULL OR max_weight_grams > 0", name="weight_sane"),
        sa.CheckConstraint("min_value >= 0 AND (max_value IS NULL OR max_value >= min_value)", name="values_sane"),
        sa.CheckConstraint("min_value = 0 AND max_value IS NULL OR currency <> ''", name="values_have_currency"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("position"),
    )
    op.create_table(
        "carrier_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("void_days", sa.Integer(), nullable=False),
        sa.Column("stuck_days", sa.Integer(), nullable=False),
        sa.Column("lost_days", sa.Integer(), nullable=False),
        sa.Column("transit_days", sa.Integer(), nullable=False),
        sa.Column("item_grams", sa.Integer(), nullable=False),
        sa.Column("own_courier", sa.Boolean(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint(
            "void_days BETWEEN 1 AND 365 AND stuck_days BETWEEN 1 AND 60 AND lost_days BETWEEN 2 AND 120"
            " AND transit_days BETWEEN 1 AND 60 AND stuck_days < lost_days",
            name="days_sane",
        ),
        sa.CheckConstraint("item_grams BETWEEN 1 AND 30000", name="weight_sane"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tracking_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("words", TEXT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "code IN ('created', 'picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'failed', 'returned',"
            " 'lost')",
            name="code_known",
        ),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_tracking_event", "tracking_event", ["carrier", "event_id"], unique=True)
    op.create_index("ix_tracking_event_label", "tracking_event", ["label_id", "at"])
    op.create_table(
        "carrier_news",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("event_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.Column("tracking", TEXT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("handled_at", MOMENT, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_carrier_news", "carrier_news", ["carrier", "event_id"], unique=True)
    op.create_index(
        "ix_carrier_news_body", "carrier_news", ["received_at"], postgresql_where=sa.text("body IS NOT NULL")
    )
    op.create_table(
        "outbound_parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("tracking", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_outbound_parcel", "outbound_parcel", ["order_id", "carrier", "tracking"], unique=True)
    op.create_table(
        "pickup",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("line1", TEXT, nullable=False),
        sa.Column("city", TEXT, nullable=False),
        sa.Column("postal_code", TEXT, nullable=False),
        sa.Column("country", TEXT, nullable=False),
        sa.Column("phone", TEXT, nullable=False),
        sa.Column("begins_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("courier_name", TEXT, nullable=False),
        sa.Column("carrier_ref", TEXT, nullable=True),
        sa.Column("confirmation", TEXT, nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", TEXT, nullable=False),
        sa.Column("failure", TEXT, nullable=False),
        sa.Column("announced_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('requested', 'scheduled', 'done', 'refused', 'cancelled')", name="status_known"),
        sa.CheckConstraint("ends_at > begins_at", name="window_sane"),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.ForeignKeyConstraint(["label_id"], ["label.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    live = sa.text("status IN ('requested', 'scheduled')")
    op.create_index("uq_pickup_live", "pickup", ["return_id"], unique=True, postgresql_where=live)
    op.create_index("ix_pickup_window", "pickup", ["begins_at"], postgresql_where=live)


def _sms() -> None:
    op.create_table(
        "sms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient", TEXT, nullable=False),
        sa.Column("locale", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'failed')", name="status_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_sms_created", "sms", ["created_at"])


def downgrade() -> None:
    for table in ("sms", "pickup", "outbound_parcel", "carrier_news", "tracking_event", "carrier_policy"):
        op.drop_table(table)
    op.drop_table("carrier_rule")
    for index in ("created", "cost", "open", "shipment", "tracking", "code"):
        op.drop_index(f"ix_label_{index}", "label")
    op.drop_index("uq_label_live", "label")
    # One label of a return remains, as there was before: the newest.
    op.execute(
        "DELETE FROM label a USING label b WHERE a.return_id = b.return_id AND (a.created_at, a.id) < (b.created_at, b.id)"
    )
    for name in CHECKS:
        op.drop_constraint(name, "label", type_="check")
    for column in reversed(_added()):
        op.drop_column("label", column.name)
    op.create_unique_constraint("label_code_key", "label", ["code"])

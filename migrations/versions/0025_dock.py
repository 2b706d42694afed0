"""The dock: where goods go, parcels without a name, what was not as announced, photos, restocking, badges."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "condition_rule",
        sa.Column("condition", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("disposition", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint(
            "condition IN ('resellable', 'worn', 'damaged', 'wrong_item', 'not_shipped')", name="condition_known"
        ),
        sa.CheckConstraint(
            "disposition = '' OR disposition IN ('restock', 'clean_restock', 'outlet', 'repair', 'donate', 'destroy', 'back_to_customer')",
            name="disposition_known",
        ),
        sa.PrimaryKeyConstraint("condition"),
    )
    op.create_table(
        "disposition_rule",
        sa.Column("disposition", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("second_person", sa.Boolean(), nullable=False),
        sa.CheckConstraint("disposition <> ''", name="named"),
        sa.CheckConstraint(
            "disposition = '' OR disposition IN ('restock', 'clean_restock', 'outlet', 'repair', 'donate', 'destroy', 'back_to_customer')",
            name="disposition_known",
        ),
        sa.PrimaryKeyConstraint("disposition"),
    )
    op.create_table(
        "found_parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("shelf", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("sender", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matched_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("closed_reason", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("matched_at IS NULL OR closed_at IS NULL", name="one_end"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_found_parcel_open",
        "found_parcel",
        ["found_at"],
        unique=False,
        postgresql_where="matched_at IS NULL AND closed_at IS NULL",
    )
    op.create_table(
        "staff_badge",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("pin_hash", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("staff_id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "dock_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("found_id", sa.Uuid(), nullable=True),
        sa.Column("draft", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("num_nonnulls(parcel_id, found_id, nullif(draft, '')) >= 1", name="of_something"),
        sa.ForeignKeyConstraint(["found_id"], ["found_parcel.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_dock_photo_draft", "dock_photo", ["draft"], unique=False, postgresql_where="draft <> ''")
    op.create_index(
        "ix_dock_photo_found", "dock_photo", ["found_id"], unique=False, postgresql_where="found_id IS NOT NULL"
    )
    op.create_index(
        "ix_dock_photo_parcel", "dock_photo", ["parcel_id"], unique=False, postgresql_where="parcel_id IS NOT NULL"
    )
    op.create_table(
        "parcel_finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.CheckConstraint("kind IN ('fewer', 'more', 'other', 'foreign', 'empty')", name="kind_known"),
        sa.CheckConstraint("quantity >= 0", name="not_negative"),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_parcel_finding_parcel", "parcel_finding", ["parcel_id"], unique=False)
    op.create_table(
        "restock_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("disposition", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "disposition = '' OR disposition IN ('restock', 'clean_restock', 'outlet', 'repair', 'donate', 'destroy', 'back_to_customer')",
            name="disposition_known",
        ),
        sa.CheckConstraint("quantity <> 0", name="some"),
        sa.ForeignKeyConstraint(["item_id"], ["parcel_item.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_restock_event_item", "restock_event", ["item_id"], unique=False)
    op.create_index("ix_restock_event_open", "restock_event", ["id"], unique=False, postgresql_where="taken_at IS NULL")
    op.create_index("ix_restock_event_time", "restock_event", ["at"], unique=False)
    op.add_column("parcel", sa.Column("box_id", sa.Uuid(), nullable=True))
    op.add_column("parcel", sa.Column("found_id", sa.Uuid(), nullable=True))
    op.add_column("parcel", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_parcel_box", "parcel", ["box_id"], unique=False, postgresql_where="box_id IS NOT NULL")
    op.create_index("ix_parcel_counted", "parcel", ["counted_at"], postgresql_where="counted_at IS NOT NULL")
    op.create_index("ix_parcel_found", "parcel", ["found_id"], unique=False, postgresql_where="found_id IS NOT NULL")
    op.create_foreign_key("parcel_found_id_fkey", "parcel", "found_parcel", ["found_id"], ["id"])
    op.add_column("parcel_item", sa.Column("disposition", sa.String(), server_default="", nullable=False))
    op.add_column("parcel_item", sa.Column("asked", sa.String(), server_default="", nullable=False))
    op.add_column("parcel_item", sa.Column("disposed_by", sa.String(), server_default="", nullable=False))
    op.add_column("parcel_item", sa.Column("disposed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("parcel_item", sa.Column("note", sa.String(), server_default="", nullable=False))
    op.create_index(
        "ix_parcel_item_place",
        "parcel_item",
        ["id"],
        unique=False,
        postgresql_where="disposition = '' AND acceptance <> 'waiting' AND condition <> 'not_shipped'",
    )
    for column in ("disposition", "asked"):
        op.create_check_constraint(
            f"{column}_known",
            "parcel_item",
            f"{column} = '' OR {column} IN ('restock', 'clean_restock', 'outlet', 'repair', 'donate', 'destroy', 'back_to_customer')",
        )
    op.execute("""
        INSERT INTO condition_rule (condition, name, disposition) VALUES
        ('resellable', '', 'restock'), ('worn', '', 'clean_restock'), ('damaged', '', 'repair'),
        ('wrong_item', '', 'back_to_customer')
    """)
    op.execute("""
        INSERT INTO disposition_rule (disposition, offered, second_person) VALUES
        ('restock', true, false), ('clean_restock', true, false), ('outlet', true, false), ('repair', true, false),
        ('donate', true, true), ('destroy', true, true), ('back_to_customer', true, false)
    """)
    # What was counted before went its way without the portal; nobody is asked about it now, and no shop is told of it.
    op.execute("""
        UPDATE parcel_item i SET disposition = CASE WHEN i.acceptance = 'sent_back' THEN 'back_to_customer'
            ELSE r.disposition END
        FROM condition_rule r WHERE r.condition = i.condition AND i.acceptance <> 'surplus'
    """)
    # What was told to the shop system is not taken back by deleting it; that it was taken is noted.
    op.execute("""
        CREATE FUNCTION refuse_other_restock() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR (OLD.id, OLD.item_id, OLD.sku, OLD.quantity, OLD.disposition, OLD.at)
                IS DISTINCT FROM (NEW.id, NEW.item_id, NEW.sku, NEW.quantity, NEW.disposition, NEW.at) THEN
                RAISE EXCEPTION 'restock_event is append-only: correct by adding' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER only_taken BEFORE UPDATE OR DELETE ON restock_event"
        " FOR EACH ROW EXECUTE FUNCTION refuse_other_restock()"
    )


def downgrade() -> None:
    op.drop_index(
        "ix_parcel_item_place",
        table_name="parcel_item",
        postgresql_where="disposition = '' AND acceptance <> 'waiting' AND condition <> 'not_shipped'",
    )
    op.drop_column("parcel_item", "note")
    op.drop_column("parcel_item", "disposed_at")
    op.drop_column("parcel_item", "disposed_by")
    op.drop_column("parcel_item", "asked")
    op.drop_column("parcel_item", "disposition")
    op.drop_constraint("parcel_found_id_fkey", "parcel", type_="foreignkey")
    op.drop_index("ix_parcel_counted", table_name="parcel", postgresql_where="counted_at IS NOT NULL")
    op.drop_index("ix_parcel_found", table_name="parcel", postgresql_where="found_id IS NOT NULL")
    op.drop_index("ix_parcel_box", table_name="parcel", postgresql_where="box_id IS NOT NULL")
    op.drop_column("parcel", "counted_at")
    op.drop_column("parcel", "found_id")
    op.drop_column("parcel", "box_id")
    op.drop_index("ix_restock_event_time", table_name="restock_event")
    op.drop_index("ix_restock_event_open", table_name="restock_event", postgresql_where="taken_at IS NULL")
    op.drop_index("ix_restock_event_item", table_name="restock_event")
    op.drop_table("restock_event")
    op.execute("DROP FUNCTION refuse_other_restock")
    op.drop_index("ix_parcel_finding_parcel", table_name="parcel_finding")
    op.drop_table("parcel_finding")
    op.drop_index("ix_dock_photo_parcel", table_name="dock_photo", postgresql_where="parcel_id IS NOT NULL")
    op.drop_index("ix_dock_photo_found", table_name="dock_photo", postgresql_where="found_id IS NOT NULL")
    op.drop_index("ix_dock_photo_draft", table_name="dock_photo", postgresql_where="draft <> ''")
    op.drop_table("dock_photo")
    op.drop_table("staff_badge")
    op.drop_index(
        "ix_found_parcel_open", table_name="found_parcel", postgresql_where="matched_at IS NULL AND closed_at IS NULL"
    )
    op.drop_table("found_parcel")
    op.drop_table("disposition_rule")
    op.drop_table("condition_rule")

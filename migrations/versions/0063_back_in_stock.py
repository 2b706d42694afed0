"""That pieces came into stock is written down by the database itself, wherever they come from."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stock_rise",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("variant_id", sa.Uuid(), sa.ForeignKey("variant.id"), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.CheckConstraint("pieces > 0", name="pieces_came"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_stock_rise_variant", "stock_rise", ["variant_id"])
    op.execute("""
        CREATE FUNCTION note_stock_rise() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            came integer := CASE WHEN NEW.archived_at IS NULL THEN NEW.stock ELSE 0 END;
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.archived_at IS NULL THEN
                came := came - OLD.stock;
            END IF;
            IF came > 0 AND EXISTS (
                SELECT FROM product_request r WHERE r.product_id = NEW.product_id AND r.wish = 'waiting'
            ) THEN
                INSERT INTO stock_rise (variant_id, pieces) VALUES (NEW.id, came);
            END IF;
            RETURN NULL;
        END $$
    """)
    op.execute(
        "CREATE TRIGGER stock_rises_inserted AFTER INSERT ON variant FOR EACH ROW"
        " WHEN (NEW.stock > 0) EXECUTE FUNCTION note_stock_rise()"
    )
    op.execute(
        "CREATE TRIGGER stock_rises_updated AFTER UPDATE OF stock, archived_at ON variant FOR EACH ROW"
        " WHEN (NEW.stock > OLD.stock OR (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL))"
        " EXECUTE FUNCTION note_stock_rise()"
    )


def downgrade() -> None:
    for event in ("inserted", "updated"):
        op.execute(f"DROP TRIGGER stock_rises_{event} ON variant")
    op.execute("DROP FUNCTION note_stock_rise")
    op.drop_table("stock_rise")

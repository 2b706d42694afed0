"""The storefront's search: products by the words of title and brand, variants by their number and their size."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_product_words ON product USING gin (to_tsvector('simple', title || ' ' || brand))")
    op.execute("CREATE INDEX ix_variant_search ON variant (lower(sku) text_pattern_ops)")
    op.execute("CREATE INDEX ix_variant_size ON variant (size) WHERE archived_at IS NULL")


def downgrade() -> None:
    op.execute("DROP INDEX ix_variant_size")
    op.execute("DROP INDEX ix_variant_search")
    op.execute("DROP INDEX ix_product_words")

"""Products are found by words that the portal takes apart itself: quotes around a title no longer hide it."""

import re
import unicodedata

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_product_words", "product")
    op.add_column("product", sa.Column("words", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    connection = op.get_bind()
    # As catalog.rules.searchable did when this was written; a migration stays what it was.
    found = [
        {"key": row.id, "found": " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", row.both).casefold()))}
        for row in connection.execute(sa.text("SELECT id, title || ' ' || brand AS both FROM product"))
    ]
    if found:
        connection.execute(sa.text("UPDATE product SET words = :found WHERE id = :key"), found)
    op.alter_column("product", "words", nullable=False)
    op.execute("CREATE INDEX ix_product_words ON product USING gin (to_tsvector('simple', words))")


def downgrade() -> None:
    op.drop_index("ix_product_words", "product")
    op.drop_column("product", "words")
    op.execute("CREATE INDEX ix_product_words ON product USING gin (to_tsvector('simple', title || ' ' || brand))")

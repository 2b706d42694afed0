"""Claims about items, with photos; gestures for units that do not come back; returns by the receivers of gifts."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

KINDS = ("damaged", "faulty", "missing", "wrong")
REMEDIES = ("refund", "replacement", "reduction")
STATUSES = ("filed", "returning", "refunded", "replaced", "reduced", "refused", "withdrawn")


def _one_of(column: str, names: tuple[str, ...]) -> sa.CheckConstraint:
    words = ", ".join(f"'{name}'" for name in names)
    return sa.CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def upgrade() -> None:
    op.add_column("goodwill", sa.Column("units", postgresql.JSONB(), nullable=False, server_default="[]"))
    op.alter_column("goodwill", "units", server_default=None)
    _claims()
    op.create_table(
        "item_claim_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="some"),
        sa.ForeignKeyConstraint(["claim_id"], ["item_claim.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_item_claim_line", "item_claim_line", ["claim_id", "order_line_id"], unique=True)
    op.create_index("ix_item_claim_line_order_line", "item_claim_line", ["order_line_id"])
    op.create_table(
        "item_claim_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["item_claim.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_item_claim_photo", "item_claim_photo", ["claim_id"])
    _gifts()


def _claims() -> None:
    op.create_table(
        "item_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        _text("kind"),
        _text("remedy"),
        sa.Column("said", sa.Text(), nullable=False),
        _text("status"),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("goodwill_id", sa.Uuid(), nullable=True),
        sa.Column("return_id", sa.Uuid(), nullable=True),
        _text("filed_by"),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        _one_of("kind", KINDS),
        _one_of("remedy", REMEDIES),
        _one_of("status", STATUSES),
        sa.CheckConstraint("kind <> 'missing' OR remedy <> 'reduction'", name="what_is_missing_has_no_price_to_reduce"),
        sa.CheckConstraint("status <> 'returning' OR return_id IS NOT NULL", name="returning_by_a_return"),
        sa.CheckConstraint("status <> 'refused' OR answer <> ''", name="refused_with_words"),
        sa.CheckConstraint(
            "status NOT IN ('replaced', 'refused', 'withdrawn') OR closed_at IS NOT NULL", name="closed_where_it_ends"
        ),
        sa.CheckConstraint("status NOT IN ('filed', 'returning') OR closed_at IS NULL", name="open_until_decided"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["goodwill_id"], ["goodwill.id"]),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_item_claim_order", "item_claim", ["order_id"])
    op.create_index("ix_item_claim_open", "item_claim", ["id"], postgresql_where=sa.text("closed_at IS NULL"))
    for name in ("goodwill", "return"):
        op.create_index(
            f"uq_item_claim_{name}",
            "item_claim",
            [f"{name}_id"],
            unique=True,
            postgresql_where=sa.text(f"{name}_id IS NOT NULL"),
        )


def _gifts() -> None:
    op.create_table(
        "gift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        *(_text(name) for name in ("email", "email_key", "locale", "name")),
        sa.Column("address", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_gift", "gift", ["order_id", "email_key"], unique=True)
    op.create_table(
        "gift_code",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        _text("code"),
        _text("made_by"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("order_id"),
        sa.UniqueConstraint("code"),
    )
    for table in ("returns", "web_session"):
        op.add_column(table, sa.Column("gift_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(None, table, "gift", ["gift_id"], ["id"])
    op.create_index("ix_web_session_gift_id", "web_session", ["gift_id"])
    op.create_index("ix_returns_gift", "returns", ["gift_id"], postgresql_where=sa.text("gift_id IS NOT NULL"))
    op.create_check_constraint(
        "gifts_become_points", "returns", "gift_id IS NULL OR (refund_to = 'points' AND bonus_percent = 0)"
    )


def downgrade() -> None:
    # What receivers of gifts have filed forbids the way back: the earlier schema would show it to whoever gave them.
    op.create_check_constraint("no_gifts", "returns", "gift_id IS NULL")
    op.drop_constraint("no_gifts", "returns", type_="check")
    op.execute("DELETE FROM web_session WHERE gift_id IS NOT NULL")
    op.drop_constraint("gifts_become_points", "returns", type_="check")
    for table in ("web_session", "returns"):
        op.drop_column(table, "gift_id")
    op.drop_table("gift_code")
    op.drop_table("gift")
    op.drop_table("item_claim_photo")
    op.drop_table("item_claim_line")
    op.drop_table("item_claim")
    op.drop_column("goodwill", "units")

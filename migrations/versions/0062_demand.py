"""What people ask for that is not in stock, other shops that have it, and who was sent there."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _elsewhere()
    _requests()
    _referrals()
    op.drop_constraint("kind_known", "mail_refusal", type_="check")
    op.create_check_constraint("kind_known", "mail_refusal", "kind IN ('parcel', 'points', 'stock')")


def _elsewhere() -> None:
    op.create_table(
        "elsewhere",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), sa.ForeignKey("product.id")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("size", "color", "shop", "url")),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT),
        sa.CheckConstraint("price >= 0", name="price_sane"),
        sa.CheckConstraint("url LIKE 'https://%'", name="url_secure"),
        sa.CheckConstraint("product_id IS NOT NULL OR NOT listed", name="listed_by_product"),
        sa.PrimaryKeyConstraint("id"),
    )
    where = "listed AND removed_at IS NULL"
    op.create_index("ix_elsewhere_product", "elsewhere", ["product_id"], postgresql_where=where)
    op.create_index("ix_elsewhere_seen", "elsewhere", ["seen_on", "id"], postgresql_where=where)


def _requests() -> None:
    op.create_table(
        "product_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), sa.ForeignKey("product.id")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("what", "size", "color")),
        sa.Column("words", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("email", "email_key")),
        sa.Column("consent", sa.Text(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("locale", "source")),
        sa.Column("question_id", sa.Uuid(), sa.ForeignKey("question.id")),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answered_at", _MOMENT),
        sa.Column("answered_by", sa.Uuid(), sa.ForeignKey("staff.id")),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("told_at", _MOMENT),
        sa.Column("came_back_order_id", sa.Uuid(), sa.ForeignKey("orders.id")),
        sa.CheckConstraint("source IN ('product', 'exchange', 'question')", name="source_known"),
        sa.CheckConstraint("state IN ('open', 'elsewhere', 'coming', 'declined')", name="state_known"),
        sa.CheckConstraint("wish IN ('none', 'waiting', 'told', 'ended')", name="wish_known"),
        sa.CheckConstraint("(state = 'open') = (answered_at IS NULL)", name="answered_since"),
        sa.CheckConstraint("wish <> 'waiting' OR (email <> '' AND product_id IS NOT NULL)", name="somebody_waits"),
        sa.CheckConstraint("email = '' OR consent <> ''", name="agreed_to"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in (
        ("open", ["id"], "state = 'open'"),
        ("waiting", ["product_id", "id"], "wish = 'waiting'"),
        ("question", ["question_id"], "question_id IS NOT NULL"),
        ("email", ["email_key"], "email_key <> ''"),
    ):
        op.create_index(f"ix_product_request_{name}", "product_request", columns, postgresql_where=where)
    op.create_index("ix_product_request_asked", "product_request", ["asked_at"])


def _referrals() -> None:
    op.create_table(
        "referral",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("elsewhere_id", sa.Uuid(), sa.ForeignKey("elsewhere.id"), nullable=False),
        sa.Column("request_id", sa.Uuid(), sa.ForeignKey("product_request.id")),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("shown_at", _MOMENT, nullable=False),
        sa.Column("followed_at", _MOMENT),
        sa.CheckConstraint("shown IN ('product', 'page', 'mail')", name="shown_known"),
        sa.CheckConstraint("(shown = 'product') = (request_id IS NULL)", name="asked_or_looked"),
        sa.CheckConstraint("shown <> 'product' OR followed_at IS NOT NULL", name="looked_and_went"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_referral_shown", "referral", ["shown_at"])
    op.create_index("ix_referral_request", "referral", ["request_id"], postgresql_where="request_id IS NOT NULL")


def downgrade() -> None:
    op.execute("DELETE FROM mail_refusal WHERE kind = 'stock'")
    op.drop_constraint("kind_known", "mail_refusal", type_="check")
    op.create_check_constraint("kind_known", "mail_refusal", "kind IN ('parcel', 'points')")
    for table in ("referral", "product_request", "elsewhere"):
        op.drop_table(table)

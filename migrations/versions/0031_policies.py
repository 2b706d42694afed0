"""Policies have versions and rules; who pays for a return, and what is kept of its refunds; goods that are kept."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
MOMENT = sa.DateTime(timezone=True)

ACCOUNTS = (
    "sales_returns",
    "goodwill_expense",
    "refunds_payable",
    "gateway_clearing",
    "bank_clearing",
    "customer_points",
    "points_held",
    "points_redeemed",
    "points_expense",
    "bonus_expense",
    "breakage",
    "disputes_open",
    "dispute_losses",
    "gateway_fees",
)
CONDITIONS = ("resellable", "worn", "damaged", "wrong_item", "not_shipped")
OPEN = "disposition = '' AND acceptance <> 'waiting'"
POSTAGES = "postage IN ('shop', 'customer', 'own_label')"

# The policy that stood in the shop's row judges every order that was placed before there were versions.
FIRST = """
    INSERT INTO policy (id, version, starts_at, content, note, created_by, created_at)
    SELECT '00000000-0000-0000-0000-000000000001', 1, '1970-01-01T00:00:00Z', jsonb_build_object(
        'return_days', coalesce(s.return_days, 90), 'bonus_percent', coalesce(s.bonus_percent, 10),
        'outcomes', jsonb_build_array('original', 'points'), 'postage', 'shop', 'fees', jsonb_build_object(),
        'rules', jsonb_build_array()), '', 'system', now()
    FROM (SELECT 1) AS one LEFT JOIN shop s ON true
"""
LAST = """
    UPDATE shop SET return_days = CAST(p.content ->> 'return_days' AS integer),
        bonus_percent = CAST(p.content ->> 'bonus_percent' AS integer)
    FROM (SELECT content FROM policy WHERE starts_at <= now() ORDER BY starts_at DESC, version DESC LIMIT 1) AS p
"""


def _known(table: str, name: str, column: str, words: tuple[str, ...]) -> None:
    """Replace the list of words of a column."""
    listed = ", ".join(f"'{word}'" for word in words)
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({listed})")


def upgrade() -> None:
    _policies()
    _returns()
    _refunds()
    op.add_column("product", sa.Column("tags", postgresql.ARRAY(sa.String()), nullable=False, server_default="{}"))


def _policies() -> None:
    op.create_table(
        "policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("version > 0", name="counted_from_one"),
        sa.CheckConstraint("jsonb_typeof(content) = 'object'", name="content_is_a_policy"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("version"),
    )
    op.create_index("ix_policy_starts", "policy", ["starts_at", "version"])
    op.execute(FIRST)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON policy"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.drop_constraint("window_lawful", "shop", type_="check")
    op.drop_constraint("bonus_sane", "shop", type_="check")
    op.drop_column("shop", "return_days")
    op.drop_column("shop", "bonus_percent")


def _returns() -> None:
    for column in (
        sa.Column("postage", TEXT, nullable=False, server_default="shop"),
        sa.Column("postage_fee", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("policy_version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("proof_carrier", TEXT, nullable=False, server_default=""),
        sa.Column("proof_tracking", TEXT, nullable=False, server_default=""),
        sa.Column("proof_at", MOMENT, nullable=True),
    ):
        op.add_column("returns", column)
    op.create_check_constraint("postage_known", "returns", POSTAGES)
    op.create_check_constraint(
        "fee_is_the_customers", "returns", "postage_fee >= 0 AND (postage_fee = 0 OR postage = 'customer')"
    )
    op.create_check_constraint(
        "proof_is_whole",
        "returns",
        "(proof_at IS NULL) = (proof_tracking = '') AND (proof_at IS NULL) = (proof_carrier = '')",
    )
    op.add_column("return_line", sa.Column("faulty", sa.Boolean(), nullable=False, server_default=sa.false()))
    _known("parcel_item", "condition_known", "condition", (*CONDITIONS, "kept"))
    _known("condition_rule", "condition_known", "condition", (*CONDITIONS, "kept"))
    op.drop_index("ix_parcel_item_place", "parcel_item")
    op.create_index(
        "ix_parcel_item_place",
        "parcel_item",
        ["id"],
        postgresql_where=sa.text(f"{OPEN} AND condition NOT IN ('not_shipped', 'kept')"),
    )


def _refunds() -> None:
    for table in ("refund", "refund_attempt"):
        for name in ("fee", "fee_tax"):
            op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_check_constraint(
        "fee_of_a_return", "refund", "fee >= 0 AND fee_tax BETWEEN 0 AND fee AND (fee = 0 OR kind = 'return')"
    )
    for table in ("ledger_entry", "account_code"):
        _known(table, "account_known", "account", (*ACCOUNTS, "postage_income"))


def downgrade() -> None:
    """Goods that were kept, and fees, must be gone before: what the older version cannot tell, it refuses."""
    op.drop_column("product", "tags")
    for table in ("account_code", "ledger_entry"):
        _known(table, "account_known", "account", ACCOUNTS)
    op.drop_constraint("fee_of_a_return", "refund", type_="check")
    for table in ("refund_attempt", "refund"):
        for name in ("fee_tax", "fee"):
            op.drop_column(table, name)
    op.drop_index("ix_parcel_item_place", "parcel_item")
    op.create_index(
        "ix_parcel_item_place",
        "parcel_item",
        ["id"],
        postgresql_where=sa.text(f"{OPEN} AND condition <> 'not_shipped'"),
    )
    _known("condition_rule", "condition_known", "condition", CONDITIONS)
    _known("parcel_item", "condition_known", "condition", CONDITIONS)
    op.drop_column("return_line", "faulty")
    for name in ("proof_is_whole", "fee_is_the_customers", "postage_known"):
        op.drop_constraint(name, "returns", type_="check")
    for name in ("proof_at", "proof_tracking", "proof_carrier", "policy_version", "postage_fee", "postage"):
        op.drop_column("returns", name)
    op.add_column("shop", sa.Column("return_days", sa.Integer(), nullable=False, server_default="90"))
    op.add_column("shop", sa.Column("bonus_percent", sa.Integer(), nullable=False, server_default="10"))
    op.execute(LAST)
    for name in ("return_days", "bonus_percent"):
        op.alter_column("shop", name, server_default=None)
    op.create_check_constraint("window_lawful", "shop", "return_days BETWEEN 14 AND 3650")
    op.create_check_constraint("bonus_sane", "shop", "bonus_percent BETWEEN 0 AND 100")
    op.drop_table("policy")

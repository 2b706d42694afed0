"""What is sent anew because of a claim, which is open until then."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=nullable)


def _closed(statuses: str) -> None:
    op.drop_constraint("closed_where_it_ends", "item_claim", type_="check")
    op.create_check_constraint(
        "closed_where_it_ends", "item_claim", f"status NOT IN ({statuses}) OR closed_at IS NOT NULL"
    )


def upgrade() -> None:
    _closed("'refused', 'withdrawn'")
    op.create_table(
        "replacement",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("number"),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        *(_text(name) for name in ("status", "carrier", "tracking")),
        sa.Column("created_at", _MOMENT, nullable=False),
        _text("created_by"),
        sa.Column("sent_at", _MOMENT, nullable=True),
        _text("sent_by", nullable=True),
        sa.Column("ended_at", _MOMENT, nullable=True),
        *(_text(name, nullable=True) for name in ("ended_by", "end_reason")),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.CheckConstraint("status IN ('to_send', 'sent', 'ended')", name="status_known"),
        sa.CheckConstraint("end_reason IN ('missing', 'called_off', 'settled')", name="end_reason_known"),
        sa.CheckConstraint(
            "(status = 'sent') = (sent_at IS NOT NULL) AND (status = 'sent') = (sent_by IS NOT NULL)",
            name="sent_by_somebody",
        ),
        sa.CheckConstraint(
            "(status = 'ended') = (ended_at IS NOT NULL) AND (status = 'ended') = (ended_by IS NOT NULL)"
            " AND (status = 'ended') = (end_reason IS NOT NULL)",
            name="end_has_a_reason",
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["item_claim.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_replacement_order", "replacement", ["order_id"])
    op.create_index("ix_replacement_claim", "replacement", ["claim_id"])
    op.create_index(
        "uq_replacement_claim", "replacement", ["claim_id"], unique=True, postgresql_where="status <> 'ended'"
    )
    op.create_index("ix_replacement_to_send", "replacement", ["id"], postgresql_where="status = 'to_send'")
    op.create_table(
        "replacement_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("replacement_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="some"),
        sa.ForeignKeyConstraint(["replacement_id"], ["replacement.id"]),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_line.id"]),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("uq_replacement_line", "replacement_line", ["replacement_id", "order_line_id"], unique=True)
    op.create_index("ix_replacement_line_order_line", "replacement_line", ["order_line_id"])


def downgrade() -> None:
    # What is set aside, or waits for another decision, cannot be called sent: the schema before takes it for that.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM item_claim WHERE status = 'replaced' AND closed_at IS NULL) THEN
                RAISE EXCEPTION 'there are replacements that were not sent, which the revision before cannot hold';
            END IF;
        END $$
        """
    )
    op.drop_table("replacement_line")
    op.drop_table("replacement")
    _closed("'replaced', 'refused', 'withdrawn'")

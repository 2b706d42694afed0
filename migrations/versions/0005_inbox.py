"""The inbox of the gateway's events, disputes, and refunds that wait for them."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATUSES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "prevented",
    "won",
    "lost",
)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _event() -> None:
    op.create_table(
        "gateway_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("source"),
        _text("event_id"),
        _text("type"),
        _text("object_kind"),
        _text("object_id"),
        _text("found_by"),
        _moment("occurred_at"),
        _moment("received_at"),
        _moment("handled_at", nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("found_by IN ('webhook', 'poll')", name="found_by_known"),
    )
    op.create_index("uq_gateway_event", "gateway_event", ["source", "event_id"], unique=True)
    op.create_index(
        "ix_gateway_event_body", "gateway_event", ["received_at"], postgresql_where=sa.text("body IS NOT NULL")
    )


def _dispute() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        _text("gateway_id"),
        _text("charge"),
        _text("status"),
        _text("reason"),
        _text("currency"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger(), nullable=False),
        _moment("evidence_due_by", nullable=True),
        _moment("opened_at"),
        _moment("recorded_at"),
        _moment("closed_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("postings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gateway_id"),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"]),
        sa.CheckConstraint(f"status IN ({', '.join(map(repr, STATUSES))})", name="status_known"),
        sa.CheckConstraint("amount >= 0 AND withdrawn BETWEEN 0 AND amount", name="amounts"),
        sa.CheckConstraint(
            "(closed_at IS NOT NULL) = (status IN ('warning_closed', 'prevented', 'won', 'lost'))", name="closed"
        ),
    )
    op.create_index("ix_dispute_payment", "dispute", ["payment_id"])
    op.create_index("ix_dispute_open", "dispute", ["evidence_due_by"], postgresql_where=sa.text("closed_at IS NULL"))


def upgrade() -> None:
    _event()
    _dispute()
    op.create_table("gateway_cursor", _text("name"), _moment("read_until"), sa.PrimaryKeyConstraint("name"))
    op.create_table(
        "webhook_endpoint",
        _text("source"),
        _text("endpoint_id"),
        _text("url"),
        _text("secret"),
        sa.PrimaryKeyConstraint("source"),
    )
    op.add_column("payment", sa.Column("refunds_before", sa.ARRAY(sa.String()), nullable=True))
    op.add_column("refund", _moment("held_at", nullable=True))
    op.create_index("ix_refund_outside", "refund", ["payment_id"], postgresql_where=sa.text("kind = 'outside'"))


def downgrade() -> None:
    op.drop_index("ix_refund_outside", "refund")
    op.drop_column("refund", "held_at")
    op.drop_column("payment", "refunds_before")
    for table in ("webhook_endpoint", "gateway_cursor", "dispute", "gateway_event"):
        op.drop_table(table)

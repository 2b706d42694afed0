"""Exchanges that are sent at once: the hold of their price, and how it came out."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_BEFORE = "'awaiting_payment', 'awaiting_goods', 'to_send'"
_LIVE = f"'awaiting_hold', {_BEFORE}"
_STATUSES = {
    "exchange": (f"{_BEFORE}, 'sent', 'ended'", f"{_LIVE}, 'sent', 'ended'"),
    "exchange_charge": (
        "'submitting', 'unknown', 'action_needed', 'canceling', 'captured', 'failed', 'canceled'",
        "'submitting', 'unknown', 'action_needed', 'held', 'capturing', 'canceling', 'captured', 'failed', 'canceled'",
    ),
}
_NEW = {
    "exchange": {
        "outcome_known": "outcome IN ('goods', 'given_back', 'never_came', 'not_as_expected', 'kept', 'paid_back', 'hold_ended')",
        "held_at_once": "status <> 'awaiting_hold' OR at_once",
        "terms_at_once": "at_once = (days IS NOT NULL) AND (at_once OR outcome IS NULL)",
        "due_sane": "due BETWEEN 0 AND price AND (due = 0 OR outcome IS NOT NULL)",
        "due_or_covered": "CASE WHEN outcome IS NULL THEN covered_at IS NULL ELSE due > 0 OR covered_at IS NOT NULL END",
    },
    "exchange_charge": {
        "kind_known": "kind IN ('payment', 'hold')",
        "within": "to_capture BETWEEN 0 AND amount AND captured BETWEEN 0 AND amount",
        "captured_some": "(status = 'captured') = (captured > 0)",
        "holds_are_held": "kind = 'hold' OR status NOT IN ('held', 'capturing')",
    },
}


def upgrade() -> None:
    op.add_column("exchange", sa.Column("at_once", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("exchange", "at_once", server_default=None)
    op.add_column("exchange", sa.Column("days", sa.Integer()))
    for name in ("return_by", "reminded_at", "covered_at"):
        op.add_column("exchange", sa.Column(name, _MOMENT))
    op.add_column("exchange", sa.Column("outcome", sa.String()))
    _amount("exchange", "due")
    op.add_column("exchange_charge", sa.Column("kind", sa.String(), nullable=False, server_default="payment"))
    op.alter_column("exchange_charge", "kind", server_default=None)
    _amount("exchange_charge", "to_capture")
    _amount("exchange_charge", "captured")
    op.add_column("exchange_charge", sa.Column("capture_before", _MOMENT))
    op.add_column("exchange_charge", sa.Column("unattended", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("exchange_charge", "unattended", server_default=None)
    op.execute("UPDATE exchange_charge SET captured = amount WHERE status = 'captured'")
    for table, checks in _NEW.items():
        for name, condition in checks.items():
            op.create_check_constraint(name, table, condition)
    for table, (_before, after) in _STATUSES.items():
        _changed(table, "status_known", f"status IN ({after})")
    _changed("exchange", "set_aside", f"reserved = (status IN ({_LIVE}))")
    _changed("exchange", "sent_against_goods", "status <> 'to_send' OR arrived_at IS NOT NULL OR at_once")
    _live_index(_LIVE)
    _open_index("status IN ('submitting', 'unknown', 'action_needed') OR status = 'canceling' AND kind = 'payment'")
    op.create_index(
        "ix_exchange_lent",
        "exchange",
        ["return_by"],
        postgresql_where="at_once AND status = 'sent' AND covered_at IS NULL",
    )


def _amount(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column(table, name, server_default=None)


def _changed(table: str, name: str, condition: str) -> None:
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, condition)


def _live_index(statuses: str) -> None:
    op.drop_index("ix_exchange_live", "exchange")
    op.create_index(
        "ix_exchange_live", "exchange", ["status", "reserved_until"], postgresql_where=f"status IN ({statuses})"
    )


def _open_index(condition: str) -> None:
    name = "uq_exchange_charge_open"
    op.drop_index(name, "exchange_charge")
    op.create_index(name, "exchange_charge", ["exchange_id"], unique=True, postgresql_where=condition)


def downgrade() -> None:
    # What was sent against a hold, and what banks hold, cannot be called anything else.
    op.execute(
        """
        DO $$ BEGIN
            IF EXISTS (SELECT FROM exchange WHERE at_once) OR EXISTS (SELECT FROM exchange_charge WHERE kind = 'hold')
            THEN
                RAISE EXCEPTION 'there are exchanges against holds, which the revision before cannot hold';
            END IF;
        END $$
        """
    )
    op.drop_index("ix_exchange_lent", "exchange")
    _live_index(_BEFORE)
    _open_index("status IN ('submitting', 'unknown', 'action_needed', 'canceling')")
    for table, (before, _after) in _STATUSES.items():
        _changed(table, "status_known", f"status IN ({before})")
    _changed("exchange", "set_aside", f"reserved = (status IN ({_BEFORE}))")
    _changed("exchange", "sent_against_goods", "status <> 'to_send' OR arrived_at IS NOT NULL")
    for table, checks in _NEW.items():
        for name in checks:
            op.drop_constraint(name, table, type_="check")
    for name in ("at_once", "days", "return_by", "reminded_at", "covered_at", "outcome", "due"):
        op.drop_column("exchange", name)
    for name in ("kind", "to_capture", "captured", "capture_before", "unattended"):
        op.drop_column("exchange_charge", name)

"""A carrier's shipment belongs to one label at a time; a prepaid label that nobody uses ends."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

HELD = "shipment_ref IS NOT NULL AND (status <> 'voided' OR void_status NOT IN ('refunded', 'not_applicable'))"
OPEN = "expires_at IS NOT NULL AND status IN ('bought', 'sent')"
SANE = (
    "void_days BETWEEN 1 AND 365 AND stuck_days BETWEEN 1 AND 60 AND lost_days BETWEEN 2 AND 120"
    " AND transit_days BETWEEN 1 AND 60 AND stuck_days < lost_days"
)


def upgrade() -> None:
    # Two labels could stand for one return order of Nova Poshta's. The order is the first one's; the others are not
    # valid by themselves, and their cost was never paid.
    op.execute(
        "UPDATE label SET shipment_ref = NULL, cost = NULL, cost_currency = '',"  # noqa: S608 - our own words
        " void_status = 'not_applicable', voided_at = coalesce(voided_at, now()), status = 'voided'"
        " WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY carrier, shipment_ref"
        " ORDER BY status IN ('delivered', 'in_transit') DESC, status <> 'voided' DESC, created_at, id) AS place"
        f" FROM label WHERE {HELD}) AS held WHERE place > 1)"
    )
    op.create_index(
        "uq_label_shipment", "label", ["carrier", "shipment_ref"], unique=True, postgresql_where=sa.text(HELD)
    )
    _ends()


def _ends() -> None:
    op.add_column("carrier_policy", sa.Column("label_days", sa.Integer(), nullable=False, server_default="365"))
    op.alter_column("carrier_policy", "label_days", server_default=None)
    op.drop_constraint("days_sane", "carrier_policy", type_="check")
    op.create_check_constraint("days_sane", "carrier_policy", f"label_days BETWEEN 14 AND 1000 AND {SANE}")
    op.create_index("ix_label_ends", "label", ["expires_at"], postgresql_where=sa.text(OPEN))
    # Those of before end as if they had been made under it; the sweep tells of none of it to anybody.
    op.execute(
        "UPDATE label SET expires_at = created_at + interval '365 days' WHERE carrier = 'prepaid' AND status = 'bought'"
    )


def downgrade() -> None:
    op.execute("UPDATE label SET expires_at = NULL")
    op.drop_index("ix_label_ends", table_name="label")
    op.drop_constraint("days_sane", "carrier_policy", type_="check")
    op.drop_column("carrier_policy", "label_days")
    op.create_check_constraint("days_sane", "carrier_policy", SANE)
    op.drop_index("uq_label_shipment", table_name="label")

"""A carrier's shipment belongs to one label at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None

HELD = "shipment_ref IS NOT NULL AND (status <> 'voided' OR void_status NOT IN ('refunded', 'not_applicable'))"


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


def downgrade() -> None:
    op.drop_index("uq_label_shipment", table_name="label")

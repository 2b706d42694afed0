"""The job queue's tables and functions, as its library defines them.

The lock file pins the library. When a newer version brings a newer schema, a revision of its own applies the scripts
that the library ships for that step, where they were not applied yet.
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Straight through the driver: the script's own percent signs and colons are not parameters.
    cursor = op.get_bind().connection.cursor()
    cursor.execute(SchemaManager.get_schema())
    cursor.close()


def downgrade() -> None:
    bind = op.get_bind()
    for table in ("periodic_defers", "events", "jobs", "workers"):
        bind.execute(sa.text(f"DROP TABLE procrastinate_{table} CASCADE"))
    functions = bind.execute(
        sa.text("SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'procrastinate\\_%'")
    ).scalars()
    for function in functions.all():
        bind.execute(sa.text(f"DROP FUNCTION {function} CASCADE"))
    for kind in ("job_to_defer_v1", "job_event_type", "job_status"):
        bind.execute(sa.text(f"DROP TYPE procrastinate_{kind} CASCADE"))

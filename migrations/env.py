"""Runs the migrations on the database that `returns_portal.migrate` names."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from returns_portal.models import metadata

_LOCK = 0x5245_5455_524E  # "RETURN": two processes that start at once migrate one after the other.


def _is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """The queue's tables are made by its own schema, which a revision of ours applies."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def run() -> None:
    """Connect, lock, migrate."""
    engine = create_engine(context.config.attributes["database_url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        context.configure(connection=connection, target_metadata=metadata, include_object=_is_ours, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()

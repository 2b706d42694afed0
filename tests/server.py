"""The embedded PostgreSQL for the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.settings import Settings

# The machine may fail while tests run, and then they are run again. To empty a database for the next test, its guards
# against deletion are put aside (see `tests.spare`).
_FOR_TESTS: Final = (
    "ALTER SYSTEM SET fsync = off",
    "SELECT pg_reload_conf()",
    "GRANT SET ON PARAMETER session_replication_role TO returns_portal",
)


@contextmanager
def embedded_server(base: Path) -> Iterator[str]:
    """A server of this test run alone, in a folder that its system user can reach."""
    home = home_for(Settings())
    server = EmbeddedPostgres(home.with_name(f"{home.name}-test-{os.getpid()}-{base.name}"))
    url = server.start()
    with server._superuser() as connection:
        for statement in _FOR_TESTS:
            connection.execute(statement)
    try:
        yield url
    finally:
        server.stop(remove=True)

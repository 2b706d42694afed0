"""The embedded PostgreSQL for the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.settings import Settings


@contextmanager
def embedded_server(base: Path) -> Iterator[str]:
    """A server of this test run alone, in a folder that its system user can reach."""
    home = home_for(Settings())
    server = EmbeddedPostgres(home.with_name(f"{home.name}-test-{os.getpid()}-{base.name}"))
    url = server.start()
    try:
        yield url
    finally:
        server.stop(remove=True)

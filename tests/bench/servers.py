"""What is measured against: a throwaway database that really writes, the portal's own processes, and bare ones."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.pgcluster import SUPERUSER
from returns_portal.settings import Settings
from tests.databases import create
from tests.processes import CHECKOUT, await_answer, environment_with, free_ports, running


class BenchError(Exception):
    """Something did not work, so that there is nothing to compare."""


class Server:
    """The embedded PostgreSQL as `make run` configures it, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._postgres = EmbeddedPostgres(home)
        self.url = self._postgres.start()

    def stop(self) -> None:
        """Stop it and remove all that it kept."""
        self._postgres.stop(remove=True)

    def create(self, name: str) -> str:
        """Make an empty database, and return its URL."""
        return create(self.url, name)

    def superuser_url(self, database: str) -> str:
        """A database, for what the portal's own role may not do: settings of the server, and loading in bulk."""
        return self._postgres._url(SUPERUSER, "superuser.password", database)

    def log_files(self) -> list[Path]:
        """Where the server writes what it does."""
        return sorted((self.home / "postgres" / "log").glob("*.log"))


class Portal(msgspec.Struct, frozen=True):
    """A portal that serves, with a key for everything."""

    port: int
    key: str
    sandbox_port: int = 0


@contextmanager
def database_server() -> Iterator[Server]:
    """The server, for as long as this lasts; nothing of it is left."""
    kept = home_for(Settings.model_construct())
    server = Server(kept.with_name(f"{kept.name}-bench-{os.getpid()}"))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def portal(server: Server) -> Iterator[Portal]:
    """The portal's processes as `make run` starts them: web, worker and sandbox, with the demo's orders."""
    port, sandbox_port = free_ports(2)
    environment = {"DATA_DIR": str(server.home), "PORT": str(port), "SANDBOX_PORT": str(sandbox_port)}
    with _process(("returns_portal", "serve"), environment, port, "/readyz"):
        made = subprocess.run(
            [sys.executable, "-m", "returns_portal", "api-key", "create", "bench", "--scope", "all"],
            cwd=CHECKOUT,
            env=environment_with(environment),
            check=True,
            capture_output=True,
            text=True,
        )
        yield Portal(port, made.stdout.strip(), sandbox_port)


@contextmanager
def bare(url: str, *, statements: int = 0) -> Iterator[int]:
    """The bare application on granian; gives its port. `statements` is what one of its cycles executes."""
    (port,) = free_ports(1)
    with _process(("tests.bench.bare", str(port), url, str(statements)), {}, port, "/bare"):
        yield port


@contextmanager
def _process(arguments: tuple[str, ...], environment: Mapping[str, str], port: int, ready: str) -> Iterator[None]:
    """A Python module that runs until this ends, from when it answers on a path."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with running(arguments, environment, log) as process:
            await_answer(process, port, ready, log)
            yield

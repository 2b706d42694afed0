"""What is measured against: a throwaway database that really writes, the portal's own processes, and bare ones."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec
import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.pgcluster import SUPERUSER
from returns_portal.settings import Settings

_CHECKOUT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 150.0
_STOP_SECONDS: Final = 40.0


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
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

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
    port, sandbox_port = _free_ports(2)
    environment = {"DATA_DIR": str(server.home), "PORT": str(port), "SANDBOX_PORT": str(sandbox_port)}
    with _process(("returns_portal", "serve"), environment, port, "/readyz"):
        made = subprocess.run(
            [sys.executable, "-m", "returns_portal", "api-key", "create", "bench", "--scope", "all"],
            cwd=_CHECKOUT,
            env=_environment(environment),
            check=True,
            capture_output=True,
            text=True,
        )
        yield Portal(port, made.stdout.strip())


@contextmanager
def bare(url: str, *, statements: int = 0) -> Iterator[int]:
    """The bare application on granian; gives its port. `statements` is what one of its cycles executes."""
    (port,) = _free_ports(1)
    with _process(("tests.bench.bare", str(port), url, str(statements)), {}, port, "/bare"):
        yield port


@contextmanager
def _process(arguments: tuple[str, ...], environment: Mapping[str, str], port: int, ready: str) -> Iterator[None]:
    """A Python module that runs until this ends, from when it answers on a path."""
    with tempfile.TemporaryFile("w+b") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=_CHECKOUT,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: _answers(process, port, ready, log), _START_SECONDS, f"{arguments[0]} to serve")
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until(done: Callable[[], bool], seconds: float, what: str, *, every: float = 0.1) -> None:
    """Look until something is so.

    Raises:
        BenchError: it takes too long.
    """
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise BenchError(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(every)


def _answers(process: subprocess.Popen[bytes], port: int, path: str, log: IO[bytes]) -> bool:
    if process.poll() is not None:
        log.seek(0)
        raise BenchError(log.read().decode(errors="replace")[-2000:])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _environment(additions: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without the settings of another portal."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    return {**kept, **additions}


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on: held together, so that they differ, and let go just before their use."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in held]
    finally:
        for listener in held:
            listener.close()

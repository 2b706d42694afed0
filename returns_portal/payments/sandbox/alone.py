"""The sandbox on its own: with a store that is made for it and removed at the end, for any SDK of Stripe's."""

import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from returns_portal.embedded import EmbeddedError, EmbeddedPostgres
from returns_portal.payments.sandbox.app import create_sandbox
from returns_portal.payments.sandbox.server import HOST, serve
from returns_portal.pginstall import SYSTEM_BASE

_LATER = 3.0
_PREFIX = "stripe-sandbox-"


class PortError(Exception):
    """The sandbox cannot listen there; the message says why."""


def run_alone(*, port: int, database_url: str | None) -> None:
    """Serve until SIGINT or SIGTERM, and remove the store.

    Args:
        port: where it listens, on 127.0.0.1.
        database_url: a PostgreSQL for a schema of its own; without it an embedded one is started for it alone.

    Raises:
        PortError: the port cannot be listened on.
        EmbeddedError: the embedded database does not come up.
    """
    _check(port)
    # Until the server handles signals itself: what was begun is removed then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _store() if database_url is None else _given(database_url) as url:
        schema = f"stripe_sandbox_{secrets.token_hex(4)}"
        sandbox = create_sandbox(url, later=_LATER, schema=schema, throwaway=True, keep_events=True)
        serve(sandbox, port, lambda: _say(port))


def _say(port: int) -> None:
    sys.stdout.write(
        f"The Stripe sandbox listens on http://{HOST}:{port} and takes any key that begins with sk_test_. "
        "No money moves.\n"
    )
    sys.stdout.flush()


def _check(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise PortError(f"Port {port} of {HOST} cannot be listened on: {error.strerror}") from error


@contextmanager
def _given(database_url: str) -> Iterator[str]:
    yield database_url


@contextmanager
def _store() -> Iterator[str]:
    """Start a database for this process alone, and remove it with all that it holds."""
    base = SYSTEM_BASE if os.geteuid() == 0 else Path(tempfile.gettempdir())
    _sweep(base)
    server = EmbeddedPostgres(base / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield server.start()
    finally:
        with suppress(FileNotFoundError):
            server.stop(remove=True)


def _sweep(base: Path) -> None:
    """Remove what processes left behind that were killed."""
    for home in base.glob(f"{_PREFIX}*"):
        pid = home.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError, EmbeddedError):
            if home.lstat().st_uid == os.geteuid() and not Path("/proc", pid).exists():
                EmbeddedPostgres(home).stop(remove=True)

"""A way to the database that can be cut, at the very moment when a transaction is being committed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal
from urllib.parse import unquote

from sqlalchemy.engine import make_url

Cut = Literal["before", "after"]
"""`before` the server got the COMMIT, which it therefore does not do; or `after` it did it, and before it is told."""

_COMMIT: Final = b"COMMIT\0"
"""How the driver ends a transaction (PostgreSQL's protocol 3, the simple query): the text is a message of its own."""
_COMMITTED: Final = b"COMMIT\0Z"
"""How the server says that it did: the command's tag, and that it is ready."""


class Proxy:
    """Passes bytes between clients and a server until it is told to cut."""

    def __init__(self, database_url: str) -> None:
        given = make_url(database_url)
        folder = given.query.get("host")
        port = given.port or int(str(given.query.get("port", "5432")))
        self._family = socket.AF_UNIX if folder else socket.AF_INET
        self._server: str | tuple[str, int] = (
            f"{unquote(str(folder))}/.s.PGSQL.{port}" if folder else (given.host or "127.0.0.1", port)
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        own = given.set(host="127.0.0.1", port=self._listener.getsockname()[1], query={"sslmode": "disable"})
        self.url = own.render_as_string(hide_password=False)
        self._plan: list[Cut | None] = []
        self._lock = threading.Lock()
        self.cuts = 0
        """How many connections were cut so far."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *plan: Cut | None) -> None:
        """Cut the next transactions that are committed so; None lets one pass."""
        with self._lock:
            self._plan[:] = plan

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server = socket.socket(self._family)
                server.connect(self._server)
                _Pair(self, client, server)

    def next_cut(self) -> Cut | None:
        """What is to happen to the commit that has just been asked for."""
        with self._lock:
            return self._plan.pop(0) if self._plan else None


class _Pair:
    """One connection: a thread for each direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._hold_answer = threading.Event()
        for run in (self._from_client, self._from_server):
            threading.Thread(target=run, daemon=True).start()

    def _from_client(self) -> None:
        with suppress(OSError):
            while sent := self._client.recv(65536):
                cut = self._proxy.next_cut() if _COMMIT in sent else None
                if cut == "before":
                    self._proxy.cuts += 1
                    break
                if cut == "after":
                    self._hold_answer.set()
                self._server.sendall(sent)
        self._close()

    def _from_server(self) -> None:
        held = b""
        with suppress(OSError):
            while answer := self._server.recv(65536):
                if not self._hold_answer.is_set():
                    self._client.sendall(answer)
                    continue
                held += answer
                if _COMMITTED in held:
                    self._proxy.cuts += 1
                    break
        self._close()

    def _close(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def between(database_url: str) -> Iterator[Proxy]:
    """A proxy before this database, for as long as this lasts."""
    proxy = Proxy(database_url)
    try:
        yield proxy
    finally:
        proxy.close()

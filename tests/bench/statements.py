"""Counting statements at the database: the server logs every one, with the name of who sent it."""

import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import msgspec
import psycopg

from tests.bench.servers import Server
from tests.processes import wait_until

Source = Literal["portal", "queue", "sandbox"]

_SETTINGS: Final = {"log_statement": "'all'", "log_line_prefix": "'<%a>'"}
_ENTRY: Final = re.compile(r"^<(?P<who>[^>]*)>LOG:  (?:statement|execute [^:]*): (?P<sql>.*(?:\n\t.*)*)", re.MULTILINE)
_ME: Final = "bench"
_TRANSACTION: Final = ("BEGIN", "COMMIT", "ROLLBACK")
_SETTLE_SECONDS: Final = 0.5


class Count(msgspec.Struct, frozen=True):
    """Statements by who they are for and what they say, without BEGIN, COMMIT and ROLLBACK; and commits by whom."""

    statements: Counter[tuple[Source, str]]
    commits: Counter[Source]

    def total(self, source: Source) -> int:
        """All statements of a source."""
        return sum(count for (whose, _sql), count in self.statements.items() if whose == source)


class StatementLog:
    """What the server has logged since this was made."""

    def __init__(self, server: Server, connection: psycopg.Connection) -> None:
        self._server = server
        self._connection = connection
        self._mark = self._write_mark()

    def _write_mark(self) -> str:
        """Write a mark into the log, and wait until it stands there: what was logged before it does so too."""
        mark = f"mark-{secrets.token_hex(8)}"
        self._connection.execute(f"SELECT '{mark}'".encode())
        wait_until(lambda: mark in self._text(), 10, "the server's log")
        return mark

    def take(self) -> Count:
        """What was logged since the last call."""
        begin, self._mark = self._mark, self._write_mark()
        text = self._text()
        return _count(text[text.index(begin) : text.index(self._mark)])

    def _text(self) -> str:
        return "".join(path.read_text(errors="replace") for path in self._server.log_files())


@contextmanager
def logged(server: Server) -> Iterator[StatementLog]:
    """Have the server log all statements, for as long as this lasts."""
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True, application_name=_ME) as connection:
        for name, value in _SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        _reload(connection)
        try:
            yield StatementLog(server, connection)
        finally:
            for name in _SETTINGS:
                connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            _reload(connection)


def _reload(connection: psycopg.Connection) -> None:
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(_SETTLE_SECONDS)  # Each session takes the change up between two statements, and says so nowhere.


def _count(text: str) -> Count:
    statements: Counter[tuple[Source, str]] = Counter()
    commits: Counter[Source] = Counter()
    for entry in _ENTRY.finditer(text):
        words = " ".join(entry["sql"].split())
        if entry["who"] == _ME:
            continue
        source = _source(entry["who"], words)
        if not words.upper().startswith(_TRANSACTION):
            statements[source, words] += 1
        elif words.upper().startswith("COMMIT"):
            commits[source] += 1
    return Count(statements, commits)


def _source(who: str, words: str) -> Source:
    """Whose a statement is: jobs are also deferred in the portal's own transactions, by the queue's functions."""
    if "procrastinate" in words or who == "returns-portal queue":
        return "queue"
    return "portal" if who.startswith("returns-portal") else "sandbox"

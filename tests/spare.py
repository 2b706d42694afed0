"""Databases that are used again: emptied after a test, which is ten times as fast as making another.

A database is used again only where it is certainly as it was: nobody is connected any more, and nothing but rows was
changed. Else it is dropped, and the next test gets a fresh copy of the template. One connection to it stays open, which
knows its tables: a new one spends most of its time on finding out what there is.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from returns_portal.finance.invariants import INVARIANTS
from tests.databases import database

_GROWS: Final = 2_000_000
"""Bytes; where a test wrote more than that, what the planner knows of the tables would be another than in a new one."""
_SECONDS: Final = 0.5
_OTHERS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_SIZE: Final = "SELECT pg_database_size(current_database())"
# Whatever is made, changed or dropped leaves its mark in one of these.
_CATALOGS: Final = ("class", "attribute", "attrdef", "constraint", "index", "trigger", "proc", "type", "namespace")
_SHAPE: Final = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM pg_{name}"  # noqa: S608 - the names are our own
    for name in _CATALOGS
)
_TABLES: Final = "SELECT relid::regclass::text FROM pg_stat_user_tables ORDER BY 1"
# Without the triggers that keep books and history as they are, and in any order.
_EMPTY: Final = """
    DO $$
    DECLARE
        place record;
        used boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR place IN SELECT relid::regclass AS name FROM pg_stat_user_tables LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', place.name) INTO used;
            IF used THEN
                EXECUTE format('DELETE FROM %s', place.name);
            END IF;
        END LOOP;
        FOR place IN SELECT seqrelid::regclass AS name FROM pg_sequence LOOP
            EXECUTE format('SELECT is_called FROM %s', place.name) INTO used;
            IF used THEN
                PERFORM setval(place.name, 1, false);
            END IF;
        END LOOP;
    END $$
"""


# All invariants of the books in one statement, which is planned once and not for each test.
_BROKEN: Final = str(
    text(
        " UNION ALL ".join(
            f"(SELECT '{each.name}' FROM ({each.sql}) AS broken LIMIT 1)"  # noqa: S608 - our own text
            for each in INVARIANTS
        )
    ).compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
)
# Where a test made many rows, the plan for few may take for ever.
_LIMITS: Final = "SET plan_cache_mode = force_generic_plan; SET statement_timeout = '2s'"


class Spare:
    """One database after the other, and mostly the same one."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._made: ExitStack | None = None
        self._connection: psycopg.Connection | None = None
        self._url = ""
        self._size = 0
        self._shape: list[Any] = []
        self._rows: dict[str, bytes] = {}

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of a database that is as the template is."""
        if self._made is None:
            self._make()
        try:
            yield self._url
        finally:
            if not self._emptied():
                self.drop()

    def proves(self, late: datetime) -> bool:
        """Whether all invariants of the books hold, as `finance.books.check` asks them; False also where nobody knows.

        `late` is the moment an hour ago.
        """
        if self._connection is None:
            return False
        try:
            return not self._connection.execute(_BROKEN.encode(), {"late": late}, prepare=True).fetchall()
        except psycopg.Error:
            return False

    def drop(self) -> None:
        """Do without a database, until one is needed."""
        if self._connection is not None:
            self._connection.close()
        if self._made is not None:
            self._made.close()
        self._made = self._connection = None

    def _make(self) -> None:
        self._made = ExitStack()
        self._url = self._made.enter_context(database(self._server_url, "test", template=self._template))
        self._connection = connection = psycopg.connect(self._url, autocommit=True)
        connection.execute(_LIMITS)
        self._size = _number(connection, _SIZE)
        self._shape = connection.execute(_SHAPE.encode()).fetchall()
        self._rows = {}
        for [name] in connection.execute(_TABLES.encode()).fetchall():
            with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.SQL(name))) as copy:
                if rows := b"".join(copy):
                    self._rows[name] = rows

    def _emptied(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            # Within one transaction a server tells the same of who is there, however often it is asked.
            if not self._alone(connection) or self._changed(connection):
                return False
            with connection.transaction():
                connection.execute(_EMPTY)
                connection.execute("SET LOCAL session_replication_role = replica")
                for name, rows in self._rows.items():
                    with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.SQL(name))) as copy:
                        copy.write(rows)
        except psycopg.Error:
            # A server where nobody may do that, or a database that the test dropped itself.
            return False
        return True

    def _alone(self, connection: psycopg.Connection) -> bool:
        """Whether all others have gone; a server takes a moment to see that."""
        ends = time.monotonic() + _SECONDS
        while _number(connection, _OTHERS):
            if time.monotonic() > ends:
                return False
            time.sleep(0.005)
        return True

    def _changed(self, connection: psycopg.Connection) -> bool:
        grown = _number(connection, _SIZE) - self._size
        return grown > _GROWS or connection.execute(_SHAPE.encode()).fetchall() != self._shape


def _number(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0

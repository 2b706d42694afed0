"""The engine, the transaction of a request or a job, and the one commit.

Every request and every job runs in one transaction. It commits before the response starts: a commit that fails is
an error that the caller sees, a `DomainError` rolls everything back. Actions never commit.
"""

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from typing import Any

import msgspec
import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Dialect, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

set_json_loads(msgspec.json.decode)

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a transaction: what jobs and exports are given, so that they never hold one over the outside world."""


def sqlalchemy_url(url: str) -> str:
    """Name the driver in a plain `postgresql://` address."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


IDLE_SECONDS = 5.0
"""A connection that lay idle for longer is tested before it is used: the database may have been restarted."""


def create_engine(url: str, *, size: int = 10, name: str = "returns-portal") -> AsyncEngine:
    """An engine with a bounded pool: `size` connections, each tested before use where it lay idle."""
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=20,
        pool_recycle=1800,
        # Error texts would otherwise carry the values of a statement into logs: names, addresses.
        hide_parameters=True,
        json_serializer=_dumps,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "application_name": name,
            # A row lock that is not had within this time is an error that the caller can try again,
            # rather than a request that hangs until the customer's browser gives up.
            "options": "-c lock_timeout=15s -c statement_timeout=60s -c timezone=UTC"
            # Our statements name a row or a few by an index, whatever the values: planning each run anew cost more than
            # running it. What reads a period of a report asks for plans of its own.
            " -c plan_cache_mode=force_generic_plan",
            "prepare_threshold": 2,
        },
    )
    event.listen(engine.sync_engine, "checkin", _note_return)
    event.listen(engine.sync_engine, "checkout", partial(_test_idle, engine.dialect))
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's
    record.info["returned"] = time.monotonic()


def _test_idle(
    dialect: Dialect,
    connection: Any,  # noqa: ANN401 - the driver's
    record: ConnectionPoolEntry,
    _proxy: Any,  # noqa: ANN401 - the pool's
) -> None:
    """Ask a connection that lay idle whether it lives; the pool replaces one that does not.

    Every use would cost a round trip, which the calls of the API would feel.
    """
    if time.monotonic() - record.info.get("returned", time.monotonic()) < IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg.Error as error:
        raise DisconnectionError from error


def _dumps(value: Any) -> str:  # noqa: ANN401 - JSON takes anything that msgspec encodes
    return msgspec.json.encode(value).decode()


def beginner(engine: AsyncEngine) -> Begin:
    """What opens transactions on this engine."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[AsyncConnection]:
        async with engine.begin() as connection:
            yield connection

    return begin


async def raw_connection(db: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection beneath, inside the same transaction: for COPY and for the job queue."""
    return _driver(db)


def _driver(db: AsyncConnection) -> psycopg.AsyncConnection[Any]:
    beneath = db.sync_connection
    connection = beneath.connection.driver_connection if beneath is not None else None
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError("the driver is not psycopg")
    return connection


async def run(db: AsyncConnection, query: str, /, **values: Any) -> list[Any]:  # noqa: ANN401 - the driver adapts them
    """Run a constant statement with `:named` values in the transaction; its rows, as named tuples.

    For the statements of the hot paths, which are written out anyway: straight through the driver they cost a third of
    what they do through the toolkit, which prepares for results of any shape each time.

    Raises:
        DBAPIError: what the database refused, as the toolkit's own statements raise it.
    """
    cursor = _driver(db).cursor(row_factory=namedtuple_row)
    try:
        await cursor.execute(_driver_text(query), values or None, prepare=True)
        return await cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        # As the toolkit says it, so that there is one kind of database error to catch.
        named = DBAPIError.instance(query, None, error, psycopg.Error, hide_parameters=True, dialect=db.dialect)
        raise named from error


@cache
def _driver_text(query: str) -> Any:  # noqa: ANN401 - psycopg takes literal strings alone, and this one is constant
    """The statement with the driver's own places: `:name`, but not `::type`."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", query.replace("%", "%%"))


Rows = tuple[type[SQLModel], Sequence[Mapping[str, Any]]]


async def insert_rows(db: AsyncConnection, *groups: Rows) -> None:
    """Insert rows of one or several tables in one statement, whatever their number.

    Rows travel as one JSON array for each table, so the statement's text is the same for any count and stays prepared;
    foreign keys between the groups are checked at its end. Columns that a row does not name are NULL. Binary columns
    are not for this way.
    """
    filled = [(table, rows) for table, rows in groups if rows]
    if filled:
        values = {f"rows_{index}": msgspec.json.encode(rows).decode() for index, (_, rows) in enumerate(filled)}
        await run(db, _insert_text(tuple(table for table, _ in filled)), **values)


@cache
def _insert_text(tables: tuple[type[SQLModel], ...]) -> str:
    parts = []
    for index, model in enumerate(tables):
        table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to the classes that are tables
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        parts.append(
            f'INSERT INTO "{table.name}" ({columns}) SELECT {columns}'  # noqa: S608 - names of our own tables
            f' FROM json_populate_recordset(NULL::"{table.name}", CAST(:rows_{index} AS json))'
        )
    heads = [f"w{index} AS ({part})" for index, part in enumerate(parts[:-1])]
    return (f"WITH {', '.join(heads)} " if heads else "") + parts[-1]

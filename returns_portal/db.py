"""The engine, the transaction of a request or a job, and the one commit.

Every request and every job runs in one transaction. It commits before the response starts: a commit that fails is
an error that the caller sees, a `DomainError` rolls everything back. Actions never commit.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, partial
from typing import Any

import msgspec
import psycopg
from sqlalchemy import Dialect, TextClause, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import SQLModel

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
            "options": "-c lock_timeout=15s -c statement_timeout=60s -c timezone=UTC",
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
    connection = (await db.get_raw_connection()).driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError("the driver is not psycopg")
    return connection


Rows = tuple[type[SQLModel], Sequence[Mapping[str, Any]]]


async def insert_rows(db: AsyncConnection, *groups: Rows) -> None:
    """Insert rows of one or several tables in one statement, whatever their number.

    Rows travel as one JSON array for each table, so the statement's text is the same for any count and stays prepared;
    foreign keys between the groups are checked at its end. Columns that a row does not name are NULL. Binary columns
    are not for this way.
    """
    filled = [(table, rows) for table, rows in groups if rows]
    if filled:
        await db.execute(
            _insert_text(tuple(table for table, _ in filled)),
            {f"rows_{index}": msgspec.json.encode(rows).decode() for index, (_, rows) in enumerate(filled)},
        )


@cache
def _insert_text(tables: tuple[type[SQLModel], ...]) -> TextClause:
    parts = []
    for index, model in enumerate(tables):
        table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it to the classes that are tables
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        parts.append(
            f'INSERT INTO "{table.name}" ({columns}) SELECT {columns}'  # noqa: S608 - names of our own tables
            f' FROM json_populate_recordset(NULL::"{table.name}", CAST(:rows_{index} AS json))'
        )
    heads = [f"w{index} AS ({part})" for index, part in enumerate(parts[:-1])]
    return text((f"WITH {', '.join(heads)} " if heads else "") + parts[-1])

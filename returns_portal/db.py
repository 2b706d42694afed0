"""The engine, the transaction of a request or a job, and the one commit.

Every request and every job runs in one transaction. It commits before the response starts: a commit that fails is
an error that the caller sees, a `DomainError` rolls everything back. Actions never commit.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlmodel import SQLModel

if TYPE_CHECKING:
    from sqlalchemy.pool import QueuePool

set_json_loads(msgspec.json.decode)

Begin = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a transaction: what jobs and exports are given, so that they never hold one over the outside world."""


def sqlalchemy_url(url: str) -> str:
    """Name the driver in a plain `postgresql://` address."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


IDLE_SECONDS = 5.0
"""A connection that lay idle for longer is tested before it is used: the database may have been restarted."""
_WAIT_SECONDS = 20.0
"""How long a transaction may wait for a free connection."""
COMMIT: Final = "COMMIT"
"""The statement of an error that happened while committing: where the connection was lost, it may have been kept."""


def create_engine(url: str, *, size: int = 10, name: str = "returns-portal", reads_only: bool = False) -> AsyncEngine:
    """An engine of at most `size` connections.

    With `reads_only` the database refuses every change, and each statement stands by itself: nothing is begun or
    committed, which spares two round trips. Each then sees what is committed when it runs, as it also does in a
    transaction of the isolation level that the others have.
    """
    return create_async_engine(
        sqlalchemy_url(url),
        isolation_level="AUTOCOMMIT" if reads_only else None,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_SECONDS,
        # Error texts would otherwise carry the values of a statement into logs: names, addresses.
        hide_parameters=True,
        json_serializer=_dumps,
        json_deserializer=msgspec.json.decode,
        connect_args={
            "application_name": name,
            "options": f"-c default_transaction_read_only={'on' if reads_only else 'off'}"
            # A row lock that is not had within this time is an error that the caller can try again,
            # rather than a request that hangs until the customer's browser gives up.
            " -c lock_timeout=15s -c statement_timeout=60s -c timezone=UTC"
            # Our statements name a row or a few by an index, whatever the values: planning each run anew cost more than
            # running it. What reads a period of a report asks for plans of its own.
            " -c plan_cache_mode=force_generic_plan",
            "prepare_threshold": 2,
        },
    )


def _dumps(value: Any) -> str:  # noqa: ANN401 - JSON takes anything that msgspec encodes
    return msgspec.json.encode(value).decode()


def beginner(engine: AsyncEngine) -> Begin:
    """What opens transactions on this engine."""
    return _Transactions(engine).begin


class _Kept(NamedTuple):
    """A connection between two transactions, and since when (monotonic seconds)."""

    connection: AsyncConnection
    since: float


class _Transactions:
    """Opens transactions on connections that are kept open, at most as many as the engine may have.

    The engine's own pool would take each connection apart and put it together again for every transaction, which costs
    more than most of our transactions. So its connections are kept by us, and begun and committed by the driver.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._free = asyncio.Semaphore(cast("QueuePool", engine.pool).size())
        self._kept: list[_Kept] = []
        event.listen(engine.sync_engine, "engine_disposed", self._close)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end, rolled back by whatever is raised.

        Raises:
            sqlalchemy.exc.TimeoutError: no connection became free in time.
        """
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise exc.TimeoutError(f"no connection became free within {_WAIT_SECONDS:.0f} s") from None
        try:
            connection = await self._take()
            try:
                yield connection
                await _end(connection, commit=True)
            except BaseException:
                await _end(connection, commit=False)
                raise
            finally:
                await self._give_back(connection)
        finally:
            self._free.release()

    async def _take(self) -> AsyncConnection:
        """A connection that is believed to live; only one that lay idle is asked, which costs a round trip."""
        while self._kept:
            connection, since = self._kept.pop()
            if time.monotonic() - since < IDLE_SECONDS or await _lives(connection):
                return connection
            await _discard(connection)
        return await self._engine.connect()

    async def _give_back(self, connection: AsyncConnection) -> None:
        if not connection.invalidated and _driver(connection).info.transaction_status is TransactionStatus.IDLE:
            self._kept.append(_Kept(connection, time.monotonic()))
        else:
            await _discard(connection)

    def _close(self, _engine: Engine) -> None:
        """Close what is kept when the engine is disposed of."""
        for connection, _ in self._kept:
            if connection.sync_connection is not None:
                connection.sync_connection.invalidate()
        self._kept.clear()


async def _end(connection: AsyncConnection, *, commit: bool) -> None:
    """Commit or roll back: by the toolkit where it knows of the transaction, else by the driver alone.

    Raises:
        DBAPIError: the database refused to commit. What cannot be rolled back is a connection that is gone.
    """
    ending: Any = connection if connection.in_transaction() or connection.invalidated else _driver(connection)
    if commit:
        with _named_errors(connection, COMMIT):
            await ending.commit()
    else:
        with suppress(psycopg.Error, SQLAlchemyError):
            await ending.rollback()


async def _lives(connection: AsyncConnection) -> bool:
    driver = _driver(connection)
    try:
        await driver.execute("SELECT 1")
        # A rollback would make the driver forget its prepared statements.
        await driver.commit()
    except psycopg.Error:
        return False
    return True


async def _discard(connection: AsyncConnection) -> None:
    with suppress(psycopg.Error, SQLAlchemyError):
        await connection.invalidate()
    await connection.close()


@contextmanager
def _named_errors(db: AsyncConnection, query: str) -> Iterator[None]:
    """Raise the driver's errors as the toolkit does, so that there is one kind of database error to catch."""
    try:
        yield
    except DBAPIError as error:
        # The toolkit's own commit does not say that it was the commit.
        error.statement = error.statement or query
        raise
    except psycopg.Error as error:
        named = DBAPIError.instance(query, None, error, psycopg.Error, hide_parameters=True, dialect=db.dialect)
        raise named from error


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
    with _named_errors(db, query):
        await cursor.execute(_driver_text(query), values or None, prepare=True)
        # Not by the cursor's description, which makes an object of every column each time that it is asked for.
        return await cursor.fetchall() if cursor.pgresult is not None and cursor.pgresult.nfields else []


@cache
def _driver_text(query: str) -> Any:  # noqa: ANN401 - psycopg takes literal strings alone, and this one is constant
    """The statement with the driver's own places: `:name`, but not `::type`."""
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", query.replace("%", "%%"))


Rows = tuple[type[SQLModel], Sequence[Mapping[str, Any]]]


async def insert_rows(db: AsyncConnection, *groups: Rows) -> None:
    """Insert rows of one or several tables in one statement, whatever their number.

    Rows travel as one JSON array for each table, so the statement's text is the same for any count and stays prepared,
    and it is short, because the driver takes long ones apart anew each time. Foreign keys between the groups are
    checked at its end. Columns that a row does not name are NULL. Binary columns are not for this way.
    """
    filled = [(table, rows) for table, rows in groups if rows]
    if filled:
        values = {f"rows_{index}": msgspec.json.encode(rows).decode() for index, (_, rows) in enumerate(filled)}
        await run(db, _insert_text(tuple(table for table, _ in filled)), **values)


@cache
def _insert_text(tables: tuple[type[SQLModel], ...]) -> str:
    parts = []
    for index, model in enumerate(tables):
        name = model.__tablename__
        parts.append(
            f'INSERT INTO "{name}" SELECT * FROM json_populate_recordset(NULL::"{name}", CAST(:rows_{index} AS json))'  # noqa: S608 - names of our own tables
        )
    heads = [f"w{index} AS ({part})" for index, part in enumerate(parts[:-1])]
    return (f"WITH {', '.join(heads)} " if heads else "") + parts[-1]

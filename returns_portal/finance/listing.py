"""What a file of rows is made of: columns with their SQL, from which a CSV or a spreadsheet is written."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from returns_portal.db import Begin, raw_connection
from returns_portal.finance.cells import moment_sql, safe_sql, scale_sql, serial_sql

_CHUNK: Final = 64 * 1024


class Column(NamedTuple):
    """A column of a listing: its name, its SQL, and what it holds: plain, text, number, amount, moment or flag."""

    name: str
    sql: str
    kind: str = "plain"


class Listing(msgspec.Struct, frozen=True):
    """Rows of a file: its columns, where they come from (FROM … WHERE …), their order, and the query's values."""

    columns: Sequence[Column]
    source: str
    order: str
    values: dict[str, Any]

    def query(self, *, zone: str | None = None) -> tuple[str, dict[str, Any]]:
        """The SELECT whose cells are text and numbers as CSV has them; with a zone, as a spreadsheet does."""
        cells = ", ".join(f"{_cell(column, zone)} AS {column.name}" for column in self.columns)
        selected = ", ".join(f"{column.sql} AS {column.name}" for column in self.columns)
        # Found once for each row, not once for each of its amounts.
        [currency] = [column.sql for column in self.columns if column.name == "currency"]
        select = f"SELECT {selected}, {scale_sql(currency)} AS scale {self.source} ORDER BY {self.order}"
        return f"SELECT {cells} FROM ({select}) AS listing", self.values | ({"zone": zone} if zone else {})  # noqa: S608 - our own text

    def count(self) -> tuple[str, dict[str, Any]]:
        """The query for the number of rows."""
        return f"SELECT count(*) {self.source}", self.values


def _cell(column: Column, zone: str | None) -> str:
    match column.kind:
        case "text":
            return safe_sql(column.name)
        case "amount":
            return f"{column.name} * scale"
        case "moment":
            return moment_sql(column.name) if zone is None else serial_sql(column.name)
        case "flag":
            return f"CAST({column.name} AS text)"
        case _:
            return column.name


@asynccontextmanager
async def reading(begin: Begin) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A transaction for what reads a long listing: read-only, with plans and memory of its own."""
    async with begin() as db:
        driver = await raw_connection(db)
        # A statement lasts as long as its reader takes: a download over a slow line is no runaway query.
        await driver.execute("SET TRANSACTION READ ONLY")
        await driver.execute("SET LOCAL statement_timeout = '30min'")
        await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        # Enough to join and sort a year without spilling to disk.
        await driver.execute("SET LOCAL work_mem = '64MB'")
        yield driver


async def copied(driver: psycopg.AsyncConnection[Any], listing: Listing) -> AsyncIterator[bytes]:
    """The listing as CSV, in chunks."""
    query, values = listing.query()
    gathered = bytearray()
    async with driver.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", values) as copy:
        async for row in copy:
            gathered += row
            if len(gathered) >= _CHUNK:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)

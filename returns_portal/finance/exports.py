"""The report as a file: written by the database itself, in the same memory whether it is long or short."""

import codecs
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin, beginner, create_engine, raw_connection
from returns_portal.embedded import database_url
from returns_portal.finance.filters import Basis, Filters, period
from returns_portal.finance.report import export_query
from returns_portal.settings import Settings
from returns_portal.shop.queries import current as current_shop

_CHUNK: Final = 64 * 1024


async def stream_refunds(begin: Begin, filters: Filters, *, bom: bool = False) -> AsyncIterator[bytes]:
    """The report as CSV, in chunks, from one snapshot of the database.

    It opens a transaction of its own, because a response is read after its request's one has ended. With `bom` it
    begins with the mark by which spreadsheets know UTF-8.
    """
    if bom:
        yield codecs.BOM_UTF8
    async with begin() as db:
        async for chunk in _copied(db, filters):
            yield chunk


async def _copied(db: AsyncConnection, filters: Filters) -> AsyncIterator[bytes]:
    driver = await raw_connection(db)
    # A statement lasts as long as its reader takes: a download over a slow line is no runaway query.
    await driver.execute("SET TRANSACTION READ ONLY")
    await driver.execute("SET LOCAL statement_timeout = '30min'")
    await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    # Enough to join and sort a year without spilling to disk.
    await driver.execute("SET LOCAL work_mem = '64MB'")
    query, values = export_query(filters)
    gathered = bytearray()
    async with driver.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", values) as copy:
        async for row in copy:
            gathered += row
            if len(gathered) >= _CHUNK:
                yield bytes(gathered)
                gathered.clear()
    if gathered:
        yield bytes(gathered)


async def export_refunds(
    settings: Settings,
    *,
    first: str | None,
    last: str | None,
    out: Path,
    basis: Basis = Basis.SUCCESS,
    bom: bool = False,
) -> None:
    """Write the report of a period (days as YYYY-MM-DD, as `filters.period` reads them) to a file.

    The file appears whole or not at all, readable by its owner alone. The database has to be running.

    Raises:
        InvalidError: the period is none.
    """
    engine = create_engine(database_url(settings), size=1, name="returns-portal export-refunds")
    begin = beginner(engine)
    try:
        async with begin() as db:
            zone = (await current_shop(db)).timezone
        begins, ends = period(first, last, zone)
        filters = Filters(first=begins, last=ends, zone=zone, basis=basis)
        with _whole(out) as file:
            async for chunk in stream_refunds(begin, filters, bom=bom):
                file.write(chunk)
    finally:
        await engine.dispose()


@contextmanager
def _whole(out: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only once it is complete; a device or a pipe is written to as it is."""
    if out.exists() and not out.is_file():
        with out.open("wb") as file:
            yield file
        return
    target = out.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise


def csv_response(begin: Begin, filters: Filters, *, bom: bool) -> Stream:
    """The report as a download."""
    name = f"refunds-{filters.first}-{filters.last}.csv"
    return Stream(
        stream_refunds(begin, filters, bom=bom),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )

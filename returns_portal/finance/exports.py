"""Reports as files: CSV written by the database itself, in the same memory whether it is long or short."""

import codecs
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin, beginner, create_engine
from returns_portal.embedded import database_url
from returns_portal.finance.closed_export import closed_months, closed_rows
from returns_portal.finance.filters import Basis, Filters, period
from returns_portal.finance.listing import Listing, copied, reading
from returns_portal.finance.report import report_listing
from returns_portal.finance.spreadsheets import write_report
from returns_portal.settings import Settings
from returns_portal.shop.queries import current as current_shop

FindListing = Callable[[AsyncConnection, str], Awaitable[Listing]]


async def stream(begin: Begin, listing: Listing) -> AsyncGenerator[bytes]:
    """A listing as CSV, in chunks, from one snapshot of the database.

    It opens a transaction of its own, because a response is read after its request's one has ended.
    """
    async with reading(begin) as driver:
        async for chunk in copied(driver, listing):
            yield chunk


async def stream_refunds(begin: Begin, filters: Filters, *, bom: bool = False) -> AsyncIterator[bytes]:
    """The refund report as CSV; of whole months that are closed, the rows of their files.

    With `bom` it begins with the mark by which spreadsheets know UTF-8.
    """
    if bom:
        yield codecs.BOM_UTF8
    closed = await closed_months(begin, filters)
    chunks = closed_rows(begin, closed) if closed else stream(begin, report_listing(filters))
    async with aclosing(chunks):
        async for chunk in chunks:
            yield chunk


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

    The file appears whole or not at all, readable by its owner alone; it is a workbook where its name ends in `.xlsx`,
    else CSV. The database has to be running.

    Raises:
        InvalidError: the period is none.
    """
    async with _database(settings) as (begin, zone):
        begins, ends = period(first, last, zone)
        filters = Filters(first=begins, last=ends, zone=zone, basis=basis)
        with whole(out) as file:
            if out.suffix.lower() == ".xlsx":
                await write_report(begin, filters, file)
                return
            async for chunk in stream_refunds(begin, filters, bom=bom):
                file.write(chunk)


async def export_listing(settings: Settings, out: Path, find: FindListing) -> None:
    """Write a listing to a CSV file, as `export_refunds` does; `find` is given a transaction and the shop's zone."""
    async with _database(settings) as (begin, zone):
        async with begin() as db:
            listing = await find(db, zone)
        with whole(out) as file:
            async for chunk in stream(begin, listing):
                file.write(chunk)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[tuple[Begin, str]]:
    """A small engine of its own, and the shop's zone."""
    engine = create_engine(database_url(settings), size=1, name="returns-portal export")
    begin = beginner(engine)
    try:
        async with begin() as db:
            zone = (await current_shop(db)).timezone
        yield begin, zone
    finally:
        await engine.dispose()


@contextmanager
def whole(out: Path) -> Iterator[IO[bytes]]:
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


def csv_response(name: str, chunks: AsyncIterator[bytes]) -> Stream:
    """A CSV file as a download."""
    return Stream(
        chunks,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def refunds_response(begin: Begin, filters: Filters, *, bom: bool) -> Stream:
    """The refund report as a download."""
    return csv_response(f"refunds-{filters.first}-{filters.last}.csv", stream_refunds(begin, filters, bom=bom))

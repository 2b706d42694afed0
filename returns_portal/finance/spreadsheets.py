"""The refund report as a workbook: sums first, then a row for each refund, with a heading that stays and can filter."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import IO, Any, Final

import psycopg

from returns_portal.db import Begin
from returns_portal.finance.filters import Filters
from returns_portal.finance.listing import Listing, reading
from returns_portal.finance.report import report_listing
from returns_portal.finance.workbook import MAX_ROWS, Cell, RowWriter, Sheet, Style, Workbook, places
from returns_portal.i18n import _
from returns_portal.money import exponent
from returns_portal.web import formats

Progress = Callable[[int], Awaitable[None]]
"""Told how many rows are written, now and then."""

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BATCH: Final = 500
_TOLD: Final = 5000
_WIDTHS: Final = {"amount": 13.0, "moment": 19.0, "number": 10.0, "text": 20.0}
_SUMMED: Final = (
    "gross",
    "tax",
    "net",
    "shipping",
    "points_bonus",
    "card_leg",
    "points_leg",
    "transfer_leg",
)


class Sums:
    """What the rows come to, by currency, taken from the very rows that are written."""

    def __init__(self, listing: Listing) -> None:
        """Find the columns."""
        names = [column.name for column in listing.columns]
        self._currency = names.index("currency")
        self._livemode = names.index("livemode")
        self._places = [names.index(name) for name in _SUMMED]
        self.by_currency: dict[str, list[Decimal]] = {}
        self.counts: dict[str, int] = {}
        self.sandbox = 0
        """How many of the rows are of the sandbox."""

    def add(self, row: Sequence[str | None]) -> Style:
        """Take a row in; the style of its amounts."""
        currency = row[self._currency] or ""
        sums = self.by_currency.setdefault(currency, [Decimal()] * len(_SUMMED))
        for index, place in enumerate(self._places):
            sums[index] += Decimal(row[place] or 0)
        self.counts[currency] = self.counts.get(currency, 0) + 1
        self.sandbox += row[self._livemode] == "false"
        return places(exponent(currency))


async def write_report(begin: Begin, filters: Filters, file: IO[bytes], progress: Progress | None = None) -> int:
    """Write the report as a workbook; how many refunds are in it."""
    heads = [_period(filters.first, filters.last)]
    async with reading(begin) as driver:
        return await write_rows(driver, report_listing(filters), file, (filters.zone, heads), progress)


def _period(first: date, last: date) -> str:
    return _("{first} to {last}", first=formats.format_date(first), last=formats.format_date(last))


async def write_rows(
    driver: psycopg.AsyncConnection[Any],
    listing: Listing,
    file: IO[bytes],
    head: tuple[str, Sequence[str]],
    progress: Progress | None = None,
) -> int:
    """Write a listing of refunds as a workbook; how many rows it has.

    Args:
        driver: a transaction, as `reading` opens it.
        listing: with the columns of the report, or more.
        file: where to.
        head: the zone whose times the cells show, and the lines below the title.
        progress: told of the rows that are done.
    """
    zone, lines = head
    sums = Sums(listing)
    with Workbook(file) as workbook:
        rows = await _write_refunds(driver, listing, zone, workbook, sums, progress)
        _write_totals(workbook, sums, [*lines, _("Times are those of {zone}.", zone=zone)])
    return rows


async def _write_refunds(
    driver: psycopg.AsyncConnection[Any],
    listing: Listing,
    zone: str,
    workbook: Workbook,
    sums: Sums,
    progress: Progress | None,
) -> int:
    query, values = listing.query(zone=zone)
    writer = RowWriter([column.kind for column in listing.columns])
    sheet = _begin(workbook, listing, 1)
    done = 0
    async with driver.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT", values) as copy:
        batch: list[Any] = []
        async for row in copy.rows():
            batch.append(row)
            if len(batch) == _BATCH:
                sheet = _next(workbook, listing, sheet)
                # In a thread: what else runs in this process goes on meanwhile.
                done += await asyncio.to_thread(_write, sheet, writer, sums, batch)
                batch = []
                if progress is not None and done % _TOLD == 0:
                    await progress(done)
        done += _write(sheet, writer, sums, batch)
    return done


def _write(sheet: Sheet, writer: RowWriter, sums: Sums, batch: Sequence[Sequence[str | None]]) -> int:
    sheet.write(writer.write((row, sums.add(row)) for row in batch), len(batch))
    return len(batch)


def _begin(workbook: Workbook, listing: Listing, number: int) -> Sheet:
    widths = [38.0 if column.name == "refund_id" else _WIDTHS.get(column.kind, 15.0) for column in listing.columns]
    name = _("Refunds") if number == 1 else _("Refunds {number}", number=number)
    sheet = workbook.sheet(name, widths, frozen=1)
    sheet.add(*(Cell(column.name, Style.HEADING) for column in listing.columns))
    return sheet


def _next(workbook: Workbook, listing: Listing, sheet: Sheet) -> Sheet:
    """The sheet to go on with: another one when this is full."""
    return _begin(workbook, listing, sheet.number + 1) if sheet.rows > MAX_ROWS else sheet


def _write_totals(workbook: Workbook, sums: Sums, lines: Sequence[str]) -> None:
    sheet = workbook.sheet(_("Totals"), [12.0, 10.0, *[14.0] * len(_SUMMED)], first=True)
    sheet.add(Cell(_("Refunds"), Style.TITLE))
    for line in lines:
        sheet.add(Cell(line))
    if sums.sandbox:
        sheet.add(Cell(_("Sandbox – no money moves"), Style.HEADING))
    sheet.add()
    names = ("currency", "refunds", *_SUMMED)
    sheet.add(*(Cell(name, Style.HEADING) for name in names))
    for currency, found in sorted(sums.by_currency.items(), key=lambda item: -sums.counts[item[0]]):
        style = places(exponent(currency))
        amounts = [Cell(str(amount), style, number=True) for amount in found]
        sheet.add(Cell(currency), Cell(str(sums.counts[currency]), number=True), *amounts)
    if not sums.by_currency:
        sheet.add(Cell(_("There are no refunds in this period.")))

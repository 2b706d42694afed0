"""Workbooks: typed cells, text that stays text, sums, and a job that survives crashes and hurry."""

import io
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from openpyxl import Workbook as Read  # type: ignore[import-untyped]  # openpyxl ships no types.
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape  # type: ignore[import-untyped]  # as above
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError, NotFoundError
from returns_portal.finance import exporting
from returns_portal.finance.exports import export_refunds
from returns_portal.finance.files import content
from returns_portal.finance.filters import Filters
from returns_portal.finance.report import COLUMNS
from returns_portal.finance.spreadsheets import write_report
from returns_portal.finance.workbook import MAX_TEXT, Cell, RowWriter, Style, Workbook, column_name
from returns_portal.jobs import JobContext
from returns_portal.settings import Settings
from tests.finance.seed import expected, stories
from tests.portal import FINANCE, at_once

pytestmark = pytest.mark.anyio

NOVEMBER = Filters(first=date(2026, 11, 1), last=date(2026, 11, 30), zone="Europe/Sofia")
FORMATS = {"EUR": "#,##0.00", "JPY": "#,##0", "BHD": "#,##0.000"}
PLACES = {"EUR": 2, "JPY": 0, "BHD": 3}


async def written(begin: Begin, filters: Filters = NOVEMBER) -> bytes:
    file = io.BytesIO()
    await write_report(begin, filters, file)
    return file.getvalue()


def read(file: bytes) -> Read:
    return load_workbook(io.BytesIO(file))


def rows_of(book: Read, sheet: str = "Refunds") -> list[dict[str, Any]]:
    head, *rows = book[sheet].iter_rows()
    return [{name.value: cell for name, cell in zip(head, row, strict=True)} for row in rows]


async def test_cells_have_their_types(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 21)
    book = read(await written(begin))
    rows = {row["order_number"].value: row for row in rows_of(book)}
    assert list(rows["N1"]) == [column.name for column in COLUMNS]
    for n in range(1, 22):
        row, story = rows[f"N{n}"], expected(n)
        assert row["gross"].data_type == "n"
        assert Decimal(str(row["gross"].value)) == Decimal(story.gross).scaleb(-PLACES[story.currency])
        assert row["gross"].number_format == FORMATS[story.currency]
        assert row["quantity"].value == story.quantity
        assert row["return_number"].data_type in {"s", "inlineStr"}
        # In Sofia, two hours after UTC.
        assert row["settled_at"].value == datetime(2026, 11, 1, 11, n)  # noqa: DTZ001 - cells have no zone
        assert row["settled_at"].is_date
    assert rows["N7"]["submitted_at"].value is None


async def test_the_heading_stays_and_filters_and_sums_stand_first(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 30)
    book = read(await written(begin))
    assert book.sheetnames == ["Totals", "Refunds"]
    assert book.active is not None
    assert book.active.title == "Totals"
    sheet = book["Refunds"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:{column_name(len(COLUMNS))}31"
    sums = {row[0].value: row for row in book["Totals"].iter_rows()}
    for currency in ("EUR", "JPY", "BHD"):
        mine = [story for story in map(expected, range(1, 31)) if story.currency == currency]
        row = sums[currency]
        assert row[1].value == len(mine)
        gross = Decimal(sum(story.gross for story in mine)).scaleb(-PLACES[currency])
        assert Decimal(str(row[2].value)) == gross
        assert row[2].number_format == FORMATS[currency]
    assert sums["Sandbox – no money moves"]
    assert sums["Times are those of Europe/Sofia."]


async def test_text_stays_text(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 6)
        for n, number in enumerate(['=HYPERLINK("x")', "＝1+1", "\t@SUM(A1)", 'a<b>&"c" ', "_x0041_", "z\x0b"], 1):
            values = {"new": number, "old": f"N{n}"}
            await db.execute(text("UPDATE orders SET number = :new WHERE number = :old"), values)
    cells = [row["order_number"] for row in rows_of(read(await written(begin)))]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    # What XML has no place for is escaped, which this reader leaves to us where strings stand in their cells.
    assert {unescape(cell.value) for cell in cells} == {
        '\'=HYPERLINK("x")',
        "'＝1+1",
        "'\t@SUM(A1)",
        'a<b>&"c" ',
        "_x0041_",
        "z\x0b",
    }


async def test_an_empty_period_says_so(begin: Begin) -> None:
    book = read(await written(begin))
    assert rows_of(book) == []
    assert "There are no refunds in this period." in {row[0].value for row in book["Totals"].iter_rows()}


async def test_the_same_rows_are_the_same_bytes(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 50)
    assert await written(begin) == await written(begin)


def test_a_long_text_is_cut_where_the_format_ends() -> None:
    line = RowWriter(["text", "amount"]).write([(["x" * 40_000, "1.5"], Style.PLACES_2)])
    assert line.count("x" * MAX_TEXT) == 1
    assert "x" * (MAX_TEXT + 1) not in line


def test_columns_are_named_as_spreadsheets_name_them() -> None:
    assert [column_name(n) for n in (1, 26, 27, 52, 53, 702, 703)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_sheet_written_last_may_stand_first() -> None:
    file = io.BytesIO()
    with Workbook(file) as book:
        book.sheet("Rows & <more>", [10.0], frozen=1).add(Cell("name"))
        book.sheet("Sums", [10.0], first=True).add(Cell("7", number=True))
    assert read(file.getvalue()).sheetnames == ["Sums", "Rows & <more>"]
    assert zipfile.ZipFile(file).testzip() is None


async def test_a_hundred_thousand_rows_take_seconds(begin: Begin) -> None:
    """A fifth of them in a fifth of the time, so that the test is short."""
    async with begin() as db:
        await stories(db, 1, 20_000)
        await db.execute(text("ANALYZE"))
    file = io.BytesIO()
    before = time.process_time()
    assert await write_report(begin, NOVEMBER, file) == 20_000
    assert time.process_time() - before < 8


# The job


@pytest.fixture
def context(begin: Begin, settings: Settings) -> JobContext:
    return JobContext(begin, settings)


async def asked(begin: Begin, filters: Filters = NOVEMBER) -> UUID:
    async with begin() as db:
        return await exporting.ask(db, FINANCE, filters)


async def view(begin: Begin, export_id: UUID) -> exporting.ExportView:
    async with begin() as db:
        return await exporting.export_for(db, FINANCE, export_id)


async def test_a_job_writes_it_and_tells_how_far_it_is(begin: Begin, context: JobContext) -> None:
    async with begin() as db:
        await stories(db, 1, 40)
    export_id = await asked(begin)
    assert (await view(begin, export_id)).file is None
    await exporting.write(context, export_id)
    done = await view(begin, export_id)
    assert (done.rows_done, done.rows_total, done.percent, done.filters) == (40, 40, 100, NOVEMBER)
    assert done.file is not None
    assert done.file.name == "refunds-2026-11-01-2026-11-30.xlsx"
    assert len(rows_of(read(b"".join([chunk async for chunk in content(begin, done.file.id)])))) == 40


async def test_progress_is_seen_while_it_is_written(
    begin: Begin, context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("returns_portal.finance.spreadsheets._BATCH", 10)
    monkeypatch.setattr("returns_portal.finance.spreadsheets._TOLD", 10)
    async with begin() as db:
        await stories(db, 1, 35)
    export_id = await asked(begin)
    seen: list[int] = []
    note = exporting._note

    async def watched(context: JobContext, statement: str, export: UUID, rows: int) -> None:
        await note(context, statement, export, rows)
        seen.append((await view(begin, export)).rows_done)

    monkeypatch.setattr(exporting, "_note", watched)
    await exporting.write(context, export_id)
    assert seen == [0, 10, 20, 30]


async def test_after_a_crash_it_is_written_anew(
    begin: Begin, context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with begin() as db:
        await stories(db, 1, 20)
    export_id = await asked(begin)

    async def killed(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(exporting, "keep", killed)
        with pytest.raises(ZeroDivisionError):
            await exporting.write(context, export_id)
    assert (await view(begin, export_id)).file is None
    await exporting.write(context, export_id)
    first = (await view(begin, export_id)).file
    await exporting.write(context, export_id)
    assert (await view(begin, export_id)).file == first


async def test_two_workers_keep_one_file(begin: Begin, context: JobContext) -> None:
    async with begin() as db:
        await stories(db, 1, 20)
    export_id = await asked(begin)
    assert await at_once(*(exporting.write(context, export_id) for _ in range(4))) == [None] * 4
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM finance_file")) == 1


async def test_a_second_click_is_the_same_wish(begin: Begin, context: JobContext) -> None:
    first = await asked(begin)
    assert await asked(begin) == first
    await exporting.write(context, first)
    assert await asked(begin) != first


async def test_files_are_deleted_after_a_week(begin: Begin, context: JobContext) -> None:
    export_id = await asked(begin)
    await exporting.write(context, export_id)
    await exporting.tidy(context)
    now = clock.now()
    assert (await view(begin, export_id)).file is not None
    with clock.at(now.replace(year=now.year + 1)):
        await exporting.tidy(context)
    with pytest.raises(NotFoundError):
        await view(begin, export_id)
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM finance_file_chunk")) == 0
    await exporting.write(context, export_id)


async def test_only_finance_asks(begin: Begin) -> None:
    async with begin() as db:
        with pytest.raises(ForbiddenError):
            await exporting.ask(db, Actor(kind="staff", id="w", grants=frozenset({"warehouse"})), NOVEMBER)


async def test_the_command_writes_a_workbook(
    begin: Begin, settings: Settings, tmp_path: Path, database_url: str
) -> None:
    async with begin() as db:
        await stories(db, 1, 5)
    out = tmp_path / "november.xlsx"
    settings = settings.model_copy(update={"database_url": database_url})
    await export_refunds(settings, first="2026-11-01", last="2026-11-30", out=out)
    assert len(rows_of(load_workbook(out))) == 5

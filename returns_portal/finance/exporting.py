"""Workbooks of the report, which a job writes: asked for, under way, done, and deleted after some days."""

import tempfile
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import NotFoundError
from returns_portal.finance.files import KeptFile, keep, kept
from returns_portal.finance.filters import Filters
from returns_portal.finance.listing import reading
from returns_portal.finance.models import Export
from returns_portal.finance.report import report_listing
from returns_portal.finance.spreadsheets import MEDIA_TYPE, write_report
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer

KEPT_DAYS: Final = 7

# A second click while the first is still being written is the same wish.
_UNDER_WAY: Final = """
    SELECT id FROM finance_export WHERE requested_by = :by AND wanted = CAST(:wanted AS jsonb) AND file_id IS NULL
      AND requested_at > :since ORDER BY requested_at DESC LIMIT 1
"""
_FIND: Final = "SELECT * FROM finance_export WHERE id = :id"
_TOTAL: Final = "UPDATE finance_export SET rows_total = :rows, rows_done = 0 WHERE id = :id AND file_id IS NULL"
_PROGRESS: Final = "UPDATE finance_export SET rows_done = :rows WHERE id = :id AND file_id IS NULL"
_LOCK: Final = "SELECT file_id FROM finance_export WHERE id = :id FOR UPDATE"
_DONE: Final = "UPDATE finance_export SET rows_done = :rows, rows_total = :rows, file_id = :file_id WHERE id = :id"
_TIDY: Final = """
    WITH old AS (DELETE FROM finance_export WHERE requested_at < :before RETURNING file_id)
    DELETE FROM finance_file WHERE id IN (SELECT file_id FROM old)
"""


class ExportView(msgspec.Struct, frozen=True):
    """How far an export is."""

    id: UUID
    filters: Filters
    requested_at: datetime
    rows_done: int
    rows_total: int | None
    file: KeptFile | None
    gone_on: datetime
    """When it is deleted."""

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.rows_done // self.rows_total if self.rows_total else 0


def _wanted(filters: Filters) -> dict[str, str]:
    return {name: str(value) for name in Filters.__struct_fields__ if (value := getattr(filters, name)) is not None}


def _filters(wanted: dict[str, str]) -> Filters:
    return msgspec.convert(wanted, Filters)


async def ask(db: AsyncConnection, actor: Actor, filters: Filters) -> UUID:
    """Have the report written as a workbook; the export's id.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    wanted = _wanted(filters)
    found = await run(
        db,
        _UNDER_WAY,
        by=actor.label,
        wanted=msgspec.json.encode(wanted).decode(),
        since=clock.now() - timedelta(hours=1),
    )
    if found:
        return UUID(str(found[0].id))
    export_id = new_id()
    row = {
        "id": export_id,
        "wanted": wanted,
        "requested_by": actor.label,
        "requested_at": clock.now(),
        "rows_done": 0,
    }
    await insert_rows(db, (Export, [row]))
    await defer(db, "finance.write_export", export_id=str(export_id))
    return export_id


async def export_for(db: AsyncConnection, actor: Actor, export_id: UUID) -> ExportView:
    """How far an export is.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is none, or it was deleted.
    """
    actor.require("finance")
    rows = await run(db, _FIND, id=export_id)
    if not rows:
        raise NotFoundError(
            mark("This file is deleted after {days} days. Have it made again from the report."), days=KEPT_DAYS
        )
    [row] = rows
    return ExportView(
        id=row.id,
        filters=_filters(row.wanted),
        requested_at=row.requested_at,
        rows_done=row.rows_done,
        rows_total=row.rows_total,
        file=await kept(db, row.file_id) if row.file_id else None,
        gone_on=row.requested_at + timedelta(days=KEPT_DAYS),
    )


async def write(context: JobContext, export_id: UUID) -> None:
    """Write an export that was asked for. Begun anew after a crash, and kept once whoever else writes it too."""
    async with context.begin() as db:
        rows = await run(db, _FIND, id=export_id)
    if not rows or rows[0].file_id is not None:
        return
    filters = _filters(rows[0].wanted)
    await _note(context, _TOTAL, export_id, await _count(context, filters))
    with tempfile.TemporaryFile() as file:
        done = await write_report(
            context.begin, filters, file, lambda count: _note(context, _PROGRESS, export_id, count)
        )
        async with context.begin() as db:
            found = await run(db, _LOCK, id=export_id)
            if not found or found[0].file_id is not None:
                return
            name = f"refunds-{filters.first}-{filters.last}.xlsx"
            file_id = await keep(db, file, name=name, media_type=MEDIA_TYPE, rows=done)
            await run(db, _DONE, id=export_id, rows=done, file_id=file_id)


async def _count(context: JobContext, filters: Filters) -> int:
    query, values = report_listing(filters).count()
    async with reading(context.begin) as driver:
        [(count,)] = await (await driver.execute(query, values)).fetchall()
    return int(count)


async def _note(context: JobContext, statement: str, export_id: UUID, rows: int) -> None:
    async with context.begin() as db:
        await run(db, statement, id=export_id, rows=rows)


async def tidy(context: JobContext) -> None:
    """Delete the exports of some days ago, with their files."""
    async with context.begin() as db:
        await run(db, _TIDY, before=clock.now() - timedelta(days=KEPT_DAYS))

"""Runs of labels as jobs: a piece each, one after the other; waking what stands still, and deleting what is old."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.jobs import JobContext, defer
from returns_portal.labels import runs
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.labels.run_reading import KEPT_DAYS
from returns_portal.settings import Settings

_STILL: Final = timedelta(minutes=30)
"""After which time a run whose jobs were given up is taken up again."""


async def make_part(context: JobContext, run_id: UUID, number: int) -> None:
    """Make a piece; where it waits for carriers, look again soon."""
    renderer, sandbox = context.service(LabelRenderer), not context.service(Settings).livemode
    if not await runs.make_part(context.begin, renderer, run_id, number, sandbox=sandbox):
        async with context.begin() as db:
            at = clock.now() + runs.PAUSE
            await defer(db, "labels.make_part", run_id=str(run_id), number=str(number), at=at)


async def bind_run(context: JobContext, run_id: UUID) -> None:
    """Put the pieces together."""
    await runs.finish(context.begin, context.service(LabelRenderer), run_id)


# Of two that wake it at once, one finds that it has moved.
_WAKE: Final = """
    UPDATE label_run SET moved_at = :now
    WHERE finished_at IS NULL AND gone_at IS NULL AND NOT at_command AND moved_at < :before
    RETURNING id, rows_total, rows_done
"""
_FORGET: Final = """
    WITH old AS (UPDATE label_run SET gone_at = :now, wish = '', file_size = 0
                 WHERE gone_at IS NULL AND requested_at < :before RETURNING id),
    rows AS (DELETE FROM label_run_row WHERE run_id IN (SELECT id FROM old)),
    parts AS (DELETE FROM label_run_part WHERE run_id IN (SELECT id FROM old))
    DELETE FROM label_run_chunk WHERE run_id IN (SELECT id FROM old)
"""


async def mind(begin: Begin) -> None:
    """Take up runs that stand still, and delete the files and rows of old ones; that they were, stays."""
    now = clock.now()
    async with begin() as db:
        await run(db, _FORGET, now=now, before=now - timedelta(days=KEPT_DAYS))
        for row in await run(db, _WAKE, now=now, before=now - _STILL):
            if row.rows_done < row.rows_total:
                await defer(db, "labels.make_part", run_id=str(row.id), number=str(row.rows_done // runs.BATCH))
            else:
                await defer(db, "labels.bind_run", run_id=str(row.id))

"""Runs: the labels of many returns in one file, made piece by piece.

A piece is the labels of `BATCH` rows. It is drawn in a process of its own and committed with its rows and with the job
that makes the next one, so that a crash costs one piece at most, and no row is left out or there twice. Labels are
bought by the life that they always have (`labels.buying`): a run asks for those that are lacking, waits for those that
are being made, and buys none.
"""

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.documents import DocumentBusyError
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id, parse_rma
from returns_portal.jobs import defer
from returns_portal.labels.actions import another
from returns_portal.labels.content import Size
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.labels.run_models import LabelRunRow
from returns_portal.labels.run_reading import MISSING, NOT_DRAWN, TWICE, UNKNOWN, VOIDED, Reading, read_rows
from returns_portal.returns.life import lock_return

log = structlog.get_logger(__name__)

MOST_ROWS: Final = 20_000
BATCH: Final = 200
"""Rows of one piece."""
PAUSE: Final = timedelta(seconds=10)
"""Between two looks at labels that carriers are making."""
_LONGEST_NUMBER: Final = 64
_CHUNK: Final = 1024 * 1024


class Wanted(msgspec.Struct, frozen=True):
    """The returns of a run, each by the line where it stands in the file (0 where there is none) and its number."""

    rows: Sequence[tuple[int, str]]
    size: Size
    source: str
    renew: bool = False


_START: Final = """
    INSERT INTO label_run (id, wish, source, size, renew, at_command, requested_by, requested_at, moved_at, rows_total,
        rows_done, labels, refused, file_size)
    VALUES (:id, :wish, :source, :size, :renew, :at_command, :by, :now, :now, :rows, 0, 0, 0, 0)
    ON CONFLICT (wish) WHERE wish <> '' DO NOTHING RETURNING id
"""
_FIND: Final = "SELECT id FROM label_run WHERE wish = :wish"


async def start(db: AsyncConnection, actor: Actor, wanted: Wanted, *, wish: str, at_command: bool = False) -> UUID:
    """Begin a run; its id. The same `wish` again, on the same occasion, is the run that there is.

    With `at_command` whoever asks makes it by `make_part`; else jobs do.

    Raises:
        ForbiddenError: the actor makes no labels.
        InvalidError: there are no rows, or too many.
    """
    actor.require("support", "warehouse")
    if not wanted.rows:
        raise InvalidError(mark("There is no return in it, so there is nothing to print."), code="empty", field="file")
    if len(wanted.rows) > MOST_ROWS:
        raise InvalidError(
            mark("These are more than {most} returns. Please take them in several runs."),
            code="too_many_rows",
            field="file",
            most=MOST_ROWS,
        )
    run_id = new_id()
    values = {"id": run_id, "wish": wish, "source": wanted.source, "size": wanted.size, "renew": wanted.renew}
    values |= {"at_command": at_command, "by": actor.label, "now": clock.now(), "rows": len(wanted.rows)}
    if not await run(db, _START, **values):
        [found] = await run(db, _FIND, wish=wish)
        return UUID(str(found.id))
    told = {"rows": len(wanted.rows), "size": wanted.size}
    await insert_rows(db, (LabelRunRow, _rows(run_id, wanted.rows)))
    await history.record(db, actor, ("label_run", run_id, "started", told))
    if not at_command:
        await defer(db, "labels.make_part", run_id=str(run_id), number="0")
    return run_id


def _rows(run_id: UUID, given: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """The rows, with what is wrong with a number by itself."""
    seen: set[str] = set()
    rows: list[dict[str, Any]] = []
    for position, (line, typed) in enumerate(given):
        number = parse_rma(typed)
        problem = TWICE if number in seen else ("" if number else UNKNOWN if typed else MISSING)
        seen.add(number or "")
        kept = (number or typed)[:_LONGEST_NUMBER]
        rows.append({"run_id": run_id, "position": position, "line": line, "given": kept, "problem": problem})
    return rows


_OPEN: Final = """
    SELECT size, renew, requested_by FROM label_run r WHERE id = :id AND finished_at IS NULL AND gone_at IS NULL
    AND NOT EXISTS (SELECT FROM label_run_part p WHERE p.run_id = r.id AND p.number = :number)
"""
_ROWS: Final = """
    SELECT position, given FROM label_run_row WHERE run_id = :id AND position >= :first AND position < :behind
    AND problem = '' ORDER BY position
"""


async def make_part(begin: Begin, renderer: LabelRenderer, run_id: UUID, number: int, *, sandbox: bool) -> bool:
    """Make a piece of a run, unless it is made; false where it waits for carriers, and wants to be asked for again.

    Raises:
        DocumentBusyError: too many documents are waiting to be made.
    """
    async with begin() as db:
        found = await run(db, _OPEN, id=run_id, number=number)
        if not found:
            return True
        [whole] = found
        given = await run(db, _ROWS, id=run_id, first=number * BATCH, behind=(number + 1) * BATCH)
    rows = [(row.position, row.given) for row in given]
    readings = await _readings(begin, _actor(whole.requested_by), rows, sandbox=sandbox, renew=whole.renew)
    if any(reading.waits for reading in readings):
        async with begin() as db:
            await run(db, "UPDATE label_run SET moved_at = :now WHERE id = :id", id=run_id, now=clock.now())
        return False
    pdf, undrawn = await _drawn(renderer, readings, whole.size)
    async with begin() as db:
        await _record(db, run_id, number, pdf, [_with(reading, undrawn) for reading in readings])
    return True


def _actor(label: str) -> Actor:
    """Who asked, for the history of labels that are made anew; what they may do was seen to when they asked."""
    kind, _, identity = label.partition(":")
    return Actor(kind="staff", id=identity) if kind == "staff" else SYSTEM


def _with(reading: Reading, undrawn: set[int]) -> Reading:
    return Reading(reading.position, reading.rma, NOT_DRAWN) if reading.position in undrawn else reading


async def _readings(
    begin: Begin, actor: Actor, rows: Sequence[tuple[int, str]], *, sandbox: bool, renew: bool
) -> list[Reading]:
    """What the rows hold, after labels were asked for where there are none."""
    async with begin() as db:
        readings = await read_rows(db, actor, rows, sandbox=sandbox, renew=renew)
    lacking = [reading for reading in readings if reading.lacks]
    if not lacking:
        return readings
    for reading in lacking:
        async with begin() as db:
            await _ask(db, actor, reading, renew=renew)
    async with begin() as db:
        readings = await read_rows(db, actor, rows, sandbox=sandbox, renew=renew)
    return [Reading(each.position, each.rma, VOIDED) if each.lacks else each for each in readings]


async def _ask(db: AsyncConnection, actor: Actor, reading: Reading, *, renew: bool) -> None:
    """Have a label made for a return, if under its lock it still has none."""
    await lock_return(db, actor, reading.rma)
    [present] = await read_rows(db, actor, [(reading.position, reading.rma)], sandbox=True, renew=renew)
    if present.lacks:
        try:
            await another(db, actor, reading.rma)
        except ConflictError as error:
            log.info("label_run.no_new_label", rma=reading.rma, reason=error.code)


async def _drawn(renderer: LabelRenderer, readings: Sequence[Reading], size: Size) -> tuple[bytes | None, set[int]]:
    """The labels as one PDF; and, where that fails, all that can be drawn, and the positions of what cannot."""
    rows = [reading for reading in readings if reading.pieces]
    if not rows:
        return None, set()
    try:
        return await renderer.gather([piece for row in rows for piece in row.pieces], size), set()
    except DocumentBusyError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the one label at fault raises
        log.warning("label_run.one_by_one", error=type(error).__name__)
    made: list[bytes] = []
    undrawn: set[int] = set()
    for row in rows:
        try:
            made.append(await renderer.gather(row.pieces, size))
        except DocumentBusyError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("label_run.not_drawn", rma=row.rma, error=type(error).__name__)
            undrawn.add(row.position)
    return (await renderer.gather(made, size) if made else None), undrawn


_LOCK: Final = "SELECT rows_total, at_command FROM label_run WHERE id = :id AND gone_at IS NULL FOR UPDATE"
_KEEP: Final = """
    INSERT INTO label_run_part (run_id, number, data) VALUES (:id, :number, :data)
    ON CONFLICT (run_id, number) DO NOTHING RETURNING number
"""
_REFUSE: Final = """
    UPDATE label_run_row w SET problem = n.problem
    FROM json_to_recordset(CAST(:rows AS json)) AS n(position integer, problem text)
    WHERE w.run_id = :id AND w.position = n.position
"""
_MOVE: Final = """
    UPDATE label_run SET rows_done = :behind, labels = labels + :labels, moved_at = :now, refused = refused + (
        SELECT count(*) FROM label_run_row WHERE run_id = :id AND position >= :first AND position < :behind
        AND problem <> '')
    WHERE id = :id
"""


async def _record(db: AsyncConnection, run_id: UUID, number: int, pdf: bytes | None, rows: Sequence[Reading]) -> None:
    """Keep a piece with what became of its rows, and ask for the next; whoever made it too finds it kept."""
    locked = await run(db, _LOCK, id=run_id)
    if not locked or not await run(db, _KEEP, id=run_id, number=number, data=pdf):
        return
    [whole] = locked
    refused = [{"position": row.position, "problem": row.problem} for row in rows if row.problem]
    if refused:
        await run(db, _REFUSE, id=run_id, rows=msgspec.json.encode(refused).decode())
    behind = min((number + 1) * BATCH, whole.rows_total)
    labels = sum(len(row.pieces) for row in rows if not row.problem)
    await run(db, _MOVE, id=run_id, first=number * BATCH, behind=behind, labels=labels, now=clock.now())
    if whole.at_command:
        return
    if behind < whole.rows_total:
        await defer(db, "labels.make_part", run_id=str(run_id), number=str(number + 1))
    else:
        await defer(db, "labels.bind_run", run_id=str(run_id))


_PARTS: Final = "SELECT number FROM label_run_part WHERE run_id = :id AND data IS NOT NULL ORDER BY number"
_DATA: Final = "SELECT data FROM label_run_part WHERE run_id = :id AND number = :number"
_BOUND: Final = """
    UPDATE label_run SET finished_at = :now, moved_at = :now, file_size = :size WHERE id = :id AND finished_at IS NULL
    RETURNING id
"""


async def bind(begin: Begin, renderer: LabelRenderer, run_id: UUID, target: Path) -> int:
    """Put the pieces of a run together in a file, which is there whole or not at all; how many bytes it has.

    Without a label there is no file, and it has none. Pieces are read one at a time.
    """
    with tempfile.TemporaryDirectory(prefix=".labels-", dir=target.parent) as folder:
        async with begin() as db:
            numbers = [row.number for row in await run(db, _PARTS, id=run_id)]
        parts = []
        for number in numbers:
            async with begin() as db:
                [part] = await run(db, _DATA, id=run_id, number=number)
            path = Path(folder) / f"{number}.pdf"
            path.write_bytes(part.data)
            parts.append(str(path))
        if not parts:
            return 0
        whole = Path(folder) / "whole.pdf"
        size = await renderer.bind(parts, str(whole))
        whole.replace(target)
    return size


async def finish(begin: Begin, renderer: LabelRenderer, run_id: UUID) -> None:
    """Put a run's file together and keep it; begun anew after a crash, and kept once whoever else does it too."""
    with tempfile.TemporaryDirectory(prefix="label-run-") as folder:
        path = Path(folder) / "run.pdf"
        size = await bind(begin, renderer, run_id, path)
        async with begin() as db:
            if not await run(db, _BOUND, id=run_id, now=clock.now(), size=size):
                return
            if size:
                await _keep_file(db, run_id, path)
            await run(db, "DELETE FROM label_run_part WHERE run_id = :id", id=run_id)


async def _keep_file(db: AsyncConnection, run_id: UUID, path: Path) -> None:
    with path.open("rb") as file:
        number = 0
        while data := file.read(_CHUNK):
            await run(
                db, "INSERT INTO label_run_chunk VALUES (:id, :number, :data)", id=run_id, number=number, data=data
            )
            number += 1


async def handed_over(db: AsyncConnection, run_id: UUID) -> None:
    """Note that a command has written the file of its run: its pieces have served, and its wish may come again."""
    await run(db, _BOUND, id=run_id, now=clock.now(), size=0)
    await run(db, "DELETE FROM label_run_part WHERE run_id = :id", id=run_id)
    await run(db, "UPDATE label_run SET wish = '' WHERE id = :id", id=run_id)

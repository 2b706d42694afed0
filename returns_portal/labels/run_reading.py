"""What a run of labels finds in its rows, how far runs are, and what they say to people."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Begin, run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import parse_rma
from returns_portal.labels.composing import composed
from returns_portal.labels.content import LabelContent
from returns_portal.labels.models import LIVE, LabelStatus
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView, returns_numbered
from returns_portal.shop.queries import current

PATIENCE: Final = timedelta(minutes=10)
"""How long a label may have been asked for, and a run still waits for it."""
KEPT_DAYS: Final = 7
"""For how many days a run's file and rows are kept."""

Piece = LabelContent | bytes
"""A label of the portal's own, or one as its carrier made it."""

MISSING, TWICE, UNKNOWN = "missing", "twice", "unknown"
CANCELLED, RECEIVED, UNDER_WAY, VOIDED, BEING_MADE = "cancelled", "received", "under_way", "voided", "being_made"
NOT_DRAWN, TOGETHER = "not_drawn", "together"
PROBLEMS: Final[Mapping[str, str]] = {
    MISSING: mark("There is no return number in this line."),
    TWICE: mark("This return stands further up already; its label is there."),
    UNKNOWN: mark("There is no return with this number."),
    CANCELLED: mark("This return was cancelled, so it needs no label."),
    RECEIVED: mark("This return was received already."),
    TOGETHER: mark("It travels in the parcel of another return, which has the label."),
    UNDER_WAY: mark("Its parcel is on its way or brought already."),
    VOIDED: mark(
        "Its label is not valid any more. A new one is on the page of the return, or with new labels asked for."
    ),
    BEING_MADE: mark("The carrier is still making its label. Take this return into a later run."),
    NOT_DRAWN: mark("Its label could not be drawn. Open it on the page of the return."),
}
"""Why a row has no label."""


class Reading(msgspec.Struct, frozen=True):
    """What is found in a row: labels, or why there are none.

    `waits` says that a carrier is making one, `lacks` that the return has none that holds and may have one.
    """

    position: int
    rma: str
    problem: str = ""
    pieces: tuple[Piece, ...] = ()
    waits: bool = False
    lacks: bool = False


_LABELS: Final = """
    SELECT DISTINCT ON (return_id, number) return_id, status, code, pdf, created_at
    FROM label WHERE return_id = ANY(:ids)
    ORDER BY return_id, number, status = ANY(:live) DESC, created_at DESC, id DESC
"""
_IN_PARCELS: Final = "SELECT return_id FROM trial WHERE return_id = ANY(:ids)"
_READY: Final = frozenset({LabelStatus.BOUGHT, LabelStatus.SENT})
_OVER: Final = frozenset({LabelStatus.VOIDED, LabelStatus.EXPIRED})


async def read_rows(
    db: AsyncConnection, actor: Actor, rows: Sequence[tuple[int, str]], *, sandbox: bool, renew: bool
) -> list[Reading]:
    """What rows (position, and number as given) hold: of every open parcel of a return its one label that holds."""
    numbers = {position: parse_rma(given) or "" for position, given in rows}
    views = await returns_numbered(db, actor, [number for number in numbers.values() if number])
    ids = [view.id for view in views.values()]
    shop, now = await current(db), clock.now()
    in_parcels = {row.return_id for row in await run(db, _IN_PARCELS, ids=ids)}
    labels: dict[UUID, list[Any]] = {}
    for row in await run(db, _LABELS, ids=ids, live=[status.value for status in LIVE]):
        labels.setdefault(row.return_id, []).append(row)

    def piece(view: ReturnView, label: Any) -> Piece:  # noqa: ANN401 - a row
        if label.pdf is not None:
            return bytes(label.pdf)
        return composed(view, label.code, shop, sandbox=sandbox, to_choose=view.of_trial and view.id in in_parcels)

    def is_young(label: Any) -> bool:  # noqa: ANN401 - a row
        return bool(label.status == LabelStatus.REQUESTED and now - label.created_at < PATIENCE)

    def read(position: int, rma: str) -> Reading:
        view = views.get(rma)
        if view is None:
            return Reading(position, rma, UNKNOWN)
        found = labels.get(view.id, [])
        judged = _judged(view, [LabelStatus(label.status) for label in found], renew=renew)
        if judged:
            waits = judged == BEING_MADE and any(map(is_young, found))
            return Reading(position, rma, judged, waits=waits, lacks=judged == _LACKING)
        return Reading(position, rma, pieces=tuple(piece(view, label) for label in found if label.status in _READY))

    return [read(position, rma) for position, rma in numbers.items()]


_LACKING: Final = "lacking"


def _judged(view: ReturnView, statuses: Sequence[LabelStatus], *, renew: bool) -> str:
    """Why there is no label, by the return and its parcels' labels; empty where there is one."""
    if view.status != ReturnStatus.FILED:
        return CANCELLED if view.status == ReturnStatus.CANCELLED else RECEIVED
    if view.in_parcel_of:
        return TOGETHER
    if LabelStatus.REQUESTED in statuses:
        return BEING_MADE
    if not _READY.isdisjoint(statuses):
        return ""
    if not _OVER.issuperset(statuses):
        return UNDER_WAY
    return _LACKING if renew or not statuses else VOIDED


class RunView(msgspec.Struct, frozen=True):
    """How far a run is."""

    id: UUID
    source: str
    size: str
    renew: bool
    at_command: bool
    who: str
    requested_at: datetime
    moved_at: datetime
    rows_total: int
    rows_done: int
    labels: int
    refused: int
    finished_at: datetime | None
    file_size: int
    gone_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it is done; the last hundredth is putting the pieces together."""
        return 100 if self.finished_at else min(99, 100 * self.rows_done // self.rows_total)

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"labels-{self.requested_at:%Y-%m-%d}-{str(self.id)[-6:]}-{self.size}.pdf"

    @property
    def gone_on(self) -> datetime:
        """When its file is deleted."""
        return self.requested_at + timedelta(days=KEPT_DAYS)


class RefusedRow(msgspec.Struct, frozen=True):
    """A row without a label; `problem` is one of `PROBLEMS`."""

    line: int
    given: str
    problem: str


READERS: Final = ("support", "warehouse", "finance")
_RUNS: Final = """
    SELECT r.id, r.source, r.size, r.renew, r.at_command, coalesce(s.name, '') AS who, r.requested_at, r.moved_at,
           r.rows_total, r.rows_done, r.labels, r.refused, r.finished_at, r.file_size, r.gone_at
    FROM label_run r LEFT JOIN staff s ON r.requested_by = 'staff:' || s.id
"""
_REFUSED: Final = """
    SELECT line, given, problem FROM label_run_row WHERE run_id = :id AND problem <> '' ORDER BY position LIMIT :most
"""
_CHUNK: Final = "SELECT data FROM label_run_chunk WHERE run_id = :id AND number = :number"


async def list_runs(db: AsyncConnection, actor: Actor, *, before: UUID | None = None, limit: int = 25) -> list[RunView]:
    """Runs, the newest first.

    Raises:
        ForbiddenError: the actor looks after no labels.
    """
    actor.require(*READERS)
    where = "WHERE r.id < :before" if before else ""
    rows = await run(db, f"{_RUNS} {where} ORDER BY r.id DESC LIMIT :limit", before=before, limit=limit)
    return [RunView(*row) for row in rows]


async def run_for(db: AsyncConnection, actor: Actor, run_id: UUID) -> RunView:
    """One run.

    Raises:
        ForbiddenError: the actor looks after no labels.
        NotFoundError: there is none.
    """
    actor.require(*READERS)
    rows = await run(db, f"{_RUNS} WHERE r.id = :id", id=run_id)
    if not rows:
        raise NotFoundError(mark("There is no such run of labels."), code="run_not_found")
    return RunView(*rows[0])


async def refused_rows(db: AsyncConnection, run_id: UUID, most: int) -> list[RefusedRow]:
    """The rows of which there is no label, in the order of the file; the caller has shown that the actor may see it."""
    return [RefusedRow(*row) for row in await run(db, _REFUSED, id=run_id, most=most)]


async def file_of(begin: Begin, run_id: UUID) -> AsyncGenerator[bytes]:
    """The finished file in chunks, each read by itself, so that a slow line holds no transaction."""
    number = 0
    while True:
        async with begin() as db:
            rows = await run(db, _CHUNK, id=run_id, number=number)
        if not rows:
            return
        yield rows[0].data
        number += 1

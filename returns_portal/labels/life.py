"""The life of a label: the one function that moves it on, and how it is read before."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.labels.models import LABEL_TRANSITIONS, Label, LabelStatus
from returns_portal.returns.whose import EMAIL, LOCALE, NAME, NUMBER, PHONE, WITH_GIFT

_MOMENTS: Final[Mapping[LabelStatus, str]] = {
    LabelStatus.BOUGHT: "bought_at",
    LabelStatus.VOIDED: "voided_at",
    LabelStatus.DELIVERED: "delivered_at",
}
_UNTOLD: Final = frozenset({"pdf", "qr", "failure"})
"""What the history does not repeat."""


async def move_to(db: AsyncConnection, actor: Actor, label_id: UUID, status: LabelStatus, **learnt: object) -> None:
    """Bring a label into another status with what was learnt by it (columns of `Label`), and write the history.

    Raises:
        ConflictError: the life of a label does not lead there from where it is.
    """
    if (moment := _MOMENTS.get(status)) is not None:
        learnt.setdefault(moment, clock.now())
    sources = [before.value for before, after in LABEL_TRANSITIONS.items() if status in after]
    data = {name: _plain(value) for name, value in learnt.items() if name not in _UNTOLD and value not in (None, "")}
    told = history.values(actor, ("label", label_id, status.value, data))
    # Where it is not moved, the error takes what was told with it.
    if not await run(db, _move(tuple(learnt)), label_id=label_id, to=status.value, sources=sources, **learnt, **told):
        raise ConflictError(
            mark("This label is not in a state where that can be done any more. Nothing was changed."),
            code="wrong_status",
        )


def _plain(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)


@cache
def _move(learnt: tuple[str, ...]) -> str:
    unknown = set(learnt) - set(Label.model_fields)
    if unknown:
        raise ValueError(f"a label has no {', '.join(sorted(unknown))}")
    sets = "".join(f", {name} = :{name}" for name in learnt)
    return (
        f"WITH moved AS (UPDATE label SET status = :to{sets} WHERE id = :label_id AND status = ANY(:sources)"  # noqa: S608 - our own columns
        f" RETURNING id), told AS ({history.INSERT}) SELECT id FROM moved"
    )


_LOCK: Final = """
    SELECT id, return_id, number, carrier, service, status, code, tracking, shipment_ref, cost, cost_currency,
           created_at, asked_at, bought_at, voided_at, void_status, first_scan_at, last_scan_at, last_scan, expected_on,
           delivered_at, stuck_at, reused_at, polled_at, qr, failure, attempts, tried
    FROM label WHERE id = :id FOR UPDATE
"""


async def lock_label(db: AsyncConnection, label_id: UUID) -> Any:  # noqa: ANN401 - a row
    """A label's row, locked; all but the carrier's PDF.

    Raises:
        NotFoundError: there is none.
    """
    rows = await run(db, _LOCK, id=label_id)
    if not rows:
        raise NotFoundError(mark("There is no such label."), code="label_not_found")
    return rows[0]


_ABOUT: Final = f"""
    SELECT r.id, r.rma, r.status, o.id AS order_id, {NUMBER} AS order_number, {EMAIL} AS email, {NAME} AS name,
           {PHONE} AS phone, {LOCALE} AS locale, o.source,
           EXISTS (SELECT FROM parcel p WHERE p.return_id = r.id AND p.undone_at IS NULL) AS arrived,
           ARRAY(SELECT f.rma FROM returns f WHERE f.travels_with = r.id AND f.status <> 'cancelled' ORDER BY f.id)
               AS fellows
    FROM returns r JOIN orders o ON o.id = r.order_id {WITH_GIFT} WHERE r.id = :id
"""  # noqa: S608 - the interpolated text is our own


async def about(db: AsyncConnection, return_id: UUID) -> Any:  # noqa: ANN401 - a row
    """The return that a label is for, its customer, and the returns of other orders that travel in its parcel."""
    [row] = await run(db, _ABOUT, id=return_id)
    return row

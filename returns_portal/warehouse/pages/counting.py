"""What the form of an open parcel says: how many of what, and what else is known of the parcel."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.returns.queries import ReturnView, order_state
from returns_portal.warehouse.counting import MAX_NOTE, Circumstances
from returns_portal.warehouse.landing import counted_at
from returns_portal.warehouse.models import Condition, Disposition
from returns_portal.warehouse.pages.station import field_name, fields_of
from returns_portal.warehouse.queries import ParcelView
from returns_portal.warehouse.rules import Counted
from returns_portal.warehouse.settings import COUNTED
from returns_portal.web import Form

_MOST: Final = 999
"""Units of one line in one condition."""


class Said:
    """What was counted, and what is known besides."""

    def __init__(self, counts: list[Counted], around: Circumstances) -> None:
        """Keep both."""
        self.counts = counts
        self.around = around


async def read_count(
    db: AsyncConnection, actor: Actor, view: ReturnView, sent: Form, corrects: ParcelView | None = None
) -> Said:
    """Read the form; what it leaves as it was is no word about it, where it corrects a count.

    Raises:
        InvalidError: a number is impossible, or nothing was counted and the parcel was not said to be empty.
    """
    order = await order_state(db, actor, view.order_number)
    counts = [
        Counted(line.line_id, _units(sent, field_name(str(line.line_id), condition)), condition)
        for line in order.lines
        for condition in COUNTED
    ]
    for kind in ("else", "foreign"):
        if what := sent.get(f"{kind}_what", "")[:200]:
            many = max(1, _units(sent, f"{kind}_many"))
            counts.append(Counted(None, many, Condition.WRONG_ITEM, what, foreign=kind == "foreign"))
    counts = [count for count in counts if count.quantity]
    if not counts and not sent.get("empty"):
        raise InvalidError(mark("Nothing is counted yet. If the parcel is empty, say so."), code="nothing_counted")
    lines = [line.line_id for line in order.lines]
    return Said(counts, _around(sent, lines, await fields_of(db, corrects) if corrects else {}))


def _around(sent: Form, lines: list[UUID], before: Mapping[str, str]) -> Circumstances:
    chosen = {line: sent[f"goes-{line}"] for line in lines if f"goes-{line}" in sent}
    notes = {line: sent[f"note-{line}"][:MAX_NOTE] for line in lines if f"note-{line}" in sent}
    return Circumstances(
        note=sent.get("note", "")[:MAX_NOTE],
        more_to_come=bool(sent.get("later")),
        places={
            line: goes
            for line, goes in chosen.items()
            if goes in set(Disposition) or (not goes and before.get(f"goes-{line}"))
        },
        notes={line: note for line, note in notes.items() if note != before.get(f"note-{line}", "")},
        draft=sent.text("token", limit=64),
        box_id=optional_id(sent, "box"),
        found_id=optional_id(sent, "found"),
        came_at=counted_at(sent.get("queued", "")),
    )


def optional_id(sent: Form, field: str) -> UUID | None:
    """The id in a field; None where it is empty.

    Raises:
        NotFoundError: it is none.
    """
    value = sent.get(field, "")
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise NotFoundError(mark("There is no such parcel.")) from None


def _units(sent: Form, field: str) -> int:
    count = sent.number(field)
    if count > _MOST:
        raise InvalidError(mark("At most {most} of one kind."), most=_MOST)
    return count

"""Parcels that were counted while the network was away: each lands once, whoever sends it and however often.

What cannot be checked in (a number that nobody knows, a parcel that somebody else was first with) is kept as a parcel
without a name, with what was counted, so that nothing that a station acknowledged is lost.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import structs

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.texts import WITHOUT_NUL
from returns_portal.warehouse.codes import eans
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.queries import ScannedLine
from returns_portal.warehouse.rules import Counted, readings

CALLER: Final = Actor(kind="system", id="dock-queue")
"""Under whose name landings are remembered: one that was sent by two people is still one."""
_MAX_ITEMS: Final = 200
_LONGEST: Final = 7089
"""Letters of a scan: as many as the largest QR code holds (ISO/IEC 18004), since one strange symbol in a parcel must
not cost the count of the rest."""
_OLDEST: Final = timedelta(days=7)
"""A tablet's clock may be wrong: no parcel came longer ago than this, and none will come tomorrow."""
KEPT: Final = 128
"""Letters that are kept of a scan; no article's number and no parcel's is longer."""


class QueuedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Units that were scanned: by the keys' places, and by what the layout made of them."""

    code: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=_LONGEST)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=999)]
    condition: Literal["resellable", "worn", "damaged", "wrong_item"]
    typed: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=_LONGEST)] = ""


class Queued(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A parcel as it was counted without the network."""

    id: UUID
    code: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=_LONGEST)]
    items: Annotated[list[QueuedItem], msgspec.Meta(max_length=_MAX_ITEMS)]
    typed: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=_LONGEST)] = ""
    note: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=1000)] = ""
    empty: bool = False
    """Whether somebody said that the box was empty; without it, nothing counted is nothing said."""


def counted_at(text: str) -> datetime | None:
    """When a station says that it counted, by its own clock: within the past week. None where it is nothing usable."""
    now = clock.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(max(moment, now - _OLDEST), now)


def kept_items(items: Sequence[QueuedItem]) -> list[dict[str, Any]]:
    """What was counted, as a parcel without a name keeps it."""
    cut = [structs.replace(item, code=item.code[:KEPT], typed=item.typed[:KEPT]) for item in items]
    return [msgspec.to_builtins(item) for item in cut]


def fingerprint(queued: Queued) -> bytes:
    """What tells a repetition from something else under the same id."""
    return hashlib.sha256(msgspec.json.encode(queued)).digest()


def counts_of(items: Sequence[QueuedItem], lines: Sequence[ScannedLine]) -> list[Counted]:
    """What was counted, by the lines of an order; what none of them has is of no line, and nothing is paid for it."""
    left = {line.id: line.quantity for line in lines}
    counts: list[Counted] = []
    for item in items:
        condition = Condition(item.condition)
        fitting = _fitting(item, lines)
        rest = item.quantity
        for line in fitting:
            # The same article may stand on two lines; the last takes what is beyond all of them, as surplus.
            units = rest if line is fitting[-1] else min(rest, left[line.id])
            if units:
                counts.append(Counted(line.id, units, condition))
                left[line.id] -= units
                rest -= units
        if not fitting:
            counts.append(Counted(None, rest, Condition.WRONG_ITEM, item.code[:KEPT]))
    return counts


def _fitting(item: QueuedItem, lines: Sequence[ScannedLine]) -> list[ScannedLine]:
    """The lines of the article that was scanned; where none has its very number, those of the one that is like it."""
    said = {reading.casefold() for text in (item.code, item.typed) if text for reading in readings(text)}
    articles = {*eans(item.code), *eans(item.typed)}
    exact = [
        line for line in lines if (line.sku and line.sku.casefold() in said) or (line.ean and line.ean in articles)
    ]
    if exact:
        return exact
    # Under another layout a scanner's keys make other signs of what stands between letters and digits.
    shapes = {_shape(reading) for reading in said} - {"", "-"}
    alike = [line for line in lines if _shape(line.sku) in shapes]
    return alike if len({line.sku for line in alike}) == 1 else []


def _shape(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.casefold())

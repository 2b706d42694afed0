"""Pure decisions of the dock: what a scanner meant, what a condition leads to, what is surplus."""

import unicodedata
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from returns_portal.ids import parse_rma
from returns_portal.warehouse.models import Acceptance, Condition


class Counted(msgspec.Struct, frozen=True):
    """So many units of a line were found in this condition. `line_id` is None for goods of no line of the order."""

    line_id: UUID | None
    quantity: int
    condition: Condition
    description: str = ""


class Item(msgspec.Struct, frozen=True):
    """What is recorded of a count: as `Counted`, with what follows from it."""

    line_id: UUID | None
    quantity: int
    condition: Condition
    acceptance: Acceptance
    description: str = ""


def acceptance_of(condition: Condition) -> Acceptance:
    """What a condition leads to. Worn is refunded in full: trying on is what the goods were sent out for."""
    if condition in (Condition.RESELLABLE, Condition.WORN, Condition.NOT_SHIPPED):
        return Acceptance.ACCEPTED
    return Acceptance.WAITING


def recorded(
    counts: Sequence[Counted],
    room: Mapping[UUID, int],
    sent: Mapping[UUID, int] | None = None,
    *,
    hold: bool = False,
) -> list[Item]:
    """Turn counts into records. `room` says how many units of each line can still come back.

    What goes beyond it is surplus: recorded, and nothing is paid for it, since the order never had it. What goes beyond
    `sent`, the units that have left the shop and are still out, waits for a person: the shop may not have said yet that
    it was shipped, or something else was counted. With `hold` everything waits for a person: the shop says that it
    cancelled or refunded the order by itself meanwhile.
    """
    left, out = dict(room), dict(room if sent is None else sent)
    items: list[Item] = []
    for count in counts:
        if not count.quantity:
            continue
        fits = min(count.quantity, left.get(count.line_id, 0)) if count.line_id else 0
        if count.line_id and fits:
            left[count.line_id] -= fits
            items += _fitting(count, count.line_id, fits, out, hold=hold)
        if count.quantity > fits:
            items.append(
                Item(
                    count.line_id,
                    count.quantity - fits,
                    count.condition,
                    Acceptance.SURPLUS,
                    count.description,
                )
            )
    return items


def _fitting(count: Counted, line_id: UUID, fits: int, out: dict[UUID, int], *, hold: bool) -> list[Item]:
    """The records of the units of a count that the order had; those that are known to have been sent are one."""
    accepted = Acceptance.WAITING if hold else acceptance_of(count.condition)
    known = fits
    if count.condition is not Condition.NOT_SHIPPED:
        known = max(0, min(fits, out.get(line_id, 0)))
        out[line_id] = out.get(line_id, 0) - fits
    if accepted is Acceptance.WAITING:
        known = fits
    found = [(known, accepted), (fits - known, Acceptance.WAITING)]
    return [Item(line_id, units, count.condition, each, count.description) for units, each in found if units]


# What each key of a PC keyboard types under the layouts that stand in warehouses, for a scanner that thinks it is an
# American keyboard. Read by `event.code` in the browser; here again for what arrives without it.
_LATIN = "qwertyuiopasdfghjklzxcvbnm"
_LAYOUTS = (
    "йцукенгшщзфывапролдячсмить",  # Russian
    "йцукенгшщзфівапролдячсмить",  # Ukrainian
    ",уеишщксдзьяаожгтнвюйъэфхп",  # Bulgarian BDS
    "чшертъуиопасдфгхйклзжцвбнм",  # Bulgarian phonetic
    "явертъуиопасдфгхйклзьцжбнм",  # Bulgarian phonetic, traditional
)
_GERMAN = str.maketrans("yzYZßẞ", "zyZY--")


def _to_latin(text: str, layout: str) -> str:
    return text.lower().translate(str.maketrans(layout, _LATIN))


def readings(text: str) -> list[str]:
    """What a scanner may have meant, the likeliest first: as typed, then as typed under other layouts."""
    typed = unicodedata.normalize("NFKC", text).strip()[:64]
    found = [typed]
    if any("\u0400" <= symbol <= "\u04ff" for symbol in typed):
        found += [_to_latin(typed, layout).upper() for layout in _LAYOUTS]
    # On a German layout the minus sits where the American slash is, and Y and Z change places.
    found.append(typed.translate(_GERMAN))
    return list(dict.fromkeys(found))


def rma_of(text: str) -> str | None:
    """The return number in what was scanned or typed, under any layout; None when it is none.

    The check symbol decides between readings: one in thirty-one wrong readings would pass it, and then no such
    number exists.
    """
    for reading in readings(text):
        rma = parse_rma(reading)
        if rma:
            return rma
    return None

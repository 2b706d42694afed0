"""Pure decisions of the dock: what a scanner meant, what a condition leads to, what is surplus or not as announced."""

import unicodedata
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from returns_portal.ids import parse_rma
from returns_portal.warehouse.models import TO_STOCK, Acceptance, Condition, Disposition, Finding


class Counted(msgspec.Struct, frozen=True):
    """So many units of a line were found in this condition. `line_id` is None for goods of no line of the order."""

    line_id: UUID | None
    quantity: int
    condition: Condition
    description: str = ""
    foreign: bool = False
    """Whether it is another shop's."""


class Item(msgspec.Struct, frozen=True):
    """What is recorded of a count: as `Counted`, with what follows from it."""

    line_id: UUID | None
    quantity: int
    condition: Condition
    acceptance: Acceptance
    description: str = ""
    foreign: bool = False


class Place(msgspec.Struct, frozen=True):
    """Where units go; `asked` where it takes another person to say so."""

    disposition: str = ""
    asked: str = ""


class Found(msgspec.Struct, frozen=True):
    """Something in a parcel that was not as announced."""

    kind: Finding
    quantity: int = 0
    line_id: UUID | None = None
    description: str = ""


class Announced(msgspec.Struct, frozen=True):
    """Of one line of the order: how many the return named, and how many of it came in its earlier parcels."""

    quantity: int
    before: int


def acceptance_of(condition: Condition) -> Acceptance:
    """What a condition leads to. Worn is refunded in full: trying on is what the goods were sent out for."""
    if condition in (Condition.RESELLABLE, Condition.WORN) or condition.absent:
        return Acceptance.ACCEPTED
    return Acceptance.WAITING


def recorded(counts: Sequence[Counted], room: Mapping[UUID, int], *, hold: bool = False) -> list[Item]:
    """Turn counts into records. `room` says how many units of each line can still come back.

    What goes beyond it is surplus: recorded, and nothing is paid for it, since the order never had it. With `hold`
    everything waits for a person: the shop says that it cancelled or refunded the order by itself meanwhile.
    """
    left = dict(room)
    items: list[Item] = []
    for count in counts:
        if not count.quantity:
            continue
        fits = min(count.quantity, left.get(count.line_id, 0)) if count.line_id else 0
        if count.line_id and fits:
            left[count.line_id] -= fits
            accepted = Acceptance.WAITING if hold else acceptance_of(count.condition)
            items.append(Item(count.line_id, fits, count.condition, accepted, count.description, count.foreign))
        if count.quantity > fits:
            items.append(
                Item(
                    count.line_id,
                    count.quantity - fits,
                    count.condition,
                    Acceptance.SURPLUS,
                    count.description,
                    count.foreign,
                )
            )
    return items


def findings(items: Sequence[Item], announced: Mapping[UUID, Announced], *, more_to_come: bool = False) -> list[Found]:
    """What of a count was not as the return announced it, over all its parcels so far.

    With `more_to_come` the customer sends more than one parcel, and nothing counts as missing yet.
    """
    counted: dict[UUID, int] = {}
    for item in items:
        if item.line_id is not None:
            counted[item.line_id] = counted.get(item.line_id, 0) + item.quantity
    found = [Found(Finding.EMPTY)] if not items else []
    for line_id in {**announced, **counted}:
        named = announced.get(line_id, Announced(0, 0))
        beyond = counted.get(line_id, 0) + named.before - named.quantity
        if not named.quantity:
            found.append(Found(Finding.OTHER, counted[line_id], line_id))
        elif beyond > 0 and counted.get(line_id, 0):
            found.append(Found(Finding.MORE, min(beyond, counted[line_id]), line_id))
        elif beyond < 0 and items and not more_to_come:
            found.append(Found(Finding.FEWER, -beyond, line_id))
    strange = [item for item in items if item.line_id is None]
    found += [
        Found(Finding.FOREIGN if item.foreign else Finding.OTHER, item.quantity, None, item.description)
        for item in strange
    ]
    return found


def place(item: Item, wanted: str | None, defaults: Mapping[str, str], two_people: Mapping[str, bool]) -> Place:
    """Where units go: where somebody said, or where the shop sends what is in this condition.

    Args:
        item: what was counted.
        wanted: where somebody said; None or empty where nobody did.
        defaults: by condition.
        two_people: by disposition that the shop offers, whether it takes two people to say so.
    """
    if item.condition.absent:
        return Place()
    # What is not of this order goes nowhere until a person has looked at it.
    usual = "" if item.acceptance is Acceptance.SURPLUS else defaults.get(item.condition.value, "")
    chosen = wanted or usual
    if chosen not in two_people:
        return Place()
    return Place(asked=chosen) if two_people[chosen] else Place(chosen)


def stocked(acceptance: str, disposition: str) -> bool:
    """Whether units can be sold again: they are the shop's, and go back to the shelf."""
    return acceptance in (Acceptance.ACCEPTED, Acceptance.PART) and disposition in TO_STOCK


def dispositions_offered(two_people: Mapping[str, bool]) -> list[Disposition]:
    """What can be chosen, in the order in which it is shown."""
    return [disposition for disposition in Disposition if disposition.value in two_people]


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

"""What the warehouse counted, in the words of the customer's page."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from returns_portal.i18n import _, mark, translate
from returns_portal.returns.pages.words import item_words
from returns_portal.returns.queries import ReturnLineView
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import ItemView, ParcelView


class Found(msgspec.Struct, frozen=True):
    """Units that were counted, in words, and what was decided about them."""

    item: str
    condition: str
    decision: str
    reason: str


class Counted(msgspec.Struct, frozen=True):
    """A parcel, as it was counted."""

    title: str
    checked_in_at: datetime
    items: list[Found]


def is_kept(parcels: Sequence[ParcelView]) -> bool:
    """Whether the customer keeps all that was counted."""
    items = [item for parcel in parcels for item in parcel.items]
    return bool(items) and all(item.condition == Condition.KEPT for item in items)


def counted(parcel: ParcelView, lines: Sequence[ReturnLineView], count: int) -> Counted:
    """A parcel in words; `count` is how many there are in all."""
    known = {line.line_id: line for line in lines}
    if is_kept([parcel]):
        title = _("Yours to keep")
        return Counted(title, parcel.checked_in_at, [_found(known, item) for item in parcel.items])
    title = _("What we counted") if count == 1 else _("What we counted in parcel {number}", number=parcel.number)
    return Counted(title, parcel.checked_in_at, [_found(known, item) for item in parcel.items])


def _found(known: dict[UUID, ReturnLineView], item: ItemView) -> Found:
    line = known.get(item.line_id) if item.line_id else None
    words = (
        item_words(line.title, line.size, line.color, item.quantity)
        if line
        else item_words(item.description or _("Something else"), "", "", item.quantity)
    )
    return Found(words, _condition(item.condition), _decision(item), item.decision_reason)


def _condition(condition: str) -> str:
    words = {
        Condition.RESELLABLE: mark("in order"),
        Condition.WORN: mark("worn"),
        Condition.DAMAGED: mark("damaged"),
        Condition.WRONG_ITEM: mark("not the item that we expected"),
        Condition.NOT_SHIPPED: mark("had not left us yet"),
        Condition.KEPT: mark("yours to keep"),
    }
    return translate(words[Condition(condition)])


def _decision(item: ItemView) -> str:
    """What became of it; nothing is said where it is simply refunded."""
    if item.acceptance == Acceptance.ACCEPTED:
        return _("refunded in full") if item.decided_at else ""
    words = {
        Acceptance.WAITING: mark("we are looking at it"),
        Acceptance.PART: mark("refunded in part"),
        Acceptance.SENT_BACK: mark("goes back to you"),
        Acceptance.SURPLUS: mark("more than you ordered from us; we will write to you about it"),
    }
    return translate(words[Acceptance(item.acceptance)])

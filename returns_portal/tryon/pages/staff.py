"""One trial as staff see it: how its money is made sure of and why, every charge, and what happened when."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.i18n import _, mark, translate
from returns_portal.shop.queries import current
from returns_portal.tryon.calling_off import CANCELLABLE
from returns_portal.tryon.models import OPEN, ChargeKind, Decision, Outcome, TrialStatus
from returns_portal.tryon.pages.words import (
    Word,
    charge_word,
    days_left,
    decision_word,
    details,
    kind_words,
    outcome_word,
    reason_words,
    status_word,
)
from returns_portal.tryon.queries import Charge, Item, TrialView, photos_of, trial_for

T = TrialStatus
SETTLEABLE: Final = frozenset({T.SHIPPED, T.DELIVERED})
RETRYABLE: Final = frozenset({T.PAYMENT_ACTION_NEEDED, T.OVERDUE})

_ADVICE: Final = {
    T.OVERDUE: mark(
        "It neither came back nor could it be charged. Ask the customer; then charge again, count it at the station if"
        " it came, or write it off."
    ),
    T.PAYMENT_ACTION_NEEDED: mark(
        "The bank refused the charge, or wants to hear from the customer, who was asked by e-mail. It is tried again by"
        " itself; call the customer if it lasts."
    ),
    T.AUTHORISATION_EXPIRED: mark(
        "The hold ran out and could not be renewed. The customer was asked for a card; the trial goes on meanwhile."
    ),
    T.AUTHORISATION_FAILED: mark("The card was refused. The customer was asked for another one; nothing is sent."),
}


class ItemRow(msgspec.Struct, frozen=True):
    """One item, in words."""

    item: Item
    details: str
    decision: Word
    outcome: Word
    photos: list[UUID]


class ChargeRow(msgspec.Struct, frozen=True):
    """One charge, in words."""

    charge: Charge
    kind: str
    status: Word


class Event(msgspec.Struct, frozen=True):
    """Something that happened to the trial, or to one of its charges."""

    subject: str
    words: str
    actor: str
    at: datetime
    reason: str


class StaffPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: TrialView
    status: Word
    advice: str
    reason: str
    """Why the money is made sure of as it is."""
    left: str
    items: list[ItemRow]
    charges: list[ChargeRow]
    events: list[Event]
    settleable: bool
    undecided: bool
    cancellable: bool
    deliverable: bool
    postable: bool
    """Whether the customer may have handed something in."""
    retryable: bool
    may_write_off: bool


async def staff_page(db: AsyncConnection, actor: Actor, number: str) -> StaffPage:
    """Put the page together.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
        NotFoundError: there is no such trial.
    """
    actor.require("finance", "support")
    view, zone = await trial_for(db, actor, number), (await current(db)).timezone
    photos = await photos_of(db, view.id)
    advice = _ADVICE.get(view.status, "")
    return StaffPage(
        view=view,
        status=status_word(view.status),
        advice=translate(advice) if advice else "",
        reason=reason_words(view.strategy_reason),
        left=days_left(view.ends_at, clock.now(), zone) if view.ends_at and view.status == T.DELIVERED else "",
        items=[_item(item, photos.get(item.id, [])) for item in view.in_order],
        charges=[_charge(charge) for charge in view.charges],
        events=await _events(db, view),
        settleable=view.status in SETTLEABLE,
        undecided=any(i.decision == Decision.UNDECIDED and i.outcome == Outcome.OPEN for i in view.items),
        cancellable=view.status in CANCELLABLE and view.shipped_at is None,
        deliverable=view.status == T.SHIPPED,
        postable=actor.has("support", "warehouse") and _postable(view),
        retryable=view.status in RETRYABLE,
        may_write_off=view.status in {T.OVERDUE, T.SHIPPED} and actor.has("finance"),
    )


def _charge(charge: Charge) -> ChargeRow:
    return ChargeRow(charge, kind_words(charge.kind), charge_word(charge.status, charge.kind))


def _postable(view: TrialView) -> bool:
    return (
        view.status in OPEN
        and view.shipped_at is not None
        and any(item.requested and not item.received for item in view.items)
    )


def _item(item: Item, photos: list[UUID]) -> ItemRow:
    return ItemRow(
        item, details(item.size, item.color), decision_word(item.decision), outcome_word(item.outcome), photos
    )


_EVENTS: Final = """
    SELECT h.subject, h.subject_id, h.action, coalesce(s.name, h.actor) AS actor, h.at, h.data
    FROM history h LEFT JOIN staff s ON h.actor = 'staff:' || s.id
    WHERE h.subject_id = ANY(:ids) AND h.subject IN ('trial', 'trial_charge') ORDER BY h.at, h.id
"""
_WORDS: Final = {
    "decided": mark("decided about items"),
    "prolonged": mark("got more time"),
    "photo_added": mark("sent a photo"),
    "parcel_shipped": mark("a parcel left"),
    "label_scanned": mark("the parcel is on its way back"),
    "posted": mark("the customer has posted it"),
    "put_into_stock": mark("put into the stock again"),
    "taken_out_of_stock": mark("taken out of the stock again"),
}


async def _events(db: AsyncConnection, view: TrialView) -> list[Event]:
    rows = await run(db, _EVENTS, ids=[view.id, *(charge.id for charge in view.charges)])
    kinds = {charge.id: charge.kind for charge in view.charges}
    return [_event(row, kinds.get(row.subject_id)) for row in rows]


def _event(row: Any, kind: ChargeKind | None) -> Event:  # noqa: ANN401 - a row; `kind` is its charge's
    if row.action in _WORDS:
        words = translate(_WORDS[row.action])
    else:
        try:
            words = (charge_word(row.action, kind) if kind else status_word(row.action)).text
        except KeyError:
            words = row.action.replace("_", " ")
    reason = str(row.data.get("reason") or row.data.get("failure") or "")
    return Event(_("Charge") if kind else _("Trial"), words, row.actor, row.at, reason)

"""The page of one return: where it stands, what goes where, and what the customer can still do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.carriers.names import PICK_UP
from returns_portal.carriers.prepaid import PREPAID
from returns_portal.documents.symbols import qr_svg
from returns_portal.finance import credit_notes
from returns_portal.finance.credit_notes import NoteLink
from returns_portal.i18n import _
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.policy import habits
from returns_portal.payments.queries import of_order
from returns_portal.questions import ask, ask_together
from returns_portal.refunds import queries as refunds_queries
from returns_portal.refunds.failed import Ways, ways_of
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.refunds.queries import RefundView, balance_of
from returns_portal.refunds.rules import Claim, plan
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.pages.route import Step, steps
from returns_portal.returns.pages.words import Amount, item_words, leg_words, planned_amounts, where_words
from returns_portal.returns.queries import ReturnLineView, ReturnView, rest_of, return_for, something_left
from returns_portal.returns.rules import Policy
from returns_portal.shop.queries import current
from returns_portal.tryon.announcing import awaited_by
from returns_portal.warehouse import queries as dock
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import ItemView, ParcelView

Kind = Literal["good", "wait", "bad", ""]

_UNUSED: Final = frozenset({"", LabelStatus.BOUGHT, LabelStatus.SENT})
"""Statuses of a label that is still to go on a parcel, as far as is known."""
_OVER: Final = frozenset({LabelStatus.VOIDED, LabelStatus.EXPIRED})
_AT_HAND: Final = _UNUSED | {LabelStatus.IN_TRANSIT, LabelStatus.DELIVERED}
"""Statuses of a first label that was made and holds, so that others can go with it."""


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


class ShowPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    view: ReturnView
    badge: str
    kind: Kind
    title: str
    items: list[str]
    amounts: list[Amount]
    """What will go back or is going back, and where to."""
    promised: bool
    """Whether the amounts are what will be refunded when everything comes back, not what is being refunded."""
    notes: list[NoteLink]
    """Credit notes, and what cancels them."""
    qr: str
    steps: list[Step]
    parcels: list[Counted]
    sendable: bool
    """Whether nothing of it has come yet, so that its label is what the customer needs."""
    cancellable: bool
    trial: str
    """The number of the trial whose label this is, until that is settled."""
    has_label: bool
    """Whether something is still to be sent with it."""
    shown: bool
    """Whether the code on the screen does where the parcel is handed in, so that nothing has to be printed."""
    renewable: bool
    """Whether its label was given back or has ended, so that another one can be had."""
    fetched: bool
    """Whether somebody may come and fetch the parcel."""
    failed: list[tuple[RefundView, Ways]]
    """Refunds that did not go through, with what the customer can do about each."""
    asks_account: bool
    """Whether an account number is needed, or may still be changed."""
    more: bool
    """Whether anything else of the order can be sent back."""


async def show_page(db: AsyncConnection, actor: Actor, rma: str) -> ShowPage:
    """Put the page together.

    Raises:
        NotFoundError: there is no such return, or it is not the actor's.
    """
    view, shop = await return_for(db, actor, rma), await current(db)
    arrived = view.status == ReturnStatus.RECEIVED
    if arrived:
        refunds, parcels, notes, [rest] = await ask_together(
            db,
            refunds_queries.of_return(actor, view.id),
            dock.of_return(actor, view.id),
            credit_notes.of_return(actor, view.id),
            rest_of(view.order_id),
        )
        refunds = [refund for refund in refunds if refund.status != RefundStatus.CANCELED]
    else:
        refunds, parcels, notes, [rest] = [], [], [], await ask(db, rest_of(view.order_id))
    amounts, outside = await _promised(db, view) if view.status == ReturnStatus.FILED else _refunded(refunds)
    badge, kind, title = _standing(view, parcels, refunds)
    filed, trial = view.status == ReturnStatus.FILED, await awaited_by(db, view)
    return ShowPage(
        view=view,
        badge=badge,
        kind=kind,
        title=title,
        items=[item_words(line.title, line.size, line.color, line.quantity) for line in view.lines if line.quantity],
        amounts=amounts,
        promised=view.status == ReturnStatus.FILED,
        notes=notes,
        qr=qr_svg(view.label_qr or view.label_code, title=_("QR code of return {rma}", rma=view.rma)),
        steps=steps(view, parcels, refunds),
        parcels=[_counted(parcel, view.lines, len(parcels)) for parcel in parcels],
        sendable=filed and view.label_status in _AT_HAND,
        cancellable=filed and not trial and view.first_scan_at is None,
        trial=trial,
        has_label=view.status != ReturnStatus.CANCELLED and view.label_status in _UNUSED and _missing(view),
        shown=view.label_carrier in ("", PREPAID) or bool(view.label_qr),
        renewable=view.status != ReturnStatus.CANCELLED and view.label_status in _OVER,
        fetched=view.label_carrier in PICK_UP or (await habits(db)).own_courier,
        failed=await _failed(db, actor, refunds),
        asks_account=outside,
        more=something_left(rest, Policy(shop.return_days, shop.timezone)),
    )


async def _failed(db: AsyncConnection, actor: Actor, refunds: Sequence[RefundView]) -> list[tuple[RefundView, Ways]]:
    failed = [refund for refund in refunds if refund.status == RefundStatus.FAILED]
    ways = await ways_of(db, actor, [refund.id for refund in failed])
    return [(refund, ways[refund.id]) for refund in failed if refund.id in ways]


async def _promised(db: AsyncConnection, view: ReturnView) -> tuple[list[Amount], bool]:
    """What goes back when everything that was announced comes back in order."""
    balance = await balance_of(db, view.order_id)
    free = {line.line_id: len(line.free) for line in balance.lines}
    # Another parcel may have held more than was announced, and some of these units with it.
    units = {line.line_id: min(line.quantity, free[line.line_id]) for line in view.lines}
    claims = [Claim(line_id, count) for line_id, count in units.items() if count]
    planned = plan(balance, claims, refund_to=RefundTo(view.refund_to), bonus_percent=view.bonus_percent)
    cards = {payment.id: payment.card_last4 for payment in await of_order(db, view.order_id)}
    amounts = planned_amounts(planned.legs, planned.currency, cards)
    outside = any(leg.destination is Destination.TRANSFER for leg in planned.legs)
    return amounts, outside


def _refunded(refunds: Sequence[RefundView]) -> tuple[list[Amount], bool]:
    """What is going back, or has gone."""
    amounts = [
        Amount(
            leg_words(refund.destination, refund.amount, refund.bonus, refund.currency),
            where_words(refund.destination, refund.card_last4),
        )
        for refund in refunds
    ]
    waiting = (RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER)
    outside = any(refund.destination == Destination.TRANSFER and refund.status in waiting for refund in refunds)
    return amounts, outside


def _standing(view: ReturnView, parcels: Sequence[ParcelView], refunds: Sequence[RefundView]) -> tuple[str, Kind, str]:
    """Badge, its kind, and the title: the first of these that holds is what matters most right now."""
    statuses = {refund.status for refund in refunds}
    needs_account = RefundStatus.AWAITING_TRANSFER in statuses and not view.has_bank_account
    waits = any(item.acceptance == Acceptance.WAITING for parcel in parcels for item in parcel.items)
    ladder: list[tuple[bool, Kind, str, str]] = [
        (view.status == ReturnStatus.CANCELLED, "", _("Cancelled"), _("This return is cancelled")),
        *(_under_way(view.label_status) if view.status == ReturnStatus.FILED else []),
        (view.status == ReturnStatus.FILED, "wait", _("Waiting for your parcel"), _("Your label is ready")),
        (RefundStatus.FAILED in statuses, "bad", _("Waiting for you"), _("A refund did not go through yet")),
        (needs_account, "wait", _("Waiting for you"), _("Where should we transfer the money?")),
        (waits, "wait", _("Being looked at"), _("We are looking at your items")),
        (bool(statuses - {RefundStatus.SUCCEEDED}), "wait", _("On its way"), _("Your refund is on its way")),
        (_missing(view), "wait", _("Partly here"), _("Part of your return has arrived")),
        (bool(refunds), "good", _("Refunded"), _("Your refund is done")),
        (True, "good", _("Checked in"), _("Your parcel has arrived")),
    ]
    return next((badge, kind, title) for holds, kind, badge, title in ladder if holds)


def _under_way(status: str) -> list[tuple[bool, Kind, str, str]]:
    """As the rungs above, for a return of which nothing is here: how far its label has brought it."""
    return [
        (status == LabelStatus.REQUESTED, "wait", _("Waiting for your label"), _("Your label is being made")),
        (status == LabelStatus.VOIDED, "wait", _("Waiting for you"), _("Your label is not valid any more")),
        (status == LabelStatus.IN_TRANSIT, "wait", _("On its way to us"), _("Your parcel is on its way")),
        (status == LabelStatus.DELIVERED, "wait", _("Brought to us"), _("Your parcel is with us")),
        (status == LabelStatus.LOST, "bad", _("Being looked for"), _("We are looking for your parcel")),
    ]


def _missing(view: ReturnView) -> bool:
    """Whether less has arrived than was announced."""
    return any(line.received < line.quantity for line in view.lines)


def _counted(parcel: ParcelView, lines: Sequence[ReturnLineView], count: int) -> Counted:
    known = {line.line_id: line for line in lines}
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
        Condition.RESELLABLE: _("in order"),
        Condition.WORN: _("worn"),
        Condition.DAMAGED: _("damaged"),
        Condition.WRONG_ITEM: _("not the item that we expected"),
        Condition.NOT_SHIPPED: _("had not left us yet"),
    }
    return words[Condition(condition)]


def _decision(item: ItemView) -> str:
    """What became of it; nothing is said where it is simply refunded."""
    words = {
        Acceptance.ACCEPTED: _("refunded in full") if item.decided_at else "",
        Acceptance.WAITING: _("we are looking at it"),
        Acceptance.PART: _("refunded in part"),
        Acceptance.SENT_BACK: _("goes back to you"),
        Acceptance.SURPLUS: _("more than you ordered from us; we will write to you about it"),
    }
    return words[Acceptance(item.acceptance)]

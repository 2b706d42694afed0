"""A return's way, told as steps with dates: what happened, what is happening, what is to come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.carriers.prepaid import PREPAID
from returns_portal.i18n import _, ngettext
from returns_portal.labels.models import LabelStatus
from returns_portal.refunds.fitting import STOPPED
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.refunds.queries import RefundView
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.pages.words import BANK_DAYS, business_days_after, leg_words, where_words
from returns_portal.returns.queries import ReturnView
from returns_portal.warehouse.models import Acceptance
from returns_portal.warehouse.queries import ParcelView
from returns_portal.web import formats


class Step(msgspec.Struct, frozen=True):
    """One step: done, now, or (empty) still to come."""

    title: str
    note: str
    state: Literal["done", "now", ""]


def steps(view: ReturnView, parcels: Sequence[ParcelView], refunds: Sequence[RefundView]) -> list[Step]:
    """The way of a return so far, and from here on."""
    filed = Step(_("Return filed"), formats.format_datetime(view.created_at, "day"), "done")
    if view.status == ReturnStatus.CANCELLED:
        when = formats.format_datetime(view.cancelled_at, "day") if view.cancelled_at else ""
        return [filed, Step(_("Cancelled. You keep everything."), when, "done")]
    told = [filed, *_arrivals(view, parcels), *_decisions(view, parcels)]
    told += [refund_step(refund) for refund in refunds]
    if not parcels or (not refunds and _waiting(parcels)):
        told.append(_money_to_come(view))
    return told


def _arrivals(view: ReturnView, parcels: Sequence[ParcelView]) -> list[Step]:
    if not parcels and view.first_scan_at is not None:
        return _on_the_way(view, view.first_scan_at)
    if not parcels:
        return [_to_be_sent(view)]
    arrived = [
        Step(
            _("Parcel checked in") if len(parcels) == 1 else _("Parcel {number} checked in", number=parcel.number),
            formats.format_datetime(parcel.checked_in_at, "day"),
            "done",
        )
        for parcel in parcels
    ]
    missing = sum(max(0, line.quantity - line.received) for line in view.lines)
    if missing:
        note = ngettext("{n} item has not arrived yet", "{n} items have not arrived yet", missing)
        arrived.append(Step(_("The rest is on its way"), note, "now"))
    return arrived


def _to_be_sent(view: ReturnView) -> Step:
    """What the customer does next, or waits for."""
    if view.label_status == LabelStatus.REQUESTED:
        return Step(_("Your label is being made"), _("We write to you as soon as it is ready."), "now")
    if view.label_status == LabelStatus.VOIDED:
        return Step(_("Your label is not valid any more"), _("Get a new one on this page."), "now")
    if view.label_qr:
        note = _("Hand it in and name the number. We write as soon as the carrier has it.")
    elif view.label_carrier in ("", PREPAID):
        note = _("Stick the label on and hand it in at any post office. We write as soon as we have scanned it.")
    else:
        note = _("Stick the label on and hand it in to its carrier. We write as soon as they have it.")
    return Step(_("Your parcel travels to us"), note, "now")


def _on_the_way(view: ReturnView, handed_in: datetime) -> list[Step]:
    """What a carrier has told of the parcel, from the hand-in on."""
    told = [Step(_("Handed in"), formats.format_datetime(handed_in, "day"), "done")]
    if view.label_status == LabelStatus.DELIVERED and view.brought_at is not None:
        told.append(Step(_("Brought to us"), formats.format_datetime(view.brought_at, "day"), "done"))
        return [*told, Step(_("We open it"), _("We write to you what we counted."), "now")]
    if view.label_status == LabelStatus.LOST:
        note = _("One of us takes it up with the carrier and writes to you about your money.")
        return [*told, Step(_("Your parcel is being looked for"), note, "now")]
    expected = view.expected_on
    note = _("We expect it on {day}.", day=formats.format_date(expected, "day")) if expected else ""
    return [*told, Step(_("Your parcel travels to us"), note, "now")]


def _waiting(parcels: Sequence[ParcelView]) -> bool:
    return any(item.acceptance == Acceptance.WAITING for parcel in parcels for item in parcel.items)


def _decisions(view: ReturnView, parcels: Sequence[ParcelView]) -> list[Step]:
    if not _waiting(parcels):
        return []
    by = _("You hear from us by {day} at the latest.", day=formats.format_date(view.refund_deadline, "day"))
    return [Step(_("A person looks at what was not as expected"), by, "now")]


def _money_to_come(view: ReturnView) -> Step:
    if view.refund_to == RefundTo.POINTS:
        return Step(_("Points in your account"), _("as soon as the parcel is checked in"), "")
    note = _("usually 2–3 days after the parcel has arrived")
    return Step(_("Money back"), note, "")


def refund_step(refund: RefundView) -> Step:
    """One refund. "Refunded" is said only when it is."""
    amount = leg_words(refund.destination, refund.amount, refund.bonus, refund.currency)
    where = where_words(refund.destination, refund.card_last4)
    status = RefundStatus(refund.status)
    if status is RefundStatus.SUCCEEDED:
        return _succeeded(refund, amount, where)
    if status is RefundStatus.FAILED:
        return _failed(refund, amount, where)
    if status in {RefundStatus.PENDING, RefundStatus.SUBMITTING, RefundStatus.UNKNOWN}:
        return Step(_("{amount} is on its way {where}", amount=amount, where=where), _by_the_bank(refund), "now")
    if status is RefundStatus.AWAITING_TRANSFER:
        note = (
            _("Our accountants make the transfer in the next days.")
            if refund.has_account
            else _("Please give us your account number on this page.")
        )
        return Step(_("{amount} {where}", amount=amount, where=where), note, "now")
    return _planned(refund, amount, where)


def _planned(refund: RefundView, amount: str, where: str) -> Step:
    if refund.held_at is not None:
        note = _("The bank has been asked about your payment. We send it as soon as the bank has decided.")
        return Step(_("{amount} {where}: waits for the bank", amount=amount, where=where), note, "now")
    note = _("This takes minutes, seldom longer.")
    return Step(_("We are sending {amount} {where}", amount=amount, where=where), note, "now")


def _failed(refund: RefundView, amount: str, where: str) -> Step:
    if refund.failure_reason == STOPPED:
        note = _("A part of this payment went back in another way meanwhile. One of us looks at it and writes to you.")
        return Step(_("{amount} {where}: being looked at", amount=amount, where=where), note, "now")
    note = _("It came back to us. The money is still yours: choose on this page how you would like to get it.")
    return Step(_("{amount} {where}: not through yet", amount=amount, where=where), note, "now")


def _succeeded(refund: RefundView, amount: str, where: str) -> Step:
    when = formats.format_datetime(refund.settled_at or refund.created_at, "day")
    if refund.destination == Destination.CARD:
        note = f"{when}. {_by_the_bank(refund)}"
    elif refund.destination == Destination.TRANSFER and refund.gateway_reference:
        note = _("{when}, reference {reference}", when=when, reference=refund.gateway_reference)
    else:
        note = when
    return Step(_("Refunded: {amount} {where}", amount=amount, where=where), note, "done")


def _by_the_bank(refund: RefundView) -> str:
    sent = (refund.settled_at or refund.submitted_at or refund.created_at).astimezone(ZoneInfo(formats.zone.get()))
    return _(
        "Banks show it within 5–10 business days, so by {day}.",
        day=formats.format_date(business_days_after(sent.date(), BANK_DAYS), "day"),
    )

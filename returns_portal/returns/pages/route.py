"""A return's way, told as steps with dates: what happened, what is happening, what is to come."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from returns_portal.exchanges.queries import ExchangeView
from returns_portal.i18n import _, ngettext
from returns_portal.refunds.fitting import STOPPED
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.refunds.queries import RefundView
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.pages.promise import only_exchanged
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.travel import Travel, money_to_come, on_the_way, to_be_sent
from returns_portal.returns.pages.words import BANK_DAYS, business_days_after, leg_words, where_words
from returns_portal.returns.queries import ReturnView
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import ParcelView
from returns_portal.web import formats


def steps(
    view: ReturnView,
    parcels: Sequence[ParcelView],
    refunds: Sequence[RefundView],
    travel: Travel | None,
    exchanges: Sequence[ExchangeView] = (),
) -> list[Step]:
    """The way of a return so far, and from here on; `travel` is known as long as nothing of it is here."""
    filed = Step(_("Return filed"), formats.format_datetime(view.created_at, "day"), "done")
    if view.status == ReturnStatus.CANCELLED:
        when = formats.format_datetime(view.cancelled_at, "day") if view.cancelled_at else ""
        return [filed, Step(_("Cancelled. You keep everything."), when, "done")]
    told = [filed, *_arrivals(view, parcels, travel), *_decisions(view, parcels)]
    told += [refund_step(refund) for refund in refunds]
    if not parcels or (not refunds and _waiting(parcels)):
        told += _to_come(view, travel, exchanges)
    return told


def _to_come(view: ReturnView, travel: Travel | None, exchanges: Sequence[ExchangeView]) -> list[Step]:
    """What the customer gets: money, or nothing but what was chosen in exchange, of which some may be sent already."""
    if not only_exchanged(view, exchanges):
        return [money_to_come(view, travel)]
    if any(each.awaits_goods and not each.at_once for each in exchanges):
        return [Step(_("We send what you get in exchange"), _("as soon as the parcel is checked in"), "")]
    return []


def _arrivals(view: ReturnView, parcels: Sequence[ParcelView], travel: Travel | None) -> list[Step]:
    if not parcels and view.first_scan_at is not None:
        return on_the_way(view, view.first_scan_at, travel)
    if not parcels:
        return [to_be_sent(view)]
    if all(item.condition == Condition.KEPT for parcel in parcels for item in parcel.items):
        when = formats.format_datetime(parcels[0].checked_in_at, "day")
        return [Step(_("You keep the items: nothing has to be sent"), when, "done")]
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


def _waiting(parcels: Sequence[ParcelView]) -> bool:
    return any(item.acceptance == Acceptance.WAITING for parcel in parcels for item in parcel.items)


def _decisions(view: ReturnView, parcels: Sequence[ParcelView]) -> list[Step]:
    if not _waiting(parcels):
        return []
    by = _("You hear from us by {day} at the latest.", day=formats.format_date(view.refund_deadline, "day"))
    return [Step(_("A person looks at what was not as expected"), by, "now")]


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

"""Where a trial stands, for its customer: a badge, a title, and what there is to know about it right now."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from returns_portal.i18n import _, ngettext
from returns_portal.returns.pages.steps import Step
from returns_portal.tryon.authorising import awaited
from returns_portal.tryon.models import ChargeStatus, Mode, Outcome, TrialStatus
from returns_portal.tryon.pages.words import Kind, last_day
from returns_portal.tryon.queries import TrialView
from returns_portal.web import formats

T, C = TrialStatus, ChargeStatus
_ASKING: Final = frozenset({C.PLANNED, C.SUBMITTING, C.UNKNOWN, C.CAPTURING})
_PATIENCE: Final = timedelta(minutes=3)
"""For so long a page that waits for the bank looks again by itself."""


class Standing(msgspec.Struct, frozen=True):
    """In a word, in a title, and in a few sentences."""

    badge: str
    kind: Kind
    title: str
    lead: list[str]


def asks_bank(view: TrialView, now: datetime) -> bool:
    """Whether the bank is being asked just now, so that looking again in a moment makes sense."""
    if view.status not in {T.PLACED, T.SETTLING, T.PAYMENT_ACTION_NEEDED, T.AUTHORISATION_EXPIRED, T.OVERDUE}:
        return False
    if awaited(view):
        return False
    asked = [charge for charge in view.charges if charge.status in _ASKING]
    return any(now - charge.changed_at < _PATIENCE for charge in asked)


def standing(view: TrialView, zone: str, *, asking: bool) -> Standing:
    """Where it stands."""
    if view.status == T.PLACED:
        return _placed(view, asking=asking)
    if asking and view.status != T.SETTLING:
        return Standing(_("Asking your bank"), "wait", _("We are asking your bank"), [_bank_note()])
    if view.status == T.PAYMENT_ACTION_NEEDED:
        return _action_needed(view)
    if view.status in {T.SHIPPED, T.DELIVERED}:
        return _sent(view, zone)
    if view.status == T.SETTLING:
        return _settling(view)
    return _plain(view)


def _bank_note() -> str:
    return _("This takes seconds, seldom longer. This page looks again by itself.")


def _placed(view: TrialView, *, asking: bool) -> Standing:
    charge = awaited(view)
    if charge is not None:
        lead = [_("Nothing is sent before that, and nothing is charged but what stands here.")]
        return Standing(_("Waiting for you"), "wait", _("Your bank wants to hear from you"), lead)
    if asking or view.mode is Mode.PURCHASE:
        return Standing(_("Asking your bank"), "wait", _("We are asking your bank"), [_bank_note()])
    lead = [_("Your bank takes its time. You can close this page: we write to you as soon as we know.")]
    return Standing(_("Asking your bank"), "wait", _("We are asking your bank"), lead)


def _action_needed(view: TrialView) -> Standing:
    charge = awaited(view) or next((c for c in reversed(view.charges) if c.status == C.FAILED), None)
    amount = formats.money(charge.amount, view.currency) if charge else ""
    lead = [_("{amount} for what you keep could not be charged.", amount=amount)] if amount else []
    lead.append(_("Please confirm it, or give another card. If something is wrong with the amount, tell us."))
    return Standing(_("Waiting for you"), "bad", _("Your payment needs you"), lead)


def _sent(view: TrialView, zone: str) -> Standing:
    if view.mode is Mode.PURCHASE:
        title = _("Your parcel is on its way") if view.status == T.SHIPPED else _("Your parcel has arrived")
        return Standing(_("On its way") if view.status == T.SHIPPED else _("Arrived"), "wait", title, [])
    if view.status == T.SHIPPED or view.ends_at is None:
        lead = [
            ngettext(
                "From the day after it arrives you have {n} day to try everything at home.",
                "From the day after it arrives you have {n} days to try everything at home.",
                view.trial_days + view.extended_days,
            ),
            _("It is here already? Then you may decide below at once."),
        ]
        return Standing(_("On its way"), "wait", _("Your parcel is on its way"), lead)
    day = formats.format_date(last_day(view.ends_at, zone), "day")
    if not view.undecided:
        lead = [_("You have decided about everything. Until the end of {day} you can change your mind.", day=day)]
        return Standing(_("All decided"), "good", _("Thank you, that is all we need"), lead)
    silence = (
        _("What you say nothing about by then counts as kept, as you agreed to.")
        if view.silence_keeps
        else _("What you say nothing about by then is not charged: please send it back.")
    )
    return Standing(_("Trial runs"), "wait", _("What do you keep?"), [_("Until the end of {day}.", day=day), silence])


def _settling(view: TrialView) -> Standing:
    missing = [item for item in view.items if item.outcome == Outcome.OPEN and not item.received]
    lead = []
    if missing:
        lead.append(
            ngettext(
                "{n} item is still to come back to us. It is not charged while it is on its way.",
                "{n} items are still to come back to us. They are not charged while they are on their way.",
                len(missing),
            )
        )
        if view.grace_ends_at is not None:
            day = formats.format_date(view.grace_ends_at, "day")
            lead.append(_("Please hand it in before {day}; what nobody has seen by then is charged.", day=day))
    else:
        lead.append(_("We charge what you keep, and set the rest free."))
    return Standing(_("Being settled"), "wait", _("Your trial is over"), lead)


def _plain(view: TrialView) -> Standing:
    """What needs no more than a sentence."""
    kept = any(item.outcome == Outcome.KEPT for item in view.items)
    table: dict[TrialStatus, tuple[str, Kind, str, str]] = {
        T.AUTHORISATION_FAILED: (
            _("Waiting for you"),
            "bad",
            _("Your card could not be used"),
            _("Nothing was charged. What you chose is set aside for you: give another card, and we pack it.")
            if view.stocked_at is not None
            else _("Nothing was charged. Give another card, and we pack what you chose, if it is still there by then."),
        ),
        T.AUTHORISATION_EXPIRED: (
            _("Waiting for you"),
            "bad",
            _("Please give a card again"),
            _("What your bank had set aside has run out. Nothing was charged, and you can go on trying.")
            if view.shipped_at is not None
            else _("What your bank had set aside has run out. Nothing was charged, and nothing is sent before."),
        ),
        T.AUTHORISED: (_("Being packed"), "wait", _("We are packing your parcel"), _packing(view)),
        T.PACKED: (_("Packed"), "wait", _("Your parcel is packed"), _("It leaves with the next collection.")),
        T.OVERDUE: (
            _("Open"),
            "bad",
            _("Something is still open"),
            _("It has neither come back nor been paid. Pay for it here, or call us: a person looks at it."),
        ),
        T.SETTLED: (
            _("Settled"),
            "good",
            _("It is yours. Enjoy it!") if kept else _("Settled: you pay nothing"),
            _("What you keep can still be sent back: see below.") if kept else _("Thank you for trying."),
        ),
        T.CANCELLED: (
            _("Cancelled"),
            "",
            _("This order is cancelled"),
            _("Nothing is sent. What was held on your card is free again; banks show that within a few days."),
        ),
        T.WRITTEN_OFF: (_("Closed"), "", _("This order is closed"), _("There is nothing left to pay.")),
    }
    badge, kind, title, lead = table[view.status]
    return Standing(badge, kind, title, [lead])


def _packing(view: TrialView) -> str:
    if view.mode is Mode.PURCHASE:
        return _("Thank you for your order. We write to you when it leaves.")
    return _("Your bank has agreed. We write to you when it leaves, and when the trial begins.")


def steps(view: TrialView, zone: str) -> list[Step]:
    """Its way so far, and from here on, with dates."""
    over = view.status in {T.CANCELLED, T.WRITTEN_OFF}
    told: list[tuple[str, datetime | None, str]] = [(_("Ordered"), view.placed_at, "")]
    parcels = ", ".join(filter(None, (f"{p.carrier} {p.tracking}".strip() for p in view.shipments)))
    told.append((_("Sent"), view.shipped_at, parcels))
    note = _("as far as we know") if view.delivery_assumed else ""
    told.append((_("Arrived"), view.delivered_at, note))
    if view.mode is Mode.TRIAL:
        told.append((_("Trial over"), view.settling_at, "" if view.settling_at else _end_note(view, zone)))
    told.append((_("Settled"), view.settled_at, ""))
    if over:
        told = [step for step in told if step[1] is not None]
        told.append((_("Cancelled") if view.status == T.CANCELLED else _("Closed"), view.changed_at, ""))
    return _shown(told)


def _end_note(view: TrialView, zone: str) -> str:
    if view.ends_at is None:
        return ngettext(
            "{n} day after it has arrived", "{n} days after it has arrived", view.trial_days + view.extended_days
        )
    return _("at the end of {day}", day=formats.format_date(last_day(view.ends_at, zone), "day"))


def _shown(told: Sequence[tuple[str, datetime | None, str]]) -> list[Step]:
    shown: list[Step] = []
    for title, at, note in told:
        if at is not None:
            when = formats.format_datetime(at, "day")
            shown.append(Step(title, f"{when}. {note}" if note else when, "done"))
        else:
            first = not shown or shown[-1].state == "done"
            shown.append(Step(title, note, "now" if first else ""))
    return shown

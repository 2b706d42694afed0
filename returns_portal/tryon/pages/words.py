"""Words for what stands in the tables as codes, shared by the customer's and the staff's pages."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.errors import DomainError
from returns_portal.i18n import _, mark, ngettext, translate
from returns_portal.tryon.models import ChargeKind, ChargeStatus, TrialStatus
from returns_portal.tryon.queries import Charge
from returns_portal.web import formats

Kind = Literal["good", "wait", "bad", ""]


class Word(msgspec.Struct, frozen=True):
    """A word and the colour that repeats it."""

    text: str
    kind: Kind = ""


T, C = TrialStatus, ChargeStatus
_STATUSES: Final[Mapping[str, tuple[str, Kind]]] = {
    T.PLACED: (mark("asking the bank"), "wait"),
    T.AUTHORISED: (mark("to be packed"), "wait"),
    T.PACKED: (mark("packed"), "wait"),
    T.SHIPPED: (mark("on its way"), "wait"),
    T.DELIVERED: (mark("being tried"), "wait"),
    T.SETTLING: (mark("being settled"), "wait"),
    T.SETTLED: (mark("settled"), "good"),
    T.CANCELLED: (mark("cancelled"), ""),
    T.AUTHORISATION_FAILED: (mark("card refused"), "bad"),
    T.AUTHORISATION_EXPIRED: (mark("hold ran out"), "bad"),
    T.PAYMENT_ACTION_NEEDED: (mark("payment not through"), "bad"),
    T.OVERDUE: (mark("overdue"), "bad"),
    T.WRITTEN_OFF: (mark("written off"), ""),
}
_CHARGES: Final[Mapping[str, tuple[str, Kind]]] = {
    C.PLANNED: (mark("planned"), "wait"),
    C.SUBMITTING: (mark("being sent"), "wait"),
    C.UNKNOWN: (mark("unknown"), "bad"),
    C.ACTION_NEEDED: (mark("waits for the customer"), "wait"),
    C.HELD: (mark("held"), "good"),
    C.CAPTURING: (mark("being charged"), "wait"),
    C.CAPTURED: (mark("charged"), "good"),
    C.CANCELING: (mark("being released"), "wait"),
    C.CANCELED: (mark("released"), ""),
    C.EXPIRED: (mark("expired"), ""),
    C.FAILED: (mark("refused"), "bad"),
}
_KINDS: Final[Mapping[str, str]] = {
    ChargeKind.HOLD: mark("Hold on the card"),
    ChargeKind.SETUP: mark("Card kept on file"),
    ChargeKind.DEPOSIT: mark("Charge at checkout"),
    ChargeKind.CHARGE: mark("Charge of what is kept"),
}
DECISIONS: Final[Mapping[str, tuple[str, Kind]]] = {
    "undecided": (mark("not decided"), "wait"),
    "keep": (mark("keeps it"), "good"),
    "return": (mark("sends it back"), ""),
    "problem": (mark("problem"), "bad"),
}
OUTCOMES: Final[Mapping[str, tuple[str, Kind]]] = {
    "open": (mark("open"), "wait"),
    "kept": (mark("kept"), "good"),
    "returned": (mark("came back"), ""),
    "waived": (mark("not charged"), ""),
}
PROBLEMS: Final[Mapping[str, str]] = {
    "damaged": mark("It came damaged"),
    "missing": mark("It was not in the parcel"),
    "wrong": mark("It is another one than I ordered"),
}
_STRATEGIES: Final[Mapping[str, str]] = {
    "ends_within_hold": mark(
        "An amount is held on the card. The parcel takes {transit_days} days, the trial {trial_days}, and with a day"
        " for settling that is {needed_days}: a hold lasts {hold_days}."
    ),
    "outlasts_hold": mark(
        "The card is kept on file and charged at the end. The parcel takes {transit_days} days, the trial"
        " {trial_days}, and with a day for settling that is {needed_days}: a hold lasts only {hold_days}."
    ),
    "purchase": mark("Charged at checkout: this is a purchase."),
}


def status_word(status: str) -> Word:
    """Where a trial stands, for staff."""
    text, kind = _STATUSES[status]
    return Word(translate(text), kind)


def charge_word(status: str, what: str) -> Word:
    """Where a charge of this kind stands: of a card that may be charged later, nothing is held."""
    if what == ChargeKind.SETUP and status == C.HELD:
        return Word(_("card on file"), "good")
    text, kind = _CHARGES[status]
    return Word(translate(text), kind)


def kind_words(kind: str) -> str:
    """What was asked of the gateway."""
    return translate(_KINDS[kind])


def decision_word(decision: str) -> Word:
    """What the customer said."""
    text, kind = DECISIONS[decision]
    return Word(translate(text), kind)


def outcome_word(outcome: str) -> Word:
    """What became of an item."""
    text, kind = OUTCOMES[outcome]
    return Word(translate(text), kind)


def problem_words() -> list[tuple[str, str]]:
    """The kinds of problems with what the customer reads."""
    return [(code, translate(text)) for code, text in PROBLEMS.items()]


def reason_words(reason: Mapping[str, object]) -> str:
    """Why the money is made sure of in the way that it is."""
    text = _STRATEGIES.get(str(reason.get("code")))
    return translate(text, **{name: value for name, value in reason.items() if name != "code"}) if text else ""


def details(size: str, color: str) -> str:
    """Size and colour in one line."""
    return ", ".join(part for part in (_("Size {size}", size=size) if size else "", color) if part)


def last_day(ends_at: datetime, zone: str) -> date:
    """The last day of a trial: it ends at midnight after it."""
    return (ends_at.astimezone(ZoneInfo(zone)) - timedelta(seconds=1)).date()


def days_left(ends_at: datetime, now: datetime, zone: str) -> str:
    """How long it still runs, as people count."""
    left = (last_day(ends_at, zone) - now.astimezone(ZoneInfo(zone)).date()).days
    if left < 0:
        return _("the time is over")
    if left == 0:
        return _("today is the last day")
    return ngettext("{n} day left", "{n} days left", left)


def charged_words(charge: Charge, last4: str) -> str:
    """What was charged, when, and on which card."""
    when = formats.format_date(charge.changed_at, "day")
    amount = formats.money(charge.captured, charge.currency)
    if last4:
        return _("{amount} on {day}, card ending in {last4}", amount=amount, day=when, last4=last4)
    return _("{amount} on {day}", amount=amount, day=when)


def sentence(error: DomainError) -> str:
    """What an error says, in the reader's language."""
    return translate(error.sentence, **error.values)

"""Labels, parcels and pick-ups in words, each with the colour that repeats it."""

from datetime import date, datetime
from types import SimpleNamespace
from typing import Final, Literal

import msgspec
from babel import dates

from returns_portal import i18n
from returns_portal.carriers.gateway import ScanCode
from returns_portal.carriers.names import NAMES
from returns_portal.i18n import _
from returns_portal.labels.models import LabelStatus, PickupStatus
from returns_portal.web import formats

Kind = Literal["good", "wait", "bad", ""]


class Word(msgspec.Struct, frozen=True):
    """A word, and what kind of news it is."""

    text: str
    kind: Kind = ""


def carrier_name(name: str) -> str:
    """A carrier, as people call it; a label that was asked of nobody yet has none."""
    return _(NAMES[name]) if name in NAMES else name or "–"


def status_word(status: str) -> Word:
    """Where a label stands."""
    words = {
        LabelStatus.REQUESTED: Word(_("being made"), "wait"),
        LabelStatus.BOUGHT: Word(_("ready")),
        LabelStatus.SENT: Word(_("sent to the customer")),
        LabelStatus.IN_TRANSIT: Word(_("on its way"), "wait"),
        LabelStatus.DELIVERED: Word(_("here"), "good"),
        LabelStatus.VOIDED: Word(_("given back")),
        LabelStatus.EXPIRED: Word(_("expired")),
        LabelStatus.LOST: Word(_("lost"), "bad"),
    }
    return words[LabelStatus(status)]


def void_word(void_status: str) -> str:
    """What the carrier says of the money of a label that was given back."""
    words = {
        "": _("the carrier is being asked"),
        "submitted": _("asked; the carrier decides"),
        "refunded": _("the money came back"),
        "rejected": _("the carrier refused"),
        "not_applicable": _("nothing was paid for it"),
    }
    return words[void_status]


def scan_word(code: str) -> str:
    """What happened to a parcel."""
    words = {
        ScanCode.CREATED: _("label made"),
        ScanCode.PICKED_UP: _("handed in"),
        ScanCode.IN_TRANSIT: _("on its way"),
        ScanCode.OUT_FOR_DELIVERY: _("about to be brought"),
        ScanCode.DELIVERED: _("brought"),
        ScanCode.FAILED: _("could not be brought"),
        ScanCode.RETURNED: _("goes back to the sender"),
        ScanCode.LOST: _("lost"),
    }
    return words[ScanCode(code)] if code else ""


def pickup_word(status: str) -> Word:
    """Where a pick-up stands."""
    words = {
        PickupStatus.REQUESTED: Word(_("asked for"), "wait"),
        PickupStatus.SCHEDULED: Word(_("planned"), "good"),
        PickupStatus.DONE: Word(_("done")),
        PickupStatus.REFUSED: Word(_("nobody comes"), "bad"),
        PickupStatus.CANCELLED: Word(_("called off")),
    }
    return words[PickupStatus(status)]


def month(first: date) -> str:
    """A month by its first day: October 2026."""
    return dates.format_skeleton("yMMMM", first, locale=i18n.formatting_locale(i18n.current()))


def between(begins: datetime, ends: datetime) -> str:
    """A window on one day, in the shop's zone: Monday, 23 November, 09:00–13:00."""
    return f"{formats.format_datetime(begins, 'day')}–{formats.format_datetime(ends, 'day')[-5:]}"


FOR_TEMPLATES: Final = SimpleNamespace(
    carrier=carrier_name,
    status=status_word,
    void=void_word,
    scan=scan_word,
    pickup=pickup_word,
    month=month,
    between=between,
)

"""A parcel on its way, told as steps: where it was seen, when it should be here, when its money follows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.carriers.prepaid import PREPAID
from returns_portal.i18n import _, ngettext
from returns_portal.labels.models import LabelStatus
from returns_portal.policies.content import Postage
from returns_portal.questions import Question, ask
from returns_portal.refunds.models import Destination
from returns_portal.refunds.pace import Expectation, expectation
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.pages.steps import Step
from returns_portal.returns.pages.words import when
from returns_portal.returns.queries import ReturnView
from returns_portal.returns.whose import LABELLED
from returns_portal.web import formats


class Seen(msgspec.Struct, frozen=True):
    """One scan of a parcel; the place is empty where the carrier names none."""

    at: datetime
    place: str


class Travel(msgspec.Struct, frozen=True):
    """What is known of a parcel's way, and what can be expected of it."""

    expected: Expectation
    seen: Sequence[Seen] = ()
    """The scans between the hand-in and the end of the way, the oldest first."""


_SEEN: Final = f"""
    SELECT e.at, e.place FROM returns r JOIN label b ON b.return_id = {LABELLED}
    JOIN tracking_event e ON b.id = e.label_id WHERE r.id = :return_id
        AND b.number = 1 AND e.code IN ('picked_up', 'in_transit', 'out_for_delivery')
    ORDER BY e.at, e.id LIMIT 100
"""  # noqa: S608 - our own words


async def travel_of(db: AsyncConnection, view: ReturnView, *, outside: bool) -> Travel | None:
    """What the steps of a return need to know as long as nothing of it is here; `outside` where a transfer pays it."""
    if view.status != ReturnStatus.FILED:
        return None
    destination = Destination.TRANSFER if outside else Destination.CARD
    if view.refund_to == RefundTo.POINTS:
        destination = Destination.POINTS
    expected = await expectation(db, view.label_carrier, view.address.get("country", ""), destination)
    scanned = view.first_scan_at is not None
    seen = await ask(db, Question(_SEEN, {"return_id": view.id}, Seen)) if scanned else []
    return Travel(expected, seen)


def to_be_sent(view: ReturnView) -> Step:
    """What the customer does next, or waits for."""
    if view.in_parcel_of and view.proof_at is None:
        note = _("One label serves the whole parcel. We write as soon as the carrier has it.")
        return Step(_("Put it into the parcel of return {rma}", rma=view.in_parcel_of), note, "now")
    if view.postage == Postage.OWN_LABEL and view.proof_at is not None:
        number = _("{carrier}, number {tracking}", carrier=view.proof_carrier, tracking=view.proof_tracking)
        return Step(_("Your parcel travels to us"), number, "now")
    if view.postage == Postage.OWN_LABEL:
        return Step(_("You send it to us"), _("Keep the receipt, and tell us its number on this page."), "now")
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


def on_the_way(view: ReturnView, handed_in: datetime, travel: Travel | None) -> list[Step]:
    """What a carrier has told of the parcel, from the hand-in on."""
    seen = travel.seen if travel else ()
    told = [Step(_("Handed in"), _scanned(Seen(handed_in, seen[0].place if seen else "")), "done")]
    if view.label_status == LabelStatus.DELIVERED and view.brought_at is not None:
        told.append(Step(_("Brought to us"), formats.format_datetime(view.brought_at, "day"), "done"))
        return [*told, Step(_("We open it"), _("We write to you what we counted."), "now")]
    if view.label_status == LabelStatus.LOST:
        note = _("One of us takes it up with the carrier and writes to you about your money.")
        return [*told, Step(_("Your parcel is being looked for"), note, "now")]
    if len(seen) > 1 and seen[-1].place not in ("", seen[0].place):
        told.append(Step(_("Under way"), _scanned(seen[-1]), "done"))
    return [*told, Step(_("Your parcel travels to us"), _arrives(view, travel), "now")]


def _scanned(seen: Seen) -> str:
    day = when(formats.local_day(seen.at))
    if seen.place:
        return _("The parcel was scanned in {place} {when}.", place=seen.place, when=day)
    return _("The parcel was scanned {when}.", when=day)


def _arrives(view: ReturnView, travel: Travel | None) -> str:
    """When it should be here: by the carrier's own word, by what was measured, or by what is usual."""
    day = arrival_day(view, travel)
    if day is None:
        return ""
    if day < formats.today():
        return _("It takes longer than expected. We keep an eye on it, and write to you if it does not move.")
    if view.expected_on is not None or travel is None:
        return _("Its carrier means to bring it {when}.", when=when(day))
    if travel.expected.transit is None:
        days = travel.expected.usual_transit
        return ngettext(
            "Parcels usually take about {n} day, so we expect it {when}.",
            "Parcels usually take about {n} days, so we expect it {when}.",
            days,
            when=when(day),
        )
    return ngettext(
        "Parcels like yours took {n} day of late, so we expect it about then: {when}.",
        "Parcels like yours took {n} days of late, so we expect it about then: {when}.",
        max(1, travel.expected.transit),
        when=when(day),
    )


def arrival_day(view: ReturnView, travel: Travel | None) -> date | None:
    """The day on which a parcel came or should come; None for one that nobody has seen yet."""
    if view.brought_at is not None:
        return formats.local_day(view.brought_at)
    if view.expected_on is not None:
        return view.expected_on
    if view.first_scan_at is None or travel is None:
        return None
    days = travel.expected.transit
    days = travel.expected.usual_transit if days is None else max(1, days)
    return formats.local_day(view.first_scan_at) + timedelta(days=days)


_USUAL_REFUND: Final = 3
"""Days until the money is sent, at the most that is usual, where too little was measured."""


def money_to_come(view: ReturnView, travel: Travel | None) -> Step:
    """When the money follows: by what was measured of this shop's refunds, else by what is usual."""
    measured = travel.expected.refund if travel else None
    to_points = view.refund_to == RefundTo.POINTS
    title = _("Points in your account") if to_points else _("Money back")
    arrives = arrival_day(view, travel)
    day = arrives + timedelta(days=_USUAL_REFUND if measured is None else measured) if arrives else None
    # What is late already is not promised for a day again.
    soon = when(day) if day is not None and day >= formats.today() and view.label_status != LabelStatus.LOST else ""
    if to_points:
        note = _("as soon as the parcel is checked in")
    elif measured is None:
        note = (
            _("Refunds take 2–3 days after the parcel has arrived, so expect yours {when} at the latest.", when=soon)
            if soon
            else _("usually 2–3 days after the parcel has arrived")
        )
    else:
        note = _measured(max(1, measured), soon)
    return Step(title, note, "")


def _measured(days: int, soon: str) -> str:
    if soon:
        return ngettext(
            "Refunds take about {n} day after the parcel has arrived, so expect yours {when}.",
            "Refunds take about {n} days after the parcel has arrived, so expect yours {when}.",
            days,
            when=soon,
        )
    return ngettext(
        "Refunds take about {n} day after the parcel has arrived.",
        "Refunds take about {n} days after the parcel has arrived.",
        days,
    )

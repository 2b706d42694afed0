"""What the station shows of a parcel that was counted. Part of the face: it may read every capability's records."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.i18n import _, ngettext
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.warehouse.finding import in_same_parcel
from returns_portal.warehouse.models import Acceptance
from returns_portal.warehouse.pages.parts import IDLE, Known, State, View
from returns_portal.warehouse.pages.words import condition_words, finding_words
from returns_portal.warehouse.queries import ParcelView, findings_of, parcel_for, parcels_of, photos_of
from returns_portal.web import formats


def who(view: ReturnView, number: int) -> str:
    """Whose parcel it is, and which."""
    parts = [view.rma, view.name, _("order {number}", number=view.order_number)]
    if number > 1:
        parts.append(_("parcel {number}", number=number))
    return " · ".join(part for part in parts if part)


def in_parcel(rmas: Sequence[str]) -> str:
    """Which other returns are in the parcel; what is to be counted next of one that is closed."""
    return ngettext(
        "{n} more return in this parcel: {numbers}",
        "{n} more returns in this parcel: {numbers}",
        len(rmas),
        numbers=", ".join(rmas),
    )


async def known(
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    parcels: Sequence[ParcelView],
    parcel: ParcelView | None = None,
) -> View:
    """A parcel that was counted before: by whom, when, what; the last one, where it is not said which."""
    parcel = parcel or parcels[-1]
    by = _("you") if parcel.checked_in_by == actor.label else _("somebody else")
    when = formats.format_datetime(parcel.corrected_at or parcel.checked_in_at, "day")
    small = _("{who}. By {whom}, {when}. Nothing was counted again.", who=who(view, parcel.number), whom=by, when=when)
    return View(State("bad", _("Already checked in"), small), known=await _known(db, actor, view, parcels, parcel))


async def _known(
    db: AsyncConnection, actor: Actor, view: ReturnView, parcels: Sequence[ParcelView], parcel: ParcelView
) -> Known:
    waiting = [each.rma for each in await in_same_parcel(db, actor, view.fellows) if each.waits]
    lines = {line.line_id: line for line in view.lines}
    items = []
    for item in parcel.items:
        line = lines.get(item.line_id) if item.line_id else None
        what = ", ".join(part for part in (line.title, line.size, line.color) if part) if line else item.description
        end = _("more than ordered") if item.acceptance == Acceptance.SURPLUS else condition_words(item.condition)
        items.append(f"{item.quantity} × {what}: {end}")
    return Known(
        view=view,
        check_in_id=parcel.id,
        items=items,
        note=parcel.note,
        next_number=max(other.number for other in parcels) + 1,
        missing=sum(max(0, line.quantity - line.received) for line in view.lines),
        findings=[finding_words(one.kind) for one in await findings_of(db, parcel.id)],
        photos=await photos_of(db, parcel.id),
        waiting=waiting,
    )


async def done(db: AsyncConnection, actor: Actor, check_in_id: UUID) -> View:
    """What was just checked in.

    Raises:
        NotFoundError: there is no such check-in.
    """
    parcel = await parcel_for(db, actor, check_in_id)
    view = await return_for(db, actor, parcel.rma)
    if parcel.undone_at is not None:
        return IDLE
    here = sum(item.quantity for item in parcel.items)
    waiting = sum(item.quantity for item in parcel.items if item.acceptance == Acceptance.WAITING)
    words = _("{here} of {expected} here", here=here, expected=max(here, sum(line.quantity for line in view.lines)))
    small = who(view, parcel.number)
    if waiting:
        rest = ngettext("{n} item waits for a decision.", "{n} items wait for a decision.", waiting)
        small = f"{small}. {rest}"
    parcels = await parcels_of(db, actor, view.id)
    known_ = await _known(db, actor, view, parcels, parcel)
    if known_.waiting:
        return View(
            State("wait", _("Now the next return in this parcel"), f"{small}. {in_parcel(known_.waiting)}"),
            known=known_,
        )
    return View(State("good", words, small), known=known_)

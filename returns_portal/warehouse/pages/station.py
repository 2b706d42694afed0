"""What the station shows. Part of the face: it may read every capability's records."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import NotFoundError
from returns_portal.i18n import _, ngettext
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView, order_state, return_for
from returns_portal.shop.queries import ShopInfo
from returns_portal.warehouse.finding import FoundReturn, LastCheckIn, last_check_in
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.queries import DockFigures, ParcelView, dock_figures, parcel_for, parcels_of, rma_for_code
from returns_portal.web import formats

Kind = Literal["good", "wait", "bad", "idle"]

CONDITIONS: Final = (Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM)
"""In the order of their keys, 1 to 4."""


class State(msgspec.Struct, frozen=True):
    """The line that is read from two metres, its colour and its sound."""

    kind: Kind
    words: str
    small: str = ""


class Row(msgspec.Struct, frozen=True):
    """A line of the order: how many are expected, and how many were counted in each condition so far."""

    line_id: str
    sku: str
    big: str
    title: str
    expected: int
    counts: dict[str, int]


class Count(msgspec.Struct, frozen=True):
    """An open parcel: what is expected in it, what else the order has, and what was typed so far."""

    view: ReturnView
    number: int
    rows: list[Row]
    others: list[Row]
    corrects: str
    token: str
    typed: Mapping[str, str]


class Known(msgspec.Struct, frozen=True):
    """A parcel that was counted, and what can be done about it."""

    view: ReturnView
    check_in_id: UUID
    items: list[str]
    note: str
    next_number: int
    missing: int


class Station(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    state: State
    figures: DockFigures
    longest: str
    last: LastCheckIn | None
    count: Count | None = None
    known: Known | None = None
    found: list[FoundReturn] | None = None


class View(msgspec.Struct, frozen=True):
    """The part of the page that depends on what was asked."""

    state: State
    count: Count | None = None
    known: Known | None = None
    found: list[FoundReturn] | None = None


IDLE: Final = View(State("idle", "", ""))


async def station(db: AsyncConnection, actor: Actor, shop: ShopInfo, view: View) -> Station:
    """Put a view and what stands beside it together."""
    now = clock.now().astimezone(ZoneInfo(shop.timezone))
    day_began = now.replace(hour=0, minute=0, second=0, microsecond=0)
    figures = await dock_figures(db, actor, day_began)
    return Station(
        state=view.state if view.state.words else State("idle", _("Scan a parcel"), _("or type its return number")),
        figures=figures,
        longest=_duration(figures.longest_since),
        last=await last_check_in(db, actor, day_began) if figures.mine_today else None,
        count=view.count,
        known=view.known,
        found=view.found,
    )


def _duration(since: datetime | None) -> str:
    if since is None:
        return "–"
    minutes = int((clock.now() - since).total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60
    if days:
        return ngettext("{n} day", "{n} days", days)
    return _("{hours} h {minutes}", hours=hours, minutes=f"{minutes % 60:02d}")


async def find(db: AsyncConnection, actor: Actor, readings: Sequence[str]) -> ReturnView | None:
    """The return that was scanned. Each reading is tried: the check symbol lets one wrong one in 31 pass."""
    for reading in dict.fromkeys(filter(None, readings)):
        try:
            return await return_for(db, actor, await rma_for_code(db, actor, reading))
        except NotFoundError:
            continue
    return None


def unknown(code: str) -> View:
    """A code that means no return."""
    hint = _("No return has this code. Check the label, or look for the return by order number, e-mail or name.")
    return View(State("bad", _("Unknown code"), f"{code} · {hint}"))


async def scanned(db: AsyncConnection, actor: Actor, view: ReturnView, number: int | None) -> View:
    """A parcel that was scanned: to be counted, or (where it was) what was counted."""
    parcels = await parcels_of(db, actor, view.id) if view.status == ReturnStatus.RECEIVED else []
    if parcels and number is None:
        return known(actor, view, parcels)
    taken = next((parcel for parcel in parcels if parcel.number == number), None)
    if taken is not None:
        return known(actor, view, parcels, taken)
    return await to_count(db, actor, view, number or 1)


async def to_count(
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    number: int,
    *,
    typed: Mapping[str, str] | None = None,
    corrects: ParcelView | None = None,
    problem: str = "",
) -> View:
    """The form for one parcel. `typed` are the fields of a form that came back, `problem` is why."""
    order = await order_state(db, actor, view.order_number)
    expected = {line.line_id: line.quantity - line.received for line in view.lines}
    filled = dict(typed or {})
    if corrects is not None:
        expected = {line.line_id: line.quantity for line in view.lines}
        filled = filled or _fields_of(corrects)
    rows = [
        Row(
            line_id=str(line.line_id),
            sku=line.sku,
            big=" · ".join(part for part in (line.size, line.color) if part) or line.title,
            title=line.title if line.size or line.color else "",
            expected=max(0, expected.get(line.line_id, 0)),
            counts={word: _number(filled.get(field_name(str(line.line_id), word), "")) for word in CONDITIONS},
        )
        for line in order.lines
    ]
    awaited = [row for row in rows if row.expected]
    words = problem or ngettext("{n} item expected", "{n} items expected", sum(row.expected for row in awaited))
    kind: Kind = "bad" if problem else "good"
    small = _who(view, number)
    if view.status == ReturnStatus.CANCELLED and not problem:
        kind, words = "wait", _("Cancelled return")
        small = _("{who}. The customer cancelled it; if the goods are here, count them all the same.", who=small)
    if corrects is not None and not problem:
        kind, words = "wait", _("Correct the count")
    token = filled.get("token") or secrets.token_urlsafe(16)
    count = Count(
        view=view,
        number=number,
        rows=awaited,
        others=[row for row in rows if not row.expected],
        corrects=str(corrects.id) if corrects else "",
        token=token,
        typed=filled,
    )
    return View(State(kind, words, small), count=count)


def field_name(line_id: str, condition: str) -> str:
    """The form's field for units of a line in a condition."""
    return f"count-{line_id}-{condition}"


def _fields_of(parcel: ParcelView) -> dict[str, str]:
    fields: dict[str, str] = {"note": parcel.note}
    for item in parcel.items:
        if item.line_id is None:
            fields |= {"else_what": item.description, "else_many": str(item.quantity)}
        else:
            name = field_name(str(item.line_id), item.condition)
            fields[name] = str(int(fields.get(name, "0")) + item.quantity)
    return fields


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0  # noqa: PLR2004 - at most 999


def _who(view: ReturnView, number: int) -> str:
    parts = [view.rma, view.name, _("order {number}", number=view.order_number)]
    if number > 1:
        parts.append(_("parcel {number}", number=number))
    return " · ".join(part for part in parts if part)


def known(actor: Actor, view: ReturnView, parcels: Sequence[ParcelView], parcel: ParcelView | None = None) -> View:
    """A parcel that was counted before: by whom, when, what; the last one, where it is not said which."""
    parcel = parcel or parcels[-1]
    by = _("you") if parcel.checked_in_by == actor.label else _("somebody else")
    when = formats.format_datetime(parcel.checked_in_at, "day")
    small = _("{who}. By {whom}, {when}. Nothing was counted again.", who=_who(view, parcel.number), whom=by, when=when)
    return View(State("bad", _("Already checked in"), small), known=_known(view, parcels, parcel))


def _known(view: ReturnView, parcels: Sequence[ParcelView], parcel: ParcelView) -> Known:
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
    small = _who(view, parcel.number)
    if waiting:
        rest = ngettext("{n} item waits for a decision.", "{n} items wait for a decision.", waiting)
        small = f"{small}. {rest}"
    parcels = await parcels_of(db, actor, view.id)
    return View(State("good", words, small), known=_known(view, parcels, parcel))


def condition_words(condition: str) -> str:
    """A condition, as the buttons say it."""
    return {
        Condition.RESELLABLE: _("Like new"),
        Condition.WORN: _("Worn"),
        Condition.DAMAGED: _("Damaged"),
        Condition.WRONG_ITEM: _("Wrong item"),
        Condition.NOT_SHIPPED: _("Not shipped"),
    }[Condition(condition)]

"""What the station shows. Part of the face: it may read every capability's records."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import NotFoundError
from returns_portal.i18n import _, ngettext
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import OrderLineState, ReturnView, order_state, return_for
from returns_portal.shop.queries import ShopInfo
from returns_portal.warehouse.finding import FoundOrder, FoundReturn, in_same_parcel, last_check_in
from returns_portal.warehouse.inheriting import Placed, placed_in
from returns_portal.warehouse.models import Finding
from returns_portal.warehouse.pages.counted import in_parcel, known, who
from returns_portal.warehouse.pages.parts import ALONE, Along, Count, Row, State, Station, View
from returns_portal.warehouse.pages.words import condition_words, disposition_words
from returns_portal.warehouse.queries import (
    ParcelView,
    dock_figures,
    eans_of,
    findings_of,
    parcels_of,
    rma_for_code,
)
from returns_portal.warehouse.rules import dispositions_offered
from returns_portal.warehouse.settings import COUNTED, DockRules, dock_rules


async def station(db: AsyncConnection, actor: Actor, shop: ShopInfo, view: View, along: Along = ALONE) -> Station:
    """Put a view and what stands beside it together."""
    rules = await dock_rules(db)
    now = clock.now().astimezone(ZoneInfo(shop.timezone))
    day_began = now.replace(hour=0, minute=0, second=0, microsecond=0)
    figures = await dock_figures(db, actor, day_began)
    return Station(
        state=view.state if view.state.words else _idle(along),
        figures=figures,
        longest=duration(figures.longest_since),
        last=await last_check_in(db, actor, day_began) if figures.mine_today else None,
        count=view.count,
        known=view.known,
        found=view.found,
        orders=view.orders,
        badge=view.badge,
        box=along.box,
        nameless=along.found,
        conditions=[(each.value, rules.names.get(each.value) or condition_words(each)) for each in COUNTED],
        warehouses=shop.warehouses,
    )


def _idle(along: Along) -> State:
    if along.box:
        return State("wait", _("Scan the other return"), _("of the same box"))
    if along.found:
        return State("wait", _("Whose is it?"), _("Scan or look for the return that this parcel belongs to"))
    return State("idle", _("Scan a parcel"), _("or type its return number"))


def duration(since: datetime | None) -> str:
    """How long ago that was, in words."""
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


def listed(words: str, found: list[FoundReturn], orders: list[FoundOrder]) -> View:
    """What was found by words, or by an article."""
    title = ngettext("{n} return", "{n} returns", len(found)) if found else _("Nothing found")
    if orders and not found:
        title = _("No return was filed")
    small = _("for “{words}”", words=words)
    if not found and not orders:
        small = _("{what}. If nobody can say whose it is, keep it as a parcel without a name.", what=small)
    return View(State("wait" if found or orders else "bad", title, small), found=found, orders=orders)


async def scanned(
    db: AsyncConnection, actor: Actor, view: ReturnView, number: int | None, along: Along = ALONE
) -> View:
    """A parcel that was scanned: to be counted, or (where it was) what was counted."""
    parcels = await parcels_of(db, actor, view.id) if view.status == ReturnStatus.RECEIVED else []
    if parcels and number is None and along.found:
        # It lay on a shelf while others of the same return were counted: it is one more.
        number = max(parcel.number for parcel in parcels) + 1
    if parcels and number is None and (following := await _next_in(db, actor, view)) is not None:
        # Its label was scanned once more, since there is more in the parcel: the next return in it is counted.
        box = Along(along.box or str(parcels[-1].id), along.found)
        return await to_count(db, actor, following, 1, along=box)
    if parcels and number is None:
        return await known(db, actor, view, parcels)
    taken = next((parcel for parcel in parcels if parcel.number == number), None)
    if taken is not None:
        return await known(db, actor, view, parcels, taken)
    return await to_count(db, actor, view, number or 1, along=along)


async def _next_in(db: AsyncConnection, actor: Actor, view: ReturnView) -> ReturnView | None:
    """The next return in the same parcel of which nothing was counted yet."""
    for each in await in_same_parcel(db, actor, view.fellows):
        if each.waits:
            return await return_for(db, actor, each.rma)
    return None


def ask_for_pin(code: str, problem: str = "") -> View:
    """A badge was scanned: its PIN is asked for."""
    return View(State("bad" if problem else "wait", problem or _("Your PIN, please"), _("then Enter")), badge=code)


def control_alone() -> View:
    """A control code was scanned where it means nothing."""
    return View(State("wait", _("First a parcel"), _("A control code does something to the parcel that is open.")))


async def to_count(
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    number: int,
    *,
    typed: Mapping[str, str] | None = None,
    corrects: ParcelView | None = None,
    problem: str = "",
    along: Along = ALONE,
) -> View:
    """The form for one parcel. `typed` are the fields of a form that came back, `problem` is why."""
    order = await order_state(db, actor, view.order_number)
    expected = {line.line_id: line.quantity - line.received for line in view.lines}
    filled = dict(typed or {})
    if corrects is not None:
        expected = {line.line_id: line.quantity for line in view.lines}
        filled = filled or await fields_of(db, corrects)
    rules = await dock_rules(db)
    codes = await eans_of(db, [line.sku for line in order.lines])
    rows = [_row(line, codes.get(line.sku, ""), expected.get(line.line_id, 0), filled) for line in order.lines]
    token = filled.get("token") or secrets.token_urlsafe(16)
    count = Count(
        view=view,
        number=number,
        rows=[row for row in rows if row.expected],
        others=[row for row in rows if not row.expected],
        corrects=str(corrects.id) if corrects else "",
        token=token,
        typed=filled,
        places=_places(rules),
        box=along.box,
        found=along.found,
        fellows=await in_same_parcel(db, actor, view.fellows),
    )
    return View(_how_to_count(count, problem), count=count)


def _row(line: OrderLineState, code: str, expected: int, filled: Mapping[str, str]) -> Row:
    line_id = str(line.line_id)
    return Row(
        line_id=line_id,
        sku=line.sku,
        codes=code,
        big=" · ".join(part for part in (line.size, line.color) if part) or line.title,
        title=line.title if line.size or line.color else "",
        expected=max(0, expected),
        counts={word: _number(filled.get(field_name(line_id, word), "")) for word in COUNTED},
        goes=filled.get(f"goes-{line_id}", ""),
        note=filled.get(f"note-{line_id}", ""),
    )


def _how_to_count(count: Count, problem: str) -> State:
    """What is said above the form."""
    small = who(count.view, count.number)
    if problem:
        return State("bad", problem, small)
    cancelled = count.view.status == ReturnStatus.CANCELLED
    if cancelled:
        small = _("{who}. The customer cancelled it; if the goods are here, count them all the same.", who=small)
    if count.corrects:
        return State("wait", _("Correct the count"), small)
    if cancelled:
        return State("wait", _("Cancelled return"), small)
    if count.fellows:
        small = f"{small}. {in_parcel([each.rma for each in count.fellows])}"
    units = sum(row.expected for row in count.rows)
    return State("good", ngettext("{n} item expected", "{n} items expected", units), small)


def _places(rules: DockRules) -> list[tuple[str, str]]:
    return [(each.value, disposition_words(each)) for each in dispositions_offered(rules.two_people)]


def field_name(line_id: str, condition: str) -> str:
    """The form's field for units of a line in a condition."""
    return f"count-{line_id}-{condition}"


async def fields_of(db: AsyncConnection, parcel: ParcelView) -> dict[str, str]:
    """The form of a parcel as it was counted, for its correction."""
    fields: dict[str, str] = {"note": parcel.note}
    foreign = {one.description for one in await findings_of(db, parcel.id) if one.kind == Finding.FOREIGN}
    for item in parcel.items:
        if item.line_id is None:
            kind = "foreign" if item.description in foreign else "else"
            fields |= {f"{kind}_what": item.description, f"{kind}_many": str(item.quantity)}
        else:
            name = field_name(str(item.line_id), item.condition)
            fields[name] = str(int(fields.get(name, "0")) + item.quantity)
    return fields | await _placed_fields(db, parcel.id)


async def _placed_fields(db: AsyncConnection, parcel_id: UUID) -> dict[str, str]:
    """Where lines went and what was noted of them, as far as one field can say it of all their units."""
    rules = await dock_rules(db)
    lines: dict[UUID, list[Placed]] = {}
    for placed in await placed_in(db, parcel_id):
        if placed.order_line_id is not None:
            lines.setdefault(placed.order_line_id, []).append(placed)
    fields = {}
    for line_id, units in lines.items():
        goes = {each.goes for each in units}
        chosen = any(each.goes != rules.defaults.get(each.condition, "") for each in units)
        if len(goes) == 1 and chosen and goes <= rules.two_people.keys():
            fields[f"goes-{line_id}"] = goes.pop()
        fields[f"note-{line_id}"] = " · ".join(dict.fromkeys(each.note for each in units if each.note))
    return fields


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0  # noqa: PLR2004 - at most 999

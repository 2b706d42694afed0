"""The station: one field, a scanner, and what is in the parcel."""

import hashlib
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import structs
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.i18n import _, mark, translate
from returns_portal.refunds import actions as refunds
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.shop.queries import current
from returns_portal.warehouse.codes import Control, badge_code, eans, is_badge
from returns_portal.warehouse.finding import find_orders, find_returns
from returns_portal.warehouse.landing import CALLER
from returns_portal.warehouse.pages import (
    badges,
    controls,
    counted,
    goods,
    live,
    offline,
    parts,
    photos,
    rules_page,
    where,
)
from returns_portal.warehouse.pages import found as found_pages
from returns_portal.warehouse.pages import station as pages
from returns_portal.warehouse.pages.counting import Said, optional_id, read_count
from returns_portal.warehouse.pages.offline import note_queued
from returns_portal.warehouse.pages.screen import screen
from returns_portal.warehouse.pages.where import counted_in
from returns_portal.warehouse.queries import parcel_for, parcels_of
from returns_portal.web import Form, flash, form, formats, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]

DOCK_STAFF: Final = [requires_staff("warehouse", "support")]


async def _station(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    view: parts.View,
    *,
    status: int = 200,
    along: parts.Along = parts.ALONE,
) -> Response[Any]:
    shown = await pages.station(db, actor, await current(db), view, along)
    return screen(request, shown, status=status)


@get("/station", guards=DOCK_STAFF)
async def scan(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    code: FromQuery[str] = "",
    typed: FromQuery[str] = "",
    parcel: FromQuery[int | None] = None,
    done: FromQuery[UUID | None] = None,
    correct: FromQuery[UUID | None] = None,
    box: FromQuery[UUID | None] = None,
    found: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """Answer a scan: `code` by the keys that were struck, `typed` by the letters that came of them."""
    formats.zone.set(site(request).shop.timezone)
    if done is not None:
        return await _station(request, db, actor, await counted.done(db, actor, done))
    if correct is not None:
        before = await parcel_for(db, actor, correct)
        view = await return_for(db, actor, before.rma)
        return await _station(request, db, actor, await pages.to_count(db, actor, view, before.number, corrects=before))
    along = parts.Along(str(box or ""), str(found or ""))
    plain = _without_return(code, typed)
    if plain is not None:
        return await _station(request, db, actor, plain, along=along)
    meant = await pages.find(db, actor, (code, typed))
    if meant is None:
        return await _unread(request, db, actor, code or typed, along)
    number = parcel if parcel is not None and 0 < parcel < 100 else None  # noqa: PLR2004 - as the API takes
    return await _station(request, db, actor, await pages.scanned(db, actor, meant, number, along))


async def _unread(
    request: AnyRequest, db: AsyncConnection, actor: Actor, code: str, along: parts.Along
) -> Response[Any]:
    """A code that is on no label: an article's, of which returns are on their way, or nobody's."""
    found = await find_returns(db, actor, code) if eans(code) else []
    if not found:
        return await _station(request, db, actor, pages.unknown(code[:64]), status=404, along=along)
    return await _station(request, db, actor, pages.listed(code, found, []), along=along)


def _without_return(code: str, typed: str) -> parts.View | None:
    """What a scan shows that is no parcel's: nothing, a badge, a control code."""
    if not code and not typed:
        return parts.IDLE
    if is_badge(code) or is_badge(typed):
        return pages.ask_for_pin(badge_code(code if is_badge(code) else typed))
    if {code.upper(), typed.upper()} & set(Control):
        return pages.control_alone()
    return None


@post("/station/check-ins", guards=DOCK_STAFF, status_code=200)
async def check_in(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Close a parcel with what was counted; sent twice, it is counted once."""
    formats.zone.set(site(request).shop.timezone)
    sent = await form(request)
    view = await return_for(db, actor, sent.text("rma", limit=32))
    corrects = await parcel_for(db, actor, _id(sent, "corrects")) if sent.get("corrects") else None
    number = corrects.number if corrects else min(max(sent.number("parcel", default=1), 1), 99)
    try:
        said = await read_count(db, actor, view, sent, corrects)
        # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
        async with db.begin_nested():
            check_in_id = await _count_once(request, db, actor, view, sent, said, number)
    except (InvalidError, ConflictError) as error:
        return await _not_counted(request, db, actor, view, sent, number, error)
    return redirect(f"/station?done={check_in_id}")


async def _count_once(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    sent: Form,
    said: Said,
    number: int,
) -> str:
    """Check in, unless this very form was sent before (its answer may have been lost): then it is done already."""
    settings = site(request).settings
    around = structs.replace(said.around, warehouse=await counted_in(request, db, sent))

    async def work() -> tuple[int, object]:
        if sent.get("corrects"):
            before = _id(sent, "corrects")
            released = await refunds.correct(db, actor, settings, before, said.counts, around.note, around)
        else:
            released = await refunds.receive(db, actor, settings, view.rma, said.counts, number=number, around=around)
        return 303, {"id": str(released.check_in_id)}

    told = repr((sent.text("token", limit=64), view.rma, number, sorted(map(repr, said.counts))))
    key = hashlib.sha256(told.encode()).hexdigest() if sent.get("token") else None
    _status, answer, _repeated = await once(db, CALLER, f"form:{key}" if key else None, b"", work)
    return str(answer["id"])  # type: ignore[index]  # the answer that `work` gave


async def _not_counted(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    sent: Form,
    number: int,
    error: DomainError,
) -> Response[Any]:
    """Somebody was first: show what they counted. Else the form comes back as it was sent, with the reason."""
    view = await return_for(db, actor, view.rma)
    if error.code == "already_checked_in":
        parcels = await parcels_of(db, actor, view.id)
        first = next((parcel for parcel in parcels if parcel.number == number), None)
        if first is not None:
            await note_queued(db, actor, view.id, sent)
            shown = await counted.known(db, actor, view, parcels, first)
            return await _station(request, db, actor, shown, status=error.status)
    again = await pages.to_count(
        db,
        actor,
        view,
        number,
        typed=sent,
        corrects=await parcel_for(db, actor, _id(sent, "corrects")) if sent.get("corrects") else None,
        problem=translate(error.sentence, **error.values),
        # A parcel that was recognised elsewhere meanwhile is not this one: what was counted can be closed without it.
        along=parts.Along(sent.get("box", ""), "" if error.code == "found_already" else sent.get("found", "")),
    )
    return await _station(request, db, actor, again, status=error.status)


def _id(sent: Form, field: str) -> UUID:
    try:
        return UUID(sent.get(field, ""))
    except ValueError:
        raise NotFoundError(mark("There is no such check-in.")) from None


@post("/station/undo", guards=DOCK_STAFF, status_code=200)
async def undo(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Take a check-in back while its refund is not due, and open the parcel again."""
    sent = await form(request)
    check_in_id = _id(sent, "check_in")
    try:
        async with db.begin_nested():
            rma = await refunds.undo(db, actor, check_in_id)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
        return redirect(f"/station?done={check_in_id}")
    flash(request, _("Undone: {rma} counts as not arrived. Count it again.", rma=rma))
    return redirect(f"/station?code={rma}")


@post("/station/search", guards=DOCK_STAFF, status_code=200)
async def search(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Look for a return whose label cannot be read. By POST, since addresses of people stand in no URL."""
    formats.zone.set(site(request).shop.timezone)
    sent = await form(request)
    words = sent.text("words", limit=254)
    along = parts.Along(str(optional_id(sent, "box") or ""), str(optional_id(sent, "found") or ""))
    found = await find_returns(db, actor, words) if words else []
    orders = await find_orders(db, actor, words) if words else []
    return await _station(request, db, actor, pages.listed(words, found, orders), along=along)


routes: list[Any] = [
    scan,
    check_in,
    undo,
    search,
    *badges.routes,
    *controls.routes,
    *found_pages.routes,
    *goods.routes,
    *live.routes,
    *offline.routes,
    *photos.routes,
    *rules_page.routes,
    *where.routes,
]

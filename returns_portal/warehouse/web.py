"""The station: one field, a scanner, and what is in the parcel."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.i18n import _, mark, ngettext, translate
from returns_portal.refunds import actions as refunds
from returns_portal.returns.queries import ReturnView, order_state, return_for
from returns_portal.shop.queries import current
from returns_portal.warehouse.actions import MAX_NOTE
from returns_portal.warehouse.finding import find_returns
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.pages import station as pages
from returns_portal.warehouse.queries import parcel_for, parcels_of
from returns_portal.warehouse.rules import Counted
from returns_portal.web import Form, flash, form, formats, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]

DOCK_STAFF: Final = [requires_staff("warehouse", "support")]
_MOST: Final = 999
"""Units of one line in one condition."""


async def _station(
    request: AnyRequest, db: AsyncConnection, actor: Actor, view: pages.View, *, status: int = 200
) -> Response[Any]:
    shown = await pages.station(db, actor, await current(db), view)
    return page(
        request,
        "warehouse/station.html",
        status=status,
        station=shown,
        conditions=[(word.value, pages.condition_words(word)) for word in pages.CONDITIONS],
    )


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
) -> Response[Any]:
    """Answer a scan: `code` by the keys that were struck, `typed` by the letters that came of them."""
    formats.zone.set(site(request).shop.timezone)
    if done is not None:
        return await _station(request, db, actor, await pages.done(db, actor, done))
    if correct is not None:
        before = await parcel_for(db, actor, correct)
        view = await return_for(db, actor, before.rma)
        return await _station(request, db, actor, await pages.to_count(db, actor, view, before.number, corrects=before))
    if not code and not typed:
        return await _station(request, db, actor, pages.IDLE)
    found = await pages.find(db, actor, (code, typed))
    if found is None:
        return await _station(request, db, actor, pages.unknown((code or typed)[:64]), status=404)
    number = parcel if parcel is not None and 0 < parcel < 100 else None  # noqa: PLR2004 - as the API takes
    return await _station(request, db, actor, await pages.scanned(db, actor, found, number))


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
        counts = await _counts(db, actor, view, sent)
        # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
        async with db.begin_nested():
            check_in_id = await _count_once(request, db, actor, view, sent, counts, number)
    except InvalidError as error:
        again = await pages.to_count(
            db, actor, view, number, typed=sent, corrects=corrects, problem=translate(error.sentence, **error.values)
        )
        return await _station(request, db, actor, again, status=error.status)
    except ConflictError as error:
        return await _not_counted(request, db, actor, view, number, error)
    return redirect(f"/station?done={check_in_id}")


async def _count_once(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    sent: Form,
    counts: Sequence[Counted],
    number: int,
) -> str:
    """Check in, unless this very form was sent before (its answer may have been lost): then it is done already."""
    settings, note = site(request).settings, sent.get("note", "")[:MAX_NOTE]

    async def work() -> tuple[int, object]:
        if sent.get("corrects"):
            released = await refunds.correct(db, actor, settings, _id(sent, "corrects"), counts, note)
        else:
            released = await refunds.receive(db, actor, settings, view.rma, counts, number=number, note=note)
        return 303, {"id": str(released.check_in_id)}

    said = repr((sent.text("token", limit=64), view.rma, number, sorted(map(repr, counts))))
    key = hashlib.sha256(said.encode()).hexdigest() if sent.get("token") else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return str(answer["id"])  # type: ignore[index]  # the answer that `work` gave


async def _not_counted(
    request: AnyRequest, db: AsyncConnection, actor: Actor, view: ReturnView, number: int, error: DomainError
) -> Response[Any]:
    """Somebody was first: show what they counted. Or the count cannot be changed in this way (any more)."""
    view = await return_for(db, actor, view.rma)
    parcels = await parcels_of(db, actor, view.id)
    first = next((parcel for parcel in parcels if parcel.number == number), None)
    if error.code == "already_checked_in" and first is not None:
        return await _station(request, db, actor, pages.known(actor, view, parcels, first), status=error.status)
    state = pages.State("bad", _("Not changed"), translate(error.sentence, **error.values))
    return await _station(request, db, actor, pages.View(state), status=error.status)


async def _counts(db: AsyncConnection, actor: Actor, view: ReturnView, sent: Form) -> list[Counted]:
    """What the form says was found.

    Raises:
        InvalidError: a number is impossible, or nothing was counted and the parcel was not said to be empty.
    """
    order = await order_state(db, actor, view.order_number)
    counts = [
        Counted(line.line_id, _units(sent, pages.field_name(str(line.line_id), condition)), condition)
        for line in order.lines
        for condition in pages.CONDITIONS
    ]
    what = sent.get("else_what", "")[:200]
    if what:
        counts.append(Counted(None, max(1, _units(sent, "else_many")), Condition.WRONG_ITEM, what))
    counts = [count for count in counts if count.quantity]
    if not counts and not sent.get("empty"):
        raise InvalidError(mark("Nothing is counted yet. If the parcel is empty, say so."), code="nothing_counted")
    return counts


def _units(sent: Form, field: str) -> int:
    count = sent.number(field)
    if count > _MOST:
        raise InvalidError(mark("At most {most} of one kind."), most=_MOST)
    return count


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
    words = (await form(request)).text("words", limit=254)
    found = await find_returns(db, actor, words) if words else []
    title = ngettext("{n} return", "{n} returns", len(found)) if found else _("Nothing found")
    small = _("for “{words}”", words=words)
    if not found:
        small = _(
            "{what}. No return was filed, or the name is written in another way: put the parcel aside.", what=small
        )
    state = pages.State("wait" if found else "bad", title, small)
    return await _station(request, db, actor, pages.View(state, found=found))


routes: list[Any] = [scan, check_in, undo, search]

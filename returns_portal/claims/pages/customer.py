"""The customer's pages of claims: telling what is wrong, and following what becomes of it."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.claims import actions
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.pages.words import for_templates, told
from returns_portal.claims.queries import claim_for, open_units, photo_for, story_of
from returns_portal.claims.rules import MAX_WORDS, MOST_AT_ONCE, ClaimWish, last_day, left_of, refuse_late
from returns_portal.clock import now
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.i18n import _, ngettext
from returns_portal.photos import MAX_BYTES, Photo, rebuild
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import OrderState, order_state
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form_with_files, formats, page, redirect, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Errors = dict[str, str]

MAX_UPLOAD: Final = MOST_AT_ONCE * MAX_BYTES
"""Bytes of a form with photos. One that is too large is let in, so that the words beside it can be kept."""


@get("/claims/new/{number:path}")
async def tell_page(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """Ask which items, what is wrong with them, and what would put it right."""
    if is_stranger(actor):
        return to_the_door(request)
    return await _form(request, db, await order_state(db, actor, number_in_path(number)), Form({}), {})


async def _form(
    request: AnyRequest, db: AsyncConnection, order: OrderState, typed: Form, errors: Errors, status: int = 200
) -> Response[Any]:
    formats.zone.set(site(request).shop.timezone)
    zone, closed = (await current(db)).timezone, ""
    try:
        refuse_late(order, zone, now())
    except ConflictError as error:
        closed = sentence(error)
    taken = await open_units(db, order.id)
    lines = [(line, left_of(line, taken.get(line.line_id, 0))) for line in order.lines]
    if not closed and not any(left for _line, left in lines):
        closed = _("Nothing in this order can be claimed now.")
    return page(
        request,
        "claims/new.html",
        status=status,
        order=order,
        lines=lines,
        only=sum(1 for _line, left in lines if left) == 1,
        closed=closed,
        last=last_day(order.delivered_at, zone),
        typed=typed,
        chosen=set(typed.all("line")),
        errors=errors,
        most=MOST_AT_ONCE,
        max_words=MAX_WORDS,
        token=typed.get("token") or secrets.token_urlsafe(16),
        **for_templates(),
    )


@post("/claims/new/{number:path}", status_code=200, request_max_body_size=MAX_UPLOAD)
async def tell(request: AnyRequest, number: FromPath[PurePosixPath]) -> Response[Any]:
    """File the claim. A photo that cannot be read holds nothing up: it can be sent again on the claim's own page."""
    sent, files = await form_with_files(request, "photos", most=MAX_BYTES)
    async with asking(request) as (db, actor):
        if is_stranger(actor):
            return to_the_door(request)
        _require_support(actor)
        # Whose order it is is known before anything is made of a stranger's pictures.
        order = await order_state(db, actor, number_in_path(number))
        wish, errors = _wish(sent, order)
        if errors:
            return await _form(request, db, order, sent, errors, 422)
    photos, trouble = await _rebuilt(files)
    async with asking(request) as (db, actor):
        try:
            async with db.begin_nested():
                claim_id = await _file_once(db, actor, order.number, wish, photos, sent.text("token", limit=64))
        except (ConflictError, InvalidError) as error:
            problem = {error.field or "": sentence(error)}
            order = await order_state(db, actor, order.number)
            return await _form(request, db, order, sent, problem, error.status)
    if trouble:
        flash(request, _("We have it, but for a photo: {why} You can send it below.", why=trouble), "wait")
    else:
        flash(request, _("Thank you for telling us. We are sorry. We look at it and write to you."))
    return redirect(f"/claims/{claim_id}")


def _wish(sent: Form, order: OrderState) -> tuple[ClaimWish, Errors]:
    """What the form says, and what is wrong with it, by field."""
    errors: Errors = {}
    units: dict[UUID, int] = {}
    for line in order.lines:
        if str(line.line_id) in sent.all("line"):
            try:
                units[line.line_id] = sent.number(f"quantity-{line.line_id}", default=1)
            except InvalidError as error:
                errors["lines"] = sentence(error)
    if not units:
        errors["lines"] = _("Choose at least one item.")
    if sent.get("kind") not in set(Kind):
        errors["kind"] = _("Say what is wrong.")
    if sent.get("remedy") not in set(Remedy):
        errors["remedy"] = _("Say what you would like.")
    said = sent.get("said", "")
    if len(said) > MAX_WORDS:
        errors["said"] = _("This is longer than {limit} characters.", limit=MAX_WORDS)
    kind = Kind(sent["kind"]) if "kind" not in errors else Kind.FAULTY
    remedy = Remedy(sent["remedy"]) if "remedy" not in errors else Remedy.REFUND
    return ClaimWish(units=units, kind=kind, remedy=remedy, said=said), errors


async def _rebuilt(files: Sequence[bytes]) -> tuple[list[Photo], str]:
    """The photos of these files, in no transaction; and why one of them was left out."""
    photos, trouble = [], ""
    for data in files[:MOST_AT_ONCE]:
        try:
            photos.append(await rebuild(data))
        except InvalidError as error:
            trouble = sentence(error)
    if len(files) > MOST_AT_ONCE:
        trouble = _("At most {most} photos come at once.", most=MOST_AT_ONCE)
    return photos, trouble


async def _file_once(
    db: AsyncConnection, actor: Actor, number: str, wish: ClaimWish, photos: Sequence[Photo], token: str
) -> str:
    """File, unless this very form was sent before: then it is the claim of back then. Its id."""

    async def work() -> tuple[int, object]:
        return 303, {"id": str(await actions.file_claim(db, actor, await current(db), number, wish, photos))}

    # What was chosen is part of the key: a form that was changed after going back is another claim, no repetition.
    units = sorted(f"{line_id}×{count}" for line_id, count in wish.units.items())
    said = "\n".join(["claim", token, *units, wish.kind, wish.remedy])
    key = hashlib.sha256(said.encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return str(answer["id"])  # type: ignore[index]  # the answer that `work` gave


@get("/claims/{claim_id:uuid}")
async def show(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    claim_id: FromPath[UUID],
) -> Response[Any]:
    """One claim: what was told, what was decided, and what can be added."""
    if is_stranger(actor):
        return to_the_door(request)
    return await show_claim(request, db, actor, claim_id)


async def show_claim(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    claim_id: UUID,
    *,
    typed: Form | None = None,
    errors: Errors | None = None,
) -> Response[Any]:
    """The page of a claim; staff find their decision on it."""
    formats.zone.set(site(request).shop.timezone)
    claim = await claim_for(db, actor, claim_id)
    return page(
        request,
        "claims/show.html",
        status=422 if errors else 200,
        claim=claim,
        steps=told(claim, await story_of(db, claim.id)),
        typed=typed or Form({}),
        errors=errors or {},
        most=MOST_AT_ONCE,
        decides=actor.kind == "staff" and actor.has("support", "finance"),
        **for_templates(),
    )


@post("/claims/{claim_id:uuid}/photos", status_code=200, request_max_body_size=MAX_UPLOAD)
async def send_photos(request: AnyRequest, claim_id: FromPath[UUID]) -> Response[Any]:
    """Keep more photos."""
    _sent, files = await form_with_files(request, "photos", most=MAX_BYTES)
    async with asking(request) as (db, actor):
        if is_stranger(actor):
            return to_the_door(request)
        _require_support(actor)
        await claim_for(db, actor, claim_id)
    photos, trouble = await _rebuilt(files)
    if not files:
        trouble = _("Please choose a photo first.")
    try:
        if photos:
            async with asking(request) as (db, actor):
                await actions.add_photos(db, actor, claim_id, photos)
    except NotFoundError:
        raise
    except DomainError as error:
        trouble = sentence(error)
    if trouble:
        flash(request, trouble, "bad")
    else:
        flash(request, ngettext("The photo is kept.", "The {n} photos are kept.", len(photos)))
    return redirect(f"/claims/{claim_id}")


@get("/claims/{claim_id:uuid}/photos/{photo_id:uuid}", reads=True)
async def show_photo(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    claim_id: FromPath[UUID],
    photo_id: FromPath[UUID],
) -> Response[bytes]:
    """A photo, for the customer whose claim it is, and for those who decide it."""
    if actor.kind == "staff":
        actor.require("support", "finance", "warehouse")
    return Response(
        await photo_for(db, actor, claim_id, photo_id),
        media_type="image/jpeg",
        # It never changes, and is for this person's browser alone.
        headers={"Cache-Control": "private, max-age=86400, immutable"},
    )


@post("/claims/{claim_id:uuid}/withdrawal", status_code=200)
async def take_back(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    claim_id: FromPath[UUID],
) -> Response[Any]:
    """Take it back; sent twice, it is taken back all the same."""
    _require_support(actor)
    claim = await claim_for(db, actor, claim_id)
    try:
        async with db.begin_nested():
            await actions.withdraw(db, actor, claim.id)
    except ConflictError as error:
        if claim.standing != "withdrawn":
            flash(request, sentence(error), "bad")
    else:
        flash(request, _("You withdrew what you told us. You can tell us again at any time."))
    return redirect(f"/claims/{claim_id}")


def _require_support(actor: Actor) -> None:
    """Customers act for themselves; of the staff, only support acts for them."""
    if actor.kind == "staff":
        actor.require("support")


routes: list[Any] = [tell_page, tell, show, send_photos, show_photo, take_back]

"""Parcels without a name: keeping them, finding whose they are, and filing the return that nobody filed."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError
from returns_portal.finance.replies import attempt
from returns_portal.i18n import _, mark, translate
from returns_portal.photos import MAX_BYTES, Photo, rebuild
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import order_state
from returns_portal.shop.queries import current
from returns_portal.warehouse.found import FoundView, found_for, give_up, keep, nameless
from returns_portal.warehouse.pages.counting import optional_id
from returns_portal.warehouse.pictures import add_photo
from returns_portal.web import (
    Form,
    flash,
    form,
    form_with_file,
    formats,
    known_actor,
    page,
    page_after,
    redirect,
    requires_staff,
    site,
)

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

FOUND: Final = "/station/found"
_PAGE: Final = 50
workers = [requires_staff("warehouse", "support")]
_MAX_UPLOAD: Final = MAX_BYTES + 100_000


@get(FOUND, guards=workers)
async def found_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What nobody has named yet, and the form for one more."""
    return await _list(request, db, actor, {}, {})


async def _list(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    typed: Mapping[str, str],
    errors: dict[str, str],
) -> Response[Any]:
    formats.zone.set(site(request).shop.timezone)
    after = page_after(request)
    parcels = await nameless(db, actor, after=after, limit=_PAGE + 1)
    return page(
        request,
        "warehouse/found.html",
        status=422 if errors else 200,
        parcels=parcels[:_PAGE],
        next=f"{FOUND}?after={parcels[_PAGE - 1].id}" if len(parcels) > _PAGE else "",
        first=FOUND if after else "",
        typed=typed,
        errors=errors,
    )


@post(FOUND, guards=workers, status_code=200, request_max_body_size=_MAX_UPLOAD)
async def keep_parcel(request: AnyRequest) -> Response[Any]:
    """Keep a parcel that nobody can name. Its photo is rebuilt before the transaction begins."""
    actor = known_actor(request)
    sent, data = await form_with_file(request, "photo")
    try:
        shelf = _shelf(sent)
        photo: Photo | None = await rebuild(data) if data else None
        async with site(request).begin() as db:
            found_id = await keep(
                db,
                actor,
                shelf=shelf,
                description=sent.text("description", limit=500),
                sender=sent.text("sender", limit=500),
                codes=sent.text("codes").split(),
            )
            if photo is not None:
                await add_photo(db, actor, photo, found_id=found_id)
    except InvalidError as error:
        async with site(request).begin() as db:
            errors = {error.field or "shelf": translate(error.sentence, **error.values)}
            return await _list(request, db, actor, sent, errors)
    flash(request, _("It is kept, and counts from today. Whoever recognises it later finds it here."))
    return redirect(f"{FOUND}/{found_id}")


def _shelf(sent: Form) -> str:
    shelf = sent.text("shelf", limit=100)
    if not shelf:
        raise InvalidError(mark("Say where it lies, so that it is found again."), field="shelf")
    return shelf


@get(f"{FOUND}/{{found_id:uuid}}", guards=workers)
async def one_parcel(request: AnyRequest, db: Db, actor: By, found_id: FromPath[UUID]) -> Response[Any]:
    """One parcel without a name."""
    formats.zone.set(site(request).shop.timezone)
    return page(request, "warehouse/found_one.html", parcel=await found_for(db, actor, found_id))


@post(f"{FOUND}/{{found_id:uuid}}/closing", guards=workers)
async def close_parcel(request: AnyRequest, db: Db, actor: By, found_id: FromPath[UUID]) -> Redirect:
    """Take a parcel off the list that is no return of the shop's."""
    reason = (await form(request)).text("reason", limit=500)
    done = _("It is off the list. What became of it stays in the records.")
    here = f"{FOUND}/{found_id}"
    return await attempt(request, db, give_up, actor, found_id, reason, done=done, back=here)


@get("/station/return", guards=workers)
async def file_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Ask what of an order came back without a return."""
    return await _filing(request, db, actor, request.query_params, {})


async def _filing(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    typed: Mapping[str, str],
    errors: dict[str, str],
) -> Response[Any]:
    formats.zone.set(site(request).shop.timezone)
    order = await order_state(db, actor, typed.get("order", "")[:100])
    found = typed.get("found", "")
    return page(
        request,
        "warehouse/file_return.html",
        status=422 if errors else 200,
        order=order,
        found=found if found.replace("-", "").isalnum() else "",
        typed={name: typed[name] for name in typed},
        errors=errors,
    )


@post("/station/return", guards=workers, status_code=200)
async def file_return(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """File the return that the customer did not, as on the day the parcel came; and count it."""
    sent = await form(request)
    found_id = optional_id(sent, "found")
    try:
        parcel = await found_for(db, actor, found_id) if found_id else None
        async with db.begin_nested():
            rma = await _file(request, db, actor, sent, parcel)
    except InvalidError as error:
        return await _filing(request, db, actor, sent, {"": translate(error.sentence, **error.values)})
    except DomainError as error:
        if not sent.get("order"):
            raise
        return await _filing(request, db, actor, sent, {"": translate(error.sentence, **error.values)})
    flash(request, _("The return {rma} is filed. Now count what is in the parcel.", rma=rma))
    return redirect(f"/station?code={rma}" + (f"&found={found_id}" if found_id else ""))


async def _file(request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, parcel: FoundView | None) -> str:
    order = await order_state(db, actor, sent.text("order", limit=100))
    units = {line.line_id: sent.number(f"units-{line.line_id}") for line in order.lines}
    wanted = [Wanted(line_id, number) for line_id, number in units.items() if number]
    filed = await file(
        db,
        actor,
        site(request).settings,
        await current(db),
        order.number,
        wanted,
        RefundTo.ORIGINAL,
        came_at=parcel.found_at if parcel else None,
    )
    return filed.rma


routes: list[Any] = [found_page, keep_parcel, one_parcel, close_parcel, file_page, file_return]

"""The customer's page for having a parcel fetched."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import _, translate
from returns_portal.labels import pickups, words
from returns_portal.returns.queries import return_for
from returns_portal.web import Form, flash, form, formats, page, redirect, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Rma = FromPath[str]


@get("/returns/{rma:str}/pickup")
async def pickup_page(request: AnyRequest, db: Db, actor: By, rma: Rma) -> Response[Any]:
    """Choose when, and say where; or what is planned already."""
    return await _show(request, db, actor, rma)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    rma: str,
    *,
    typed: Form | None = None,
    wrong: str = "",
    sentence: str = "",
) -> Response[Any]:
    view = await return_for(db, actor, rma)
    zone = site(request).shop.timezone
    formats.zone.set(zone)
    address = {name: view.address.get(name) or "" for name in ("line1", "city", "postal_code")}
    return page(
        request,
        "labels/pickup.html",
        status=422 if wrong else 200,
        rma=view.rma,
        planned=await pickups.live_pickup(db, view.id),
        offered=await pickups.offered(db, view.id),
        windows=[
            (window.begins.isoformat(), words.between(window.begins, window.ends))
            for window in pickups.windows(clock.now(), zone)
        ],
        typed=typed if typed is not None else address,
        chosen=typed.get("window", "") if typed is not None else "",
        errors={wrong: sentence} if wrong else {},
        words=words.FOR_TEMPLATES,
    )


@post("/returns/{rma:str}/pickup", status_code=200)
async def request_pickup(request: AnyRequest, db: Db, actor: By, rma: Rma) -> Response[Any]:
    """Ask for somebody to come."""
    if actor.kind == "staff":
        actor.require("support")
    sent = await form(request)
    view = await return_for(db, actor, rma)
    address = {**sent, "country": view.address.get("country") or ""}
    try:
        async with db.begin_nested():
            await pickups.request(db, actor, view.rma, _moment(sent), address)
    except InvalidError as error:
        sentence = translate(error.sentence, **error.values)
        return await _show(request, db, actor, rma, typed=sent, wrong=error.field or "", sentence=sentence)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, _("Thank you. We write to you who comes, and when."))
    return redirect(f"/returns/{view.rma}/pickup")


def _moment(sent: Form) -> datetime:
    """The beginning of the window that was chosen; a moment that is offered by nobody where it is none."""
    try:
        chosen = datetime.fromisoformat(sent.get("window", ""))
    except ValueError:
        return clock.now()
    return chosen if chosen.tzinfo else clock.now()


@post("/returns/{rma:str}/pickup/cancellation", status_code=200)
async def cancel_pickup(request: AnyRequest, db: Db, actor: By, rma: Rma) -> Redirect:
    """Call it off."""
    if actor.kind == "staff":
        actor.require("support")
    try:
        async with db.begin_nested():
            await pickups.cancel(db, actor, rma)
    except ConflictError as error:
        flash(request, translate(error.sentence, **error.values), "bad")
    else:
        flash(request, _("Called off. Your label stays valid: hand the parcel in whenever it suits you."))
    return redirect(f"/returns/{rma}/pickup")


routes: list[Any] = [pickup_page, request_pickup, cancel_pickup]

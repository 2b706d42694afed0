"""Several orders in one parcel: what is in it, what else goes in, and the way from one order to the other."""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.arrivals import leave_session
from returns_portal.accounts.doors import come_in
from returns_portal.accounts.rules import CUSTOMER_SESSION
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError
from returns_portal.i18n import _
from returns_portal.labels.together import own_parcel
from returns_portal.returns.door import is_stranger, require_support, speak_local, to_the_door
from returns_portal.returns.pages.parcel import parcel_page
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import return_for
from returns_portal.returns.together import Sibling, knows_other_orders, sibling
from returns_portal.web import flash, form, page, redirect
from returns_portal.web.signing import SESSION_COOKIE, cookie

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]


@get("/returns/{rma:str}/parcel")
async def show_parcel(request: AnyRequest, db: Db, actor: By, rma: FromPath[str]) -> Response[Any]:
    """What travels in the parcel of a return, and what can be put in; who may not know that sees the return."""
    if is_stranger(actor):
        return to_the_door(request)
    view = await return_for(db, actor, rma)
    if not knows_other_orders(actor) or view.gift_id is not None:
        return redirect(f"/returns/{view.rma}")
    speak_local(request)
    return page(request, "returns/parcel.html", page=await parcel_page(db, actor, view))


@post("/returns/{rma:str}/parcel/order", status_code=200)
async def add_order(request: AnyRequest, db: Db, actor: By, rma: FromPath[str]) -> Response[Any]:
    """Go over to another order of the same person, to file what of it goes into this parcel."""
    view = await return_for(db, actor, rma)
    wanted = (await form(request)).text("order", limit=64)
    order = await sibling(db, actor, view.order_id, number=wanted)
    leading = view.in_parcel_of or view.rma
    return await _go_over(request, db, actor, order, f"/orders/{quote(order.number, safe='')}?in_parcel_of={leading}")


@post("/returns/{rma:str}/parcel/return", status_code=200)
async def open_return(request: AnyRequest, db: Db, actor: By, rma: FromPath[str]) -> Response[Any]:
    """Go over to another return in the parcel: the one with the label, say."""
    view = await return_for(db, actor, rma)
    wanted = (await form(request)).text("rma", limit=32)
    order = await sibling(db, actor, view.order_id, rma=wanted)
    return await _go_over(request, db, actor, order, f"/returns/{quote(wanted, safe='')}")


async def _go_over(request: AnyRequest, db: AsyncConnection, actor: Actor, order: Sibling, path: str) -> Response[Any]:
    """A customer's session is for one order at a time; staff see them all."""
    answer = redirect(path)
    if actor.kind == "customer" and actor.order_id != order.id:
        await leave_session(request, db)
        token = await come_in(db, order.id, by="parcel")
        answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    return answer


@post("/returns/{rma:str}/parcel/own", status_code=200)
async def take_out(request: AnyRequest, db: Db, actor: By, rma: FromPath[str]) -> Response[Any]:
    """Give a return a parcel of its own; a double click gives it one."""
    require_support(actor)
    view = await return_for(db, actor, rma)
    try:
        async with db.begin_nested():
            await own_parcel(db, actor, view.rma)
    except ConflictError as error:
        flash(request, sentence(error), "bad")
    else:
        flash(request, _("It has a parcel of its own now. This page says how to send it."))
    return redirect(f"/returns/{view.rma}")


routes: list[Any] = [show_parcel, add_order, open_return, take_out]

"""Coming in without an order number: the list of one's orders by e-mail, and the links in it."""

import asyncio
import time
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.arrivals import browser_of, leave_session
from returns_portal.accounts.doors import come_in, go_through, number_behind, own_orders, send_orders
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import CUSTOMER_SESSION, email_key, is_email
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.web import client_network, flash, form, page, redirect, site
from returns_portal.web.signing import SESSION_COOKIE, cookie, derive

AnyRequest = Request[Any, Any, State]

_EVEN_SECONDS: Final = 0.25
"""How long an answer takes at least: longer than the work, whether or not the address has orders."""
_MAX_EMAIL: Final = 254
_MAX_TOKEN: Final = 400


@get("/my-orders", include_in_schema=False)
async def forgotten(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """List the orders of who has proven their address; else ask for the address, to which the list goes."""
    orders = await own_orders(db, actor)
    if orders:
        return page(request, "accounts/orders.html", orders=orders, here=actor.order_id)
    return page(request, "accounts/forgotten.html", typed={}, errors={})


@post("/my-orders/open", include_in_schema=False)
async def open_other(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Go over to another order of the same address: a session is for one order at a time."""
    wanted = (await form(request)).get("order", "")
    for order in await own_orders(db, actor):
        if str(order.id) == wanted:
            await leave_session(request, db)
            answer = redirect(f"/orders/{quote(order.number, safe='')}")
            token = await come_in(db, order.id, by="list")
            answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
            return answer
    flash(request, _("Please tell us first which order is yours."), "wait")
    return redirect("/my-orders")


@post("/my-orders", include_in_schema=False)
async def send_list(request: AnyRequest) -> Response[Any]:
    """Send the list. The answer, and its time, are the same where the address has no orders."""
    began = time.monotonic()
    sent = await form(request)
    email = sent.text("email")
    if not is_email(email) or len(email) > _MAX_EMAIL:
        errors = {"email": _("Please give the e-mail address that you ordered with.")}
        return page(request, "accounts/forgotten.html", status=422, typed=sent, errors=errors)
    here, secret = site(request), derive(site(request).secret, "access")
    await hit(
        here.begin,
        Limit(bucket(secret, "list:client", client_network(request.scope)), times=20, seconds=600),
        Limit(bucket(secret, "list:email", email_key(email)), times=3, seconds=600),
        Limit(bucket(secret, "list:all"), times=1000, seconds=600),
    )
    async with here.begin() as db:
        await send_orders(db, here.settings, here.secret, email)
    # The pause is taken outside of any transaction: only the customer waits, no connection does.
    await asyncio.sleep(max(0.0, began + _EVEN_SECONDS - time.monotonic()))
    flash(request, _("If there are orders with this address, the list of them is on its way to it."), "wait")
    return redirect("/my-orders")


@get("/in/{token:str}", include_in_schema=False)
async def show_door(request: AnyRequest, actor: NamedDependency[Actor], token: FromPath[str]) -> Response[Any]:
    """Show what the link opens. Opening takes a click, since programs that look for harm follow every link."""
    del actor
    async with site(request).begin() as db:
        found = await number_behind(db, site(request).secret, token[:_MAX_TOKEN])
    if found is None:
        return _too_old(request)
    return page(request, "accounts/door.html", number=found[1], token=token)


@post("/in", include_in_schema=False)
async def open_door(request: AnyRequest) -> Response[Any]:
    """Let the customer in."""
    here = site(request)
    typed = (await form(request)).get("token", "")[:_MAX_TOKEN]
    async with here.begin() as db:
        found = await number_behind(db, here.secret, typed)
        if found is None:
            return _too_old(request)
        token = await go_through(db, typed, found[0], browser=browser_of(request))
        if token is None:
            return _used(request)
        await leave_session(request, db)
    answer = redirect(f"/orders/{quote(found[1], safe='')}")
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    return answer


def _too_old(request: AnyRequest) -> Response[Any]:
    flash(request, _("This link is not valid any more. Ask for a new list, or come in with your order number."), "wait")
    return redirect("/my-orders")


def _used(request: AnyRequest) -> Response[Any]:
    flash(request, _("This link was used already. Ask for a new list, or come in with your order number."), "wait")
    return redirect("/my-orders")


routes: list[Any] = [forgotten, open_other, send_list, show_door, open_door]

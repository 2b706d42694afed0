"""Coming in without an order number: the list of one's orders by e-mail, and the links in it."""

import asyncio
import time
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath

from returns_portal.accounts.actions import end_session
from returns_portal.accounts.doors import come_in, number_behind, send_orders
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
async def forgotten(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask for the e-mail address, to which the list of orders goes."""
    del actor  # Asked for so that the page's header knows who is there.
    return page(request, "accounts/forgotten.html", typed={}, errors={})


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
    sent = await form(request)
    async with here.begin() as db:
        found = await number_behind(db, here.secret, sent.get("token", "")[:_MAX_TOKEN])
        if found is None:
            return _too_old(request)
        if before := request.cookies.get(SESSION_COOKIE):
            await end_session(db, before)
        token = await come_in(db, found[0])
    answer = redirect(f"/orders/{quote(found[1], safe='')}")
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    return answer


def _too_old(request: AnyRequest) -> Response[Any]:
    flash(request, _("This link is not valid any more. Ask for a new list, or come in with your order number."), "wait")
    return redirect("/my-orders")


routes: list[Any] = [forgotten, send_list, show_door, open_door]

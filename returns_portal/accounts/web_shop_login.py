"""Coming in from the shop, where one is signed in already: the shop's signed token, and the way back."""

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency

from returns_portal.accounts.arrivals import browser_of, leave_session
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import CUSTOMER_SESSION
from returns_portal.accounts.shop_login import MAX_TOKEN, Visitor, let_in, visitor
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.web import client_network, flash, page, redirect, site
from returns_portal.web.pages import SHOP_COOKIE, shop_key
from returns_portal.web.signing import SESSION_COOKIE, cookie, derive, forget, seal, unseal

AnyRequest = Request[Any, Any, State]

ARRIVAL_COOKIE: Final = "__Host-arrival"
"""Carries the shop's token from its address to the page that asks for a click, sealed: it names an e-mail address, and
should stand in no address for longer than it must."""
_WAITS: Final = timedelta(minutes=10)


@get("/in", include_in_schema=False)
async def arrive(request: AnyRequest) -> Response[Any]:
    """Take the token out of the address. It opens nothing yet: programs that look for harm follow every link."""
    token = request.query_params.get("token", "")
    if _visitor(request, token) is None:
        return _refused(request)
    answer = redirect("/in/shop")
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.set_cookie(cookie(ARRIVAL_COOKIE, seal(_key(request), token, lasting=_WAITS), lasting=_WAITS))
    return answer


@get("/in/shop", include_in_schema=False)
async def show(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask for the one click that opens the orders."""
    del actor  # Asked for so that the page's header knows who is there.
    whom = _brought(request)
    return page(request, "accounts/from_shop.html", back=whom.return_url) if whom else _refused(request)


@post("/in/shop", include_in_schema=False)
async def come_in(request: AnyRequest) -> Response[Any]:
    """Let in whom the shop has signed, once."""
    here, whom = site(request), _brought(request)
    if whom is None:
        return _refused(request)
    network = bucket(_key(request), "shop-login:client", client_network(request.scope))
    await hit(here.begin, Limit(network, times=60, seconds=600))
    async with here.begin() as db:
        opened = await let_in(db, whom, browser=browser_of(request))
        if opened is not None:
            await leave_session(request, db)
    if opened is None:
        return _none(request, whom)
    order, token = opened
    named = whom.order.upper() == order.number.upper()
    answer = redirect(f"/orders/{quote(order.number, safe='')}" if named else "/my-orders")
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    answer.set_cookie(_way_back(request, whom))
    # The token stays until it is too old: a double click sends it twice, and is let in twice.
    return answer


def _way_back(request: AnyRequest, whom: Visitor) -> Any:  # noqa: ANN401 - a cookie
    if not whom.return_url:
        return forget(SHOP_COOKIE)
    key = shop_key(site(request).secret)
    return cookie(SHOP_COOKIE, seal(key, whom.return_url, lasting=CUSTOMER_SESSION), lasting=CUSTOMER_SESSION)


def _visitor(request: AnyRequest, token: str) -> Visitor | None:
    settings = site(request).settings
    # Refused by its length before anything is decoded; a cookie would not hold it either.
    return visitor(settings.login_secrets, settings.shop_origins, token) if len(token) <= MAX_TOKEN else None


def _brought(request: AnyRequest) -> Visitor | None:
    token = unseal(_key(request), request.cookies.get(ARRIVAL_COOKIE, ""))
    return _visitor(request, token) if isinstance(token, str) else None


def _key(request: AnyRequest) -> bytes:
    return derive(site(request).secret, "arrival")


def _refused(request: AnyRequest) -> Response[Any]:
    said = _("This way in is not valid any more. Go back to the shop, or come in with your order number.")
    flash(request, said, "wait")
    return redirect("/")


def _none(request: AnyRequest, whom: Visitor) -> Response[Any]:
    """There is no order to open, or the token was used: which of the two is not told apart by the answer."""
    return page(request, "accounts/from_shop_none.html", status=404, back=whom.return_url)


routes: list[Any] = [arrive, show, come_in]

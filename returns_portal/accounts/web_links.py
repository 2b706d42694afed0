"""Links that show an order and change nothing, and how who came by one proves that they may."""

from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts import actions
from returns_portal.accounts.arrivals import (
    ACCESS_COOKIE,
    CODE_MINUTES,
    access_key,
    asked_for,
    asking_cookie,
    leave_session,
)
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.pages import receivers
from returns_portal.accounts.pages.ways import Whose, whose_at
from returns_portal.accounts.rules import CUSTOMER_SESSION, new_view_token
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.web import Form, Site, client_network, flash, form, local_path, page, redirect, site
from returns_portal.web.csrf import MAX_FORM
from returns_portal.web.links import viewed
from returns_portal.web.signing import SESSION_COOKIE, cookie, forget
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

_MAX_PATH: Final = 2000
_NOINDEX: Final = {"X-Robots-Tag": "noindex, nofollow"}


@get("/v/{token:str}", include_in_schema=False)
async def follow(request: AnyRequest, db: Db, actor: By, token: FromPath[str]) -> Response[Any]:
    """Show what an e-mail's link leads to. Who is in already, and sees more, goes there as who they are."""
    target = viewed(site(request).settings, token)
    found = await whose_at(db, target) if target else None
    if target is None:
        return _too_old(request)
    if found is None and target.startswith("/questions/"):
        # Who asked without an order has nothing but this link to come by; it shows their question alone.
        return redirect(f"/questions/link/{token}")
    if found is None or actor.kind == "staff" or (actor.order_id, actor.gift_id) == (found.order_id, found.gift_id):
        return redirect(target)
    if (actor.order_id or actor.gift_id) is not None and not actor.views_only:
        # They came in for another order, or another gift: they are asked before they leave it.
        return page(request, "accounts/shown.html", number=found.number, token=token)
    return await _shown(request, db, target, found)


@post("/v", include_in_schema=False, onlookers=True)
async def leave_and_follow(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Leave the order or the gift that somebody is in for, and show what the link leads to."""
    del actor
    target = viewed(site(request).settings, (await form(request)).get("token", ""))
    found = await whose_at(db, target) if target else None
    if target is None or found is None:
        return _too_old(request)
    return await _shown(request, db, target, found)


async def _shown(request: AnyRequest, db: AsyncConnection, target: str, found: Whose) -> Response[Any]:
    await leave_session(request, db)
    token = await actions.open_session(
        db, lasting=CUSTOMER_SESSION, order_id=found.order_id, gift_id=found.gift_id, token=new_view_token()
    )
    answer = redirect(target)
    answer.headers.update(_NOINDEX)
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    return answer


def _too_old(request: AnyRequest) -> Response[Any]:
    flash(request, _("This link is not valid any more. Please tell us which order is yours."), "wait")
    return redirect("/")


@post("/access/confirm", include_in_schema=False, status_code=200, onlookers=True)
async def send_code(request: AnyRequest) -> Response[Any]:
    """Send a code to whose order, or gift, is shown; what they typed elsewhere comes along."""
    here, secret, sent = site(request), access_key(site(request)), await form(request)
    to, kept = _carried(sent)
    async with asking(request) as (_db, actor):
        order_id = actor.order_id
    if order_id is None and actor.gift_id is None:
        flash(request, _("Please tell us first which order is yours."), "wait")
        return redirect("/")
    if not actor.views_only:
        return _go_on(request, to, kept)
    await hit(
        here.begin,
        Limit(bucket(secret, "code:client", client_network(request.scope)), times=30, seconds=600),
        Limit(bucket(secret, "code:order", str(order_id or actor.gift_id)), times=5, seconds=600),
        Limit(bucket(secret, "code:all"), times=3000, seconds=600),
    )
    answer = page(request, "accounts/confirm_code.html", to=to, kept=kept, errors={}, minutes=CODE_MINUTES)
    async with here.begin() as db:
        if order_id is None:
            await receivers.send_code(here, db, actor)
        else:
            answer.set_cookie(asking_cookie(here, await actions.request_code_for(db, secret, order_id), ""))
    return answer


@post("/access/confirm/code", include_in_schema=False, status_code=200, onlookers=True)
async def confirm(request: AnyRequest, actor: By) -> Response[Any]:
    """Let them act on the order, or the gift, and lead back to what they wanted to do."""
    here, secret, sent = site(request), access_key(site(request)), await form(request)
    to, kept = _carried(sent)
    asked = asked_for(request)
    if asked is None and actor.gift_id is None:
        errors = {"": _("That took longer than the code lasts. Please ask for a new one.")}
        return page(request, "accounts/confirm.html", status=422, to=to, kept=kept, errors=errors)
    await hit(here.begin, Limit(bucket(secret, "try:client", client_network(request.scope)), times=60, seconds=600))
    async with here.begin() as db:
        token = await _opened(here, db, actor, asked, sent.text("code", limit=20))
        if token is not None:
            await leave_session(request, db)
    if token is None:
        wrong = _("This code does not fit, or is not valid any more. The newest e-mail has the code that counts.")
        return page(
            request,
            "accounts/confirm_code.html",
            status=422,
            to=to,
            kept=kept,
            errors={"code": wrong},
            minutes=CODE_MINUTES,
        )
    answer = _go_on(request, to, kept)
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    answer.set_cookie(forget(ACCESS_COOKIE))
    return answer


async def _opened(
    here: Site, db: AsyncConnection, actor: Actor, asked: tuple[bytes, str] | None, typed: str
) -> str | None:
    """The token of the session that a code opens: of the gift that is shown, else of the order that was asked for."""
    if actor.gift_id is not None:
        return await receivers.prove(here, db, actor, typed)
    opened = await actions.redeem_code(db, access_key(here), asked[0], typed) if asked else None
    return opened[0] if opened else None


def _go_on(request: AnyRequest, to: str, kept: str) -> Response[Any]:
    """Back to the page; or, where something had been typed, to one button that sends it."""
    if not kept:
        return redirect(to)
    fields = [{"name": name, "value": value} for name, value in parse_qsl(kept, keep_blank_values=True)]
    return page(request, "accounts/confirmed.html", to=to, fields=fields)


def _carried(sent: Form) -> tuple[str, str]:
    """Where the form was going, and what it holds; both come from the reader's own browser and go back there."""
    to = local_path(sent.text("to", limit=_MAX_PATH), otherwise="/")
    return to, sent.text("kept", limit=MAX_FORM)


routes: list[Any] = [follow, leave_and_follow, send_code, confirm]

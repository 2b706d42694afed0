"""The doors: the landing page, the customer's code, and the sign-in of staff."""

import asyncio
import time
from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
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
from returns_portal.accounts.pages.ways import whose_at
from returns_portal.accounts.rules import (
    CUSTOMER_SESSION,
    LED_BACK,
    STAFF_SESSION,
    challenge_for,
    email_key,
    is_email,
    landing_page,
    order_number,
)
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.ids import parse_trial_number
from returns_portal.web import Form, client_network, flash, form, local_path, page, redirect, site
from returns_portal.web.signing import SESSION_COOKIE, cookie, forget

AnyRequest = Request[Any, Any, State]

_EVEN_SECONDS: Final = 0.25
"""How long the answer to an order number takes at least: longer than the work, whether or not the order exists."""

_MAX_NUMBER: Final = 64
_MAX_EMAIL: Final = 254
_MAX_PATH: Final = 200


@get("/", include_in_schema=False)
async def landing(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask for the order; somebody who has come in already is offered to go on.

    The code on a packing slip leads here with the number of its order: it proves the parcel, and not the person.
    """
    target = _return_path(request.query_params.get("next", ""))
    number = order_number(request.query_params.get("order", "").replace("\x00", ""))[:_MAX_NUMBER]
    if trial := parse_trial_number(number):
        number, target = trial, target or f"/trials/{trial}"
    typed = {"number": number} if number else {}
    return page(request, "accounts/landing.html", typed=typed, errors={}, order=_own_order(actor), next=target)


def _own_order(actor: Actor) -> str:
    return quote(actor.name, safe="") if actor.kind == "customer" and actor.order_id else ""


@post("/access", include_in_schema=False)
async def ask_for_code(request: AnyRequest) -> Response[Any]:
    """Send a code to the order's e-mail. The answer, and its time, are the same when there is no such order."""
    began = time.monotonic()
    sent = await form(request)
    number, email, target = sent.text("number"), sent.text("email"), _return_path(sent.get("next", ""))
    errors = _access_errors(number, email)
    if errors:
        return page(request, "accounts/landing.html", status=422, typed=sent, errors=errors, order="", next=target)
    here, secret = site(request), access_key(site(request))
    challenge = challenge_for(number, email)
    await hit(
        here.begin,
        Limit(bucket(secret, "code:client", client_network(request.scope)), times=30, seconds=600),
        Limit(bucket(secret, "code:order", challenge.hex()), times=5, seconds=600),
        Limit(bucket(secret, "code:all"), times=3000, seconds=600),
    )
    async with here.begin() as db:
        await actions.request_code(db, secret, number, email)
    # The pause is taken outside of any transaction: only the customer waits, no connection does.
    await asyncio.sleep(max(0.0, began + _EVEN_SECONDS - time.monotonic()))
    answer = redirect("/access/code")
    answer.set_cookie(asking_cookie(here, challenge, target))
    return answer


def _access_errors(number: str, email: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not 0 < len(order_number(number)) <= _MAX_NUMBER:
        errors["number"] = _("Please give the order number. It stands in your confirmation e-mail.")
    if not is_email(email) or len(email) > _MAX_EMAIL:
        errors["email"] = _("Please give the e-mail address that you ordered with.")
    return errors


@get("/access/code", include_in_schema=False)
async def code_page(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask for the code that was e-mailed."""
    del actor  # Asked for so that the page's header knows who is there.
    if asked_for(request) is None:
        return redirect("/")
    return page(request, "accounts/code.html", errors={}, minutes=CODE_MINUTES)


@post("/access/code", include_in_schema=False)
async def come_in(request: AnyRequest) -> Response[Any]:
    """Let the customer in to the one order that the code was sent for."""
    here, secret = site(request), access_key(site(request))
    asked = asked_for(request)
    if asked is None:
        flash(request, _("That took longer than the code lasts. Please ask for a new one."), "wait")
        return redirect("/")
    challenge, target = asked
    sent = await form(request)
    await hit(here.begin, Limit(bucket(secret, "try:client", client_network(request.scope)), times=60, seconds=600))
    async with here.begin() as db:
        opened = await actions.redeem_code(db, secret, challenge, sent.text("code", limit=20))
        if opened is not None:
            await leave_session(request, db)
            way_on = await _way_on(db, target, opened[1])
    if opened is None:
        wrong = _("This code does not fit, or is not valid any more. The newest e-mail has the code that counts.")
        return page(request, "accounts/code.html", status=422, errors={"code": wrong}, minutes=CODE_MINUTES)
    answer = redirect(way_on)
    answer.set_cookie(cookie(SESSION_COOKIE, opened[0], lasting=CUSTOMER_SESSION))
    answer.set_cookie(forget(ACCESS_COOKIE))
    return answer


def _return_path(path: str) -> str:
    """A page of a return, a refund, a claim or the like, short enough for a cookie; empty for others."""
    ours = path.startswith(LED_BACK) and len(path) <= _MAX_PATH
    return local_path(path, otherwise="") if ours else ""


async def _way_on(db: AsyncConnection, target: str, number: str) -> str:
    """Where a customer goes on: to what they came here for, if it is of this order, else to the order."""
    whose = await whose_at(db, target) if target else None
    if urlsplit(target).path == "/returns" or (whose is not None and whose.number == number):
        return target
    return f"/orders/{quote(number, safe='')}"


@get("/sign-in", include_in_schema=False)
async def sign_in_page(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask staff for e-mail and password; who is signed in already goes on."""
    target = _target(request.query_params.get("next", ""))
    if actor.kind == "staff":
        return redirect(target or landing_page(actor.grants))
    return page(request, "accounts/sign_in.html", typed={}, errors={}, next=target)


@post("/sign-in", include_in_schema=False)
async def sign_in(request: AnyRequest) -> Response[Any]:
    """Sign a member of staff in, and send them where they wanted to go, or where their role begins."""
    sent = await form(request)
    email = sent.text("email", limit=_MAX_EMAIL)
    here, secret = site(request), access_key(site(request))
    await hit(
        here.begin,
        Limit(bucket(secret, "sign-in:client", client_network(request.scope)), times=60, seconds=600),
        # By address and network together, so that a stranger who knows an address cannot lock its owner out.
        Limit(
            bucket(secret, "sign-in:both", f"{email_key(email)} {client_network(request.scope)}"), times=10, seconds=600
        ),
        Limit(bucket(secret, "sign-in:email", email_key(email)), times=500, seconds=600),
    )
    async with here.begin() as db:
        opened = await actions.sign_in(db, email, _password(sent))
        if opened is not None:
            await leave_session(request, db)
    target = _target(sent.text("next"))
    if opened is None:
        errors = {"password": _("E-mail and password do not fit together. Nothing else is wrong; please try again.")}
        return page(request, "accounts/sign_in.html", status=422, typed={"email": email}, errors=errors, next=target)
    token, actor = opened
    answer = redirect(target or landing_page(actor.grants))
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=STAFF_SESSION))
    return answer


def _password(sent: Form) -> str:
    return sent.text("password", limit=1000)


def _target(path: str) -> str:
    return local_path(path, otherwise="")


@post("/sign-out", include_in_schema=False, onlookers=True)
async def sign_out(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """End the session, of staff or of a customer."""
    await leave_session(request, db)
    flash(request, _("You are signed out."))
    answer = redirect("/sign-in" if actor.kind == "staff" else "/")
    answer.set_cookie(forget(SESSION_COOKIE))
    return answer


routes: list[Any] = [landing, ask_for_code, code_page, come_in, sign_in_page, sign_in, sign_out]

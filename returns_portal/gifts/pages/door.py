"""The receiver's way in: what they know of the gift, and a code to their own address; and the giver's code for it."""

import asyncio
import time
from pathlib import PurePosixPath
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.actions import end_session
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import CODE_LASTS, CUSTOMER_SESSION, is_email, number_in_path
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.gifts import actions, arriving
from returns_portal.gifts.arriving import Clue
from returns_portal.i18n import _, translate
from returns_portal.ids import parse_gift_code
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.returns.queries import OrderState, order_state
from returns_portal.web import client_network, flash, form, page, redirect, site
from returns_portal.web.signing import SESSION_COOKIE, cookie, derive, forget, seal, unseal

AnyRequest = Request[Any, Any, State]

GIFT_COOKIE: Final = "__Host-gift"
"""Carries the challenge and the receiver's address from the first form to the code, sealed."""
_EVEN_SECONDS: Final = 0.25
"""How long the answer takes at least: longer than the work, whether or not there is such an order."""
_MOST: Final = {"code": 32, "number": 64, "postcode": 20, "email": 254}


@get("/gift")
async def gift_page(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask what the receiver knows of the gift; whoever has come in already goes on."""
    if actor.views_only and actor.gift_id:
        # What lies in a mailbox for long shows where a return stands, and neither their address nor a form.
        return page(request, "accounts/confirm.html", to="/gift/items", kept="", errors={})
    if actor.gift_id:
        return redirect("/gift/items")
    typed = {"code": request.query_params.get("code", "")[: _MOST["code"]]}
    return page(request, "gifts/door.html", typed=typed, errors={})


@post("/gift", status_code=200)
async def ask_for_code(request: AnyRequest) -> Response[Any]:
    """Send a code to the receiver's address. The answer, and its time, are the same when there is no such order."""
    began = time.monotonic()
    sent = await form(request)
    typed = {name: sent.text(name, limit=limit) for name, limit in _MOST.items()}
    if errors := _errors(typed):
        return page(request, "gifts/door.html", status=422, typed=typed, errors=errors)
    clue = Clue(typed["code"], typed["number"], typed["postcode"])
    here = site(request)
    secret = derive(here.secret, "gift")
    await hit(
        here.begin,
        # By what is guessed, and not with the address: who guesses names a new one each time.
        Limit(bucket(secret, "gift:clue", clue.words if parse_gift_code(clue.code) else clue.order), 10, 600),
        Limit(bucket(secret, "gift:client", client_network(request.scope)), times=20, seconds=600),
        Limit(bucket(secret, "gift:email", typed["email"].lower()), times=5, seconds=600),
        Limit(bucket(secret, "gift:all"), times=1000, seconds=600),
    )
    async with here.begin() as db:
        challenge = await arriving.request_code(db, secret, clue, typed["email"], i18n.current())
    # The pause is taken outside of any transaction: only the receiver waits, no connection does.
    await asyncio.sleep(max(0.0, began + _EVEN_SECONDS - time.monotonic()))
    answer = redirect("/gift/code")
    sealed = seal(secret, [challenge, typed["email"]], lasting=CODE_LASTS)
    answer.set_cookie(cookie(GIFT_COOKIE, sealed, lasting=CODE_LASTS))
    return answer


def _errors(typed: dict[str, str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if typed["code"] and not parse_gift_code(typed["code"]):
        errors["code"] = _("This is no gift code. It looks like G-7K3M-9QXD.")
    elif not typed["code"] and not (typed["number"] and typed["postcode"]):
        errors["code"] = _("Please give the gift code, or the order number and the postcode below.")
    if not is_email(typed["email"]):
        errors["email"] = _("Please give your e-mail address.")
    return errors


@get("/gift/code")
async def code_page(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask for the code that was e-mailed."""
    del actor  # Asked for so that the page's header knows who is there.
    if _asked(request) is None:
        return redirect("/gift")
    return page(request, "gifts/code.html", errors={}, minutes=_minutes())


@post("/gift/code", status_code=200)
async def come_in(request: AnyRequest) -> Response[Any]:
    """Let the receiver in."""
    here, asked = site(request), _asked(request)
    if asked is None:
        flash(request, _("That took longer than the code lasts. Please ask for a new one."), "wait")
        return redirect("/gift")
    secret = derive(here.secret, "gift")
    sent = await form(request)
    await hit(here.begin, Limit(bucket(secret, "gift:try", client_network(request.scope)), times=60, seconds=600))
    async with here.begin() as db:
        typed = sent.text("code", limit=20)
        token = await arriving.come_in(db, secret, asked[0], typed, email=asked[1], locale=i18n.current())
        if token is not None and (before := request.cookies.get(SESSION_COOKIE)):
            await end_session(db, before)
    if token is None:
        wrong = _("This code does not fit, or is not valid any more. The newest e-mail has the code that counts.")
        return page(request, "gifts/code.html", status=422, errors={"code": wrong}, minutes=_minutes())
    answer = redirect("/gift/items")
    answer.set_cookie(cookie(SESSION_COOKIE, token, lasting=CUSTOMER_SESSION))
    answer.set_cookie(forget(GIFT_COOKIE))
    return answer


def _asked(request: AnyRequest) -> tuple[bytes, str] | None:
    match unseal(derive(site(request).secret, "gift"), request.cookies.get(GIFT_COOKIE, "")):
        case [bytes(challenge), str(email)]:
            return challenge, email
    return None


def _minutes() -> int:
    return int(CODE_LASTS.total_seconds() // 60)


@get("/gift/codes/{number:path}")
async def giver_page(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """Tell whoever gave a gift how its receiver can send it back."""
    if is_stranger(actor):
        return to_the_door(request)
    order = await order_state(db, actor, number_in_path(number))
    return await _giver(request, db, order)


async def _giver(
    request: AnyRequest, db: AsyncConnection, order: OrderState, *, code: str = "", error: str = ""
) -> Response[Any]:
    meant = await actions.lines_of_code(db, order.id)
    bought = [line for line in order.lines if line.of_gift is None]
    chosen = set() if error else meant or {line.line_id for line in bought}
    return page(
        request,
        "gifts/giver.html",
        status=422 if error else 200,
        number=order.number,
        lines=[(line, line.line_id in chosen) for line in bought],
        code=code,
        link=f"{site(request).settings.public_url}/gift?code={code}" if code else "",
        error=error,
    )


@post("/gift/codes/{number:path}", status_code=200)
async def make_code(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """Show the order's gift code, for the items that are chosen; asked again, the code is the same."""
    if is_stranger(actor):
        return to_the_door(request)
    if actor.kind == "staff":
        actor.require("support")
    sent = await form(request)
    order = await order_state(db, actor, number_in_path(number))
    chosen = [line.line_id for line in order.lines if str(line.line_id) in sent.all("line")]
    try:
        code = await actions.make_code(db, actor, order.number, chosen)
    except InvalidError as error:
        return await _giver(request, db, order, error=translate(error.sentence, **error.values))
    return await _giver(request, db, order, code=code)


routes: list[Any] = [gift_page, ask_for_code, code_page, come_in, giver_page, make_code]

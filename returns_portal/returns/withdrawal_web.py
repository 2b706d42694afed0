"""The withdrawal function: two steps, for everybody, without coming in (Directive 2011/83/EU, Art. 11a)."""

import asyncio
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.limits import Limit, bucket, hit
from returns_portal.accounts.rules import email_key, is_email, order_number
from returns_portal.actor import Actor
from returns_portal.documents.record import render
from returns_portal.i18n import _
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.notifications.papers import withdrawal_paper
from returns_portal.refunds.withdrawing import Pace, Statement, received, withdraw
from returns_portal.shop.queries import current
from returns_portal.web import Form, client_network, form, page, redirect, site
from returns_portal.web.signing import cookie, derive, seal, unseal

AnyRequest = Request[Any, Any, State]

STATEMENT_COOKIE: Final = "__Host-withdrawal"
"""Carries the id of the statement to the page that acknowledges it, sealed."""

_SHOWN: Final = timedelta(hours=1)
_EVEN_SECONDS: Final = 0.3
"""How long the answer takes at least: longer than the work, whether or not the order exists."""
_MAX_NAME: Final = 200
_MAX_NUMBER: Final = 64
_MAX_EMAIL: Final = 254
_MAX_DETAILS: Final = 2000


@get("/withdraw")
async def ask(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Ask who withdraws from which contract; no reason is asked."""
    typed = {"order_number": actor.name} if actor.kind == "customer" and actor.order_id else {}
    return page(request, "returns/withdraw.html", typed=typed, errors={})


@post("/withdraw", status_code=200, onlookers=True)
async def confirm(request: AnyRequest, actor: NamedDependency[Actor]) -> Response[Any]:
    """Show the statement as it will be made; it is made by the button on that page."""
    del actor  # Asked for so that the page's header knows who is there.
    sent = await form(request)
    errors = _errors(sent)
    if errors or sent.get("step") == "change":
        return page(request, "returns/withdraw.html", status=422 if errors else 200, typed=sent, errors=errors)
    return page(request, "returns/withdraw_confirm.html", stated=_statement(sent))


@post("/withdraw/confirmation", status_code=200)
async def make(request: AnyRequest) -> Response[Any]:
    """Receive the statement. The answer, and its time, are the same whether or not the order exists."""
    began = time.monotonic()
    sent = await form(request)
    errors = _errors(sent)
    if errors:
        return page(request, "returns/withdraw.html", status=422, typed=sent, errors=errors)
    here, stated = site(request), _statement(sent)
    secret = derive(here.secret, "withdrawal")
    await hit(
        here.begin,
        # A whole company may sit behind one address of the network; what one address of e-mail gets, `pace` limits.
        Limit(bucket(secret, "withdraw:client", client_network(request.scope)), times=60, seconds=3600),
        Limit(bucket(secret, "withdraw:all"), times=5000, seconds=3600),
    )
    key = email_key(stated.email)
    pace = Pace(
        Limit(bucket(secret, "withdraw:known", key), times=5, seconds=3600),
        Limit(bucket(secret, "withdraw:unknown", key), times=5, seconds=3600),
    )
    async with here.begin() as db:
        withdrawal_id = await withdraw(
            db, Actor(kind="customer"), here.settings, await current(db), stated, locale=i18n.current(), pace=pace
        )
    # The pause is taken outside of any transaction: only the customer waits, no connection does.
    await asyncio.sleep(max(0.0, began + _EVEN_SECONDS - time.monotonic()))
    answer = redirect("/withdraw/received")
    answer.set_cookie(cookie(STATEMENT_COOKIE, seal(secret, str(withdrawal_id), lasting=_SHOWN), lasting=_SHOWN))
    return answer


@get("/withdraw/received")
async def acknowledge(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """Show what was received, and when, to the browser that sent it."""
    del actor  # As above.
    secret = derive(site(request).secret, "withdrawal")
    sealed = unseal(secret, request.cookies.get(STATEMENT_COOKIE, ""))
    found = await received(db, UUID(sealed)) if sealed else None
    if found is None:
        return redirect("/withdraw")
    return page(request, "returns/withdraw_received.html", content=found.content, submitted_at=found.submitted_at)


@get("/withdraw/received.pdf")
async def acknowledgement_pdf(request: AnyRequest) -> Response[Any]:
    """The same on paper, for the browser that sent it."""
    here = site(request)
    sealed = unseal(derive(here.secret, "withdrawal"), request.cookies.get(STATEMENT_COOKIE, ""))
    async with here.begin() as db:
        found = await received(db, UUID(sealed)) if sealed else None
        shop = await current(db)
    if found is None:
        return redirect("/withdraw")
    paper = withdrawal_paper(i18n.current(), found.content, found.submitted_at, shop, here.settings)
    documents: LabelRenderer = request.app.state.labels
    return Response(
        await documents.pool.run(render, paper.record),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{paper.filename}"', "Cache-Control": "no-store"},
    )


def _statement(sent: Form) -> Statement:
    # One line each: the acknowledgement may go to an address that a stranger typed, and is nobody's letter paper.
    name, number = " ".join(sent["name"].split()), " ".join(order_number(sent["order_number"]).split())
    return Statement(name, number, sent["email"], sent.get("details", ""))


def _errors(sent: Form) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not 0 < len(sent.get("name", "")) <= _MAX_NAME:
        errors["name"] = _("Please give your name.")
    if not 0 < len(order_number(sent.get("order_number", ""))) <= _MAX_NUMBER:
        errors["order_number"] = _("Please give the order number. It stands in your confirmation e-mail.")
    if not is_email(sent.get("email", "")) or len(sent["email"]) > _MAX_EMAIL:
        errors["email"] = _("Please give an e-mail address: the confirmation goes there.")
    if len(sent.get("details", "")) > _MAX_DETAILS:
        errors["details"] = _("This is longer than {limit} characters.", limit=_MAX_DETAILS)
    return errors


routes: list[Any] = [ask, confirm, make, acknowledge, acknowledgement_pdf]

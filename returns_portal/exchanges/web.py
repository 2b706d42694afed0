"""The customer's page of an exchange: where it stands, paying the difference, and wanting the money instead."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.exchanges import ending, paying, web_staff
from returns_portal.exchanges.models import LIVE, ChargeKind, ChargeStatus
from returns_portal.exchanges.pages.payment import element_of
from returns_portal.exchanges.pages.words import is_asking, lead_of, status_word, title_of
from returns_portal.exchanges.queries import ChargeView, ExchangeView, exchange_for
from returns_portal.i18n import _, mark
from returns_portal.jobs import defer
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.tryon.bank import answer as answer_bank
from returns_portal.tryon.pages import cards
from returns_portal.tryon.pages.element import element_policy
from returns_portal.tryon.pages.words import sentence
from returns_portal.web import flash, form, formats, page, redirect, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]


@get("/exchanges/{number:str}")
async def show(request: AnyRequest, number: Number) -> Response[Any]:
    """Where it stands, and what can be done."""
    async with asking(request) as (db, actor):
        if is_stranger(actor):
            return to_the_door(request)
        exchange = await exchange_for(db, actor, number)
    return await _answer(request, exchange)


async def _answer(
    request: AnyRequest, exchange: ExchangeView, *, errors: Mapping[str, str] | None = None
) -> Response[Any]:
    here = site(request)
    formats.zone.set(here.shop.timezone)
    confirm = _awaited(exchange)
    wanted = paying.wanted_of(exchange)
    # Outside of any transaction: the gateway may be asked for it.
    element = await element_of(here, confirm, exchange.number) if confirm and not here.settings.sandbox else None
    shown = page(
        request,
        "exchanges/show.html",
        status=422 if errors else 200,
        view=exchange,
        badge_word=status_word(exchange.status),
        title=title_of(exchange),
        lead=lead_of(exchange),
        asks_bank=is_asking(exchange),
        payable=wanted is not None and not is_asking(exchange),
        amount=wanted[1] if wanted else 0,
        holds=wanted is not None and wanted[0] is ChargeKind.HOLD,
        confirm=confirm,
        element=element,
        live=exchange.status in LIVE,
        can_wait=exchange.at_once and exchange.status in LIVE and exchange.outcome is None,
        typed_card=here.settings.sandbox,
        errors=errors or {},
    )
    if element is not None:
        shown.headers.update(element_policy())
    return shown


def _awaited(exchange: ExchangeView) -> ChargeView | None:
    """The payment that waits for the customer, if one does."""
    charge = exchange.charge
    return charge if charge is not None and charge.status is ChargeStatus.ACTION_NEEDED else None


@post("/exchanges/{number:str}/payment", status_code=200)
async def give_card(request: AnyRequest, number: Number) -> Response[Any]:
    """Pay the difference. What was typed of the card never comes back into the page."""
    sent, sandbox = await form(request), site(request).settings.sandbox
    method, errors = cards.payment_method(sent) if sandbox else (None, {})
    async with asking(request) as (db, actor):
        _require_support(actor)
        exchange = await exchange_for(db, actor, number)
        if not errors:
            before = _awaited(exchange)
            done = _("Thank you. We are asking your bank.") if sandbox else ""
            if before is not None and sandbox:
                done = _("What you had begun before is being given up. Please give the card again in a moment.")
            return await _do(request, db, exchange, done, lambda: paying.pay(db, actor, number, method))
    return await _answer(request, exchange, errors=errors)


@post("/exchanges/{number:str}/confirmation", status_code=200)
async def confirm(request: AnyRequest, number: Number) -> Redirect:
    """Answer the bank's question, where no money moves and no bank has a page of its own."""
    sent, settings = await form(request), site(request).settings
    async with asking(request) as (db, actor):
        exchange = await exchange_for(db, actor, number)
    charge = _awaited(exchange)
    if not settings.sandbox or charge is None or charge.reference is None:
        raise NotFoundError(mark("There is nothing here."))
    try:
        await answer_bank(settings, charge.reference, succeeds=sent.get("answer") == "yes")
    except DomainError as error:
        flash(request, sentence(error), "wait")
    async with site(request).begin() as db:
        await defer(db, "exchanges.charge", charge_id=str(charge.id))
    return redirect(f"/exchanges/{exchange.number}")


@get("/exchanges/{number:str}/confirmed")
async def confirmed(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Where Stripe's form leads back to. What became of it is asked of Stripe, not believed of an address."""
    exchange = await exchange_for(db, actor, number)
    charge = _awaited(exchange)
    if charge is not None:
        await defer(db, "exchanges.charge", charge_id=str(charge.id))
        flash(request, _("Thank you. We are asking your bank."))
    return redirect(f"/exchanges/{exchange.number}")


@post("/exchanges/{number:str}/cancellation", status_code=200)
async def call_off(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """The money instead."""
    _require_support(actor)
    exchange = await exchange_for(db, actor, number)
    done = _("As you wish. For what comes back to us you get your money.")
    if exchange.gift_id:
        done = _("As you wish. For what comes back to us you get points.")
    return await _do(request, db, exchange, done, lambda: ending.call_off(db, actor, number))


@post("/exchanges/{number:str}/later", status_code=200)
async def later(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """After check-in, and not at once."""
    _require_support(actor)
    exchange = await exchange_for(db, actor, number)
    done = _("As you wish. It is sent once your items are here, and nothing is held on your card.")
    return await _do(request, db, exchange, done, lambda: ending.send_later(db, actor, number))


async def _do(request: AnyRequest, db: AsyncConnection, exchange: ExchangeView, done: str, action: Any) -> Redirect:  # noqa: ANN401 - a call
    """Do it, and say on the exchange's page what came of it; what was refused has changed nothing."""
    try:
        async with db.begin_nested():
            await action()
    except NotFoundError:
        raise
    except DomainError as error:
        flash(request, sentence(error), "bad")
    else:
        if done:
            flash(request, done)
    return redirect(f"/exchanges/{exchange.number}")


def _require_support(actor: Actor) -> None:
    """Customers act for themselves; of the staff, only support acts for them."""
    if actor.kind == "staff":
        actor.require("support")


routes: list[Any] = [show, give_card, confirm, confirmed, later, call_off, *web_staff.routes]
"""The pages of exchanges: the customer's, the warehouse's and the staff's."""

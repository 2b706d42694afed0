"""The customer's page of a trial: following it, deciding, paying."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.i18n import _, mark
from returns_portal.jobs import defer
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.tryon import (
    authorising,
    calling_off,
    deciding,
    web_basket,
    web_checkout,
    web_deciding,
    web_packing,
    web_staff,
)
from returns_portal.tryon.bank import answer as answer_bank
from returns_portal.tryon.pages import cards
from returns_portal.tryon.pages.words import sentence
from returns_portal.tryon.queries import photo_for, trial_for
from returns_portal.tryon.showing import answer, back, read
from returns_portal.web import flash, form, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]


@get("/trials/{number:str}")
async def show(request: AnyRequest, number: Number) -> Response[Any]:
    """Where it stands, what is to be decided, what it costs."""
    async with asking(request) as (db, actor):
        if is_stranger(actor):
            return to_the_door(request)
        shown = await read(request, db, actor, number)
    return await answer(request, shown)


@get("/trials/{number:str}/photos/{photo_id:uuid}", reads=True)
async def photo(db: Db, actor: By, number: Number, photo_id: FromPath[UUID]) -> Response[bytes]:
    """A photo of a problem."""
    await trial_for(db, actor, number)
    return Response(await photo_for(db, actor, photo_id), media_type="image/jpeg")


@post("/trials/{number:str}/extension", status_code=200)
async def extend(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """More time, once."""
    done = _("You have more time: the new last day stands below.")
    return await _do(request, db, number, done, lambda: deciding.extend(db, actor, number))


@post("/trials/{number:str}/cancellation", status_code=200)
async def cancel(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Call it off before it is sent."""
    done = _("Cancelled. Nothing is sent, and nothing is charged.")
    return await _do(request, db, number, done, lambda: calling_off.cancel(db, actor, number))


@post("/trials/{number:str}/card", status_code=200)
async def give_card(request: AnyRequest, number: Number) -> Response[Any]:
    """Another card, or the same one again. What was typed of it never comes back into the page."""
    sent, sandbox = await form(request), site(request).settings.sandbox
    method, errors = cards.payment_method(sent) if sandbox else (None, {})
    async with asking(request) as (db, actor):
        if errors:
            shown = await read(request, db, actor, number)
        else:
            await trial_for(db, actor, number)
            done = _("Thank you. We are asking your bank.")
            return await _do(request, db, number, done, lambda: authorising.card_given(db, actor, number, method))
    return await answer(request, shown, errors=errors)


@post("/trials/{number:str}/confirmation", status_code=200)
async def confirm(request: AnyRequest, number: Number) -> Redirect:
    """Answer the bank's question, where no money moves and no bank has a page of its own."""
    sent, settings = await form(request), site(request).settings
    async with asking(request) as (db, actor):
        charge = authorising.awaited(await trial_for(db, actor, number))
    if not settings.sandbox or charge is None or charge.reference is None:
        raise NotFoundError(mark("There is nothing here."))
    try:
        await answer_bank(settings, charge.reference, succeeds=sent.get("answer") == "yes")
    except DomainError as error:
        flash(request, sentence(error), "wait")
    async with site(request).begin() as db:
        await defer(db, "tryon.refresh", charge_id=str(charge.id))
    return back(number)


@get("/trials/{number:str}/confirmed")
async def confirmed(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Where Stripe's form leads back to. What became of it is asked of Stripe, not believed of an address."""
    charge = authorising.awaited(await trial_for(db, actor, number))
    if charge is not None:
        await defer(db, "tryon.refresh", charge_id=str(charge.id))
        flash(request, _("Thank you. We are asking your bank."))
    return back(number)


async def _do(
    request: AnyRequest, db: AsyncConnection, number: str, done: str, action: Callable[[], Awaitable[object]]
) -> Redirect:
    """Do it, and say on the trial's page what came of it; what was refused has changed nothing."""
    try:
        # A savepoint, because the request goes on and commits: what the action wrote before it was refused must not.
        async with db.begin_nested():
            await action()
    except NotFoundError:
        raise
    except DomainError as error:
        flash(request, sentence(error), "bad")
    else:
        flash(request, done)
    return back(number)


routes: list[Any] = [
    show,
    photo,
    extend,
    cancel,
    give_card,
    confirm,
    confirmed,
    *web_basket.routes,
    *web_checkout.routes,
    *web_deciding.routes,
    *web_packing.routes,
    *web_staff.routes,
]
"""The pages of trials: the customer's, the warehouse's and the staff's."""

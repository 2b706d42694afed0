"""The customer's page of a trial: following it, deciding, paying."""

from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, NotFoundError
from returns_portal.i18n import _, mark, ngettext
from returns_portal.jobs import defer
from returns_portal.photos import rebuild
from returns_portal.tryon import authorising, deciding, placing, web_basket, web_checkout, web_packing, web_staff
from returns_portal.tryon.bank import answer as answer_bank
from returns_portal.tryon.models import Decision
from returns_portal.tryon.pages import cards
from returns_portal.tryon.pages.element import element_of, element_policy
from returns_portal.tryon.pages.show import ShowPage, show_page
from returns_portal.tryon.pages.words import problem_words, sentence
from returns_portal.tryon.queries import photo_for, trial_for
from returns_portal.web import Form, flash, form, form_with_file, formats, page, redirect, site
from returns_portal.web.transaction import asking

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]
Errors = dict[str, str]

MAX_PHOTO: Final = 12_000_000
"""Bytes of a report with its photo: phones make pictures of three to eight megabytes."""
_LOOK_AGAIN: Final = 3
"""Seconds after which a page that waits for the bank looks again."""


@get("/trials/{number:str}")
async def show(request: AnyRequest, number: Number) -> Response[Any]:
    """Where it stands, what is to be decided, what it costs."""
    async with asking(request) as (db, actor):
        if _is_stranger(actor):
            return _to_the_door(request)
        shown = await _read(request, db, actor, number)
    return await _show(request, shown)


async def _read(request: AnyRequest, db: AsyncConnection, actor: Actor, number: str) -> ShowPage:
    formats.zone.set(site(request).shop.timezone)
    return await show_page(db, actor, number)


async def _show(
    request: AnyRequest, shown: ShowPage, *, typed: Form | None = None, errors: Errors | None = None
) -> Response[Any]:
    """Render it; where the customer is to give Stripe a card, with Stripe's own form, and a policy that lets it in."""
    here = site(request)
    element = None
    if not here.settings.sandbox and shown.confirm is not None:
        element = await element_of(here, shown.confirm, shown.view.number)
    answer = page(
        request,
        "tryon/show.html",
        status=422 if errors else 200,
        page=shown,
        typed=typed or {},
        errors=errors or {},
        problems=problem_words(),
        typed_card=here.settings.sandbox,
        element=element,
    )
    if element is not None:
        answer.headers.update(element_policy())
    elif shown.asking:
        answer.headers["Refresh"] = str(_LOOK_AGAIN)
    return answer


@post("/trials/{number:str}/decisions", status_code=200)
async def decide(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Take what was said of some items, or of all."""
    sent = await form(request)
    view = await trial_for(db, actor, number)
    words = {word.value: word for word in (Decision.KEEP, Decision.RETURN)}
    said = {item.id: words[sent[f"item-{item.id}"]] for item in view.items if sent.get(f"item-{item.id}") in words}
    left = [item for item in view.undecided if item.id not in said]
    done = _("Noted. You can change it until the end of the trial.")
    if left:
        done = ngettext("Noted. {n} item is still open.", "Noted. {n} items are still open.", len(left))
    return await _do(request, db, number, done, lambda: deciding.decide(db, actor, number, said))


@post("/trials/{number:str}/items/{item_id:uuid}/problem", status_code=200, request_max_body_size=MAX_PHOTO)
async def report_problem(request: AnyRequest, number: Number, item_id: FromPath[UUID]) -> Response[Any]:
    """Something is wrong with an item: it is not charged; a photo helps with the carrier."""
    sent, data = await form_with_file(request, "photo")
    note = sent.text("note", limit=1000)
    async with asking(request) as (db, actor):
        # Whose trial it is is known before anything is made of a stranger's picture.
        await trial_for(db, actor, number)
    try:
        # Rebuilding takes a moment, and no transaction waits for it.
        photo = await rebuild(data) if data else None
        async with site(request).begin() as db:
            problems = {item_id: (sent.get("kind", "damaged"), note)}
            await deciding.decide(db, actor, number, {item_id: Decision.PROBLEM}, problems)
            if photo is not None:
                await deciding.add_photo(db, actor, number, item_id, photo)
    except NotFoundError:
        raise
    except DomainError as error:
        async with site(request).begin() as db:
            shown = await _read(request, db, actor, number)
        return await _show(request, shown, typed=sent, errors={f"problem-{item_id}": sentence(error)})
    flash(request, _("Thank you for telling us. We are sorry. You are not charged for it."))
    return _back(number)


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
    return await _do(request, db, number, done, lambda: placing.cancel(db, actor, number))


@post("/trials/{number:str}/card", status_code=200)
async def give_card(request: AnyRequest, number: Number) -> Response[Any]:
    """Another card, or the same one again. What was typed of it never comes back into the page."""
    sent, sandbox = await form(request), site(request).settings.sandbox
    method, errors = cards.payment_method(sent) if sandbox else (None, {})
    async with asking(request) as (db, actor):
        if errors:
            shown = await _read(request, db, actor, number)
        else:
            await trial_for(db, actor, number)
            done = _("Thank you. We are asking your bank.")
            return await _do(request, db, number, done, lambda: authorising.card_given(db, actor, number, method))
    return await _show(request, shown, errors=errors)


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
    return _back(number)


@get("/trials/{number:str}/confirmed")
async def confirmed(request: AnyRequest, db: Db, actor: By, number: Number) -> Redirect:
    """Where Stripe's form leads back to. What became of it is asked of Stripe, not believed of an address."""
    charge = authorising.awaited(await trial_for(db, actor, number))
    if charge is not None:
        await defer(db, "tryon.refresh", charge_id=str(charge.id))
        flash(request, _("Thank you. We are asking your bank."))
    return _back(number)


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
    return _back(number)


def _back(number: str) -> Redirect:
    return redirect(f"/trials/{quote(number, safe='')}")


def _is_stranger(actor: Actor) -> bool:
    return actor.kind == "customer" and actor.order_id is None


def _to_the_door(request: AnyRequest) -> Redirect:
    """Who has not come in is asked for their order, and led back; nothing tells whether the trial exists."""
    flash(request, _("Please tell us first which order is yours."), "wait")
    return redirect(f"/?next={quote(request.scope['path'], safe='')}")


routes: list[Any] = [
    show,
    decide,
    report_problem,
    photo,
    extend,
    cancel,
    give_card,
    confirm,
    confirmed,
    *web_basket.routes,
    *web_checkout.routes,
    *web_packing.routes,
    *web_staff.routes,
]
"""The pages of trials: the customer's, the warehouse's and the staff's."""

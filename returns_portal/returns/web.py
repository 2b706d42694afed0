"""The customer's pages: choosing what goes back, and following a return."""

import hashlib
import secrets
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.claims.pages.words import for_templates as claim_words
from returns_portal.claims.queries import claims_of_order
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.exchanges.queries import exchanges_of_return
from returns_portal.exchanges.reserving import Swap
from returns_portal.i18n import _
from returns_portal.refunds.filing import file, sealed
from returns_portal.returns import web_changing, web_together, withdrawal_web
from returns_portal.returns.actions import Wanted
from returns_portal.returns.door import is_stranger, require_support, speak_local, to_the_door
from returns_portal.returns.life import set_bank_account
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.pages.answer import show_answer
from returns_portal.returns.pages.choose import choose_page
from returns_portal.returns.pages.lines import Wish
from returns_portal.returns.pages.wishes import MAX_ACCOUNT, Errors, account_of, wish_of
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.proof import give_proof
from returns_portal.returns.queries import OrderState, order_state, return_for, returns_of_order
from returns_portal.shop.queries import current
from returns_portal.tryon import announcing
from returns_portal.tryon.placing import trial_numbers_of
from returns_portal.web import flash, form, formats, page, redirect, site
from returns_portal.web.transaction import refuse_onlookers

AnyRequest = Request[Any, Any, State]


@get("/orders/{number:path}")
async def choose(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """Show what of an order can go back, and where its money can go."""
    if is_stranger(actor):
        return to_the_door(request)
    order = await order_state(db, actor, number_in_path(number))
    return await _choose(request, db, actor, order)


async def _choose(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    order: OrderState,
    *,
    wish: Wish | None = None,
    errors: Errors | None = None,
    status: int = 200,
) -> Response[Any]:
    speak_local(request)
    asked = request.query_params.get("in_parcel_of", "")
    view = await choose_page(db, actor, await current(db), order, wish, asked)
    return page(
        request,
        "returns/choose.html",
        status=status,
        view=view,
        errors=errors or {},
        token=secrets.token_urlsafe(16),
        trial=await _trial(db, order.id),
        claims=await claims_of_order(db, actor, order.id),
        claim_words=claim_words(),
    )


async def _trial(db: AsyncConnection, order_id: UUID) -> str:
    """The number of the trial that an order is; empty for any other order."""
    return (await trial_numbers_of(db, [order_id])).get(order_id, "")


@post("/orders/{number:path}", status_code=200, onlookers=True)
async def file_return(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """File the return and show its label; or, asked for a preview, only say what the choice is worth."""
    if is_stranger(actor):
        return to_the_door(request)
    require_support(actor)
    sent = await form(request)
    order = await order_state(db, actor, number_in_path(number))
    wish, errors = wish_of(sent, order)
    if sent.get("step") == "preview":
        return await _choose(request, db, actor, order, wish=wish, errors=errors)
    # Looking at what a choice is worth is for whoever sees the order, filing is not.
    await refuse_onlookers(request)
    if not wish.units:
        errors["lines"] = _("Choose at least one item to send back.")
    if errors:
        return await _choose(request, db, actor, order, wish=wish, errors=errors, status=422)
    try:
        # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
        async with db.begin_nested():
            rma = await _file_once(request, db, actor, order, wish, sent.text("token", limit=64))
    except (ConflictError, InvalidError, NotFoundError) as error:
        return await _not_filed(request, db, actor, order, wish, error)
    return redirect(f"/returns/{rma}")


async def _file_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, order: OrderState, wish: Wish, token: str
) -> str:
    """File, unless this very form was sent before: then it is the return of back then. Its number."""
    wanted = [Wanted(line_id, count, wish.reason, wish.faulty) for line_id, count in wish.units.items()]

    async def work() -> tuple[int, object]:
        filed = await file(
            db,
            actor,
            site(request).settings,
            await current(db),
            order.number,
            wanted,
            wish.refund_to,
            bank_account=wish.bank_account or None,
            swaps=[
                Swap(line_id, sku, wish.units[line_id]) for line_id, sku in wish.swaps.items() if line_id in wish.units
            ],
            at_once=wish.at_once,
            in_parcel_of=wish.in_parcel_of,
        )
        return 303, {"rma": filed.rma}

    # The choice is part of the key: a form that was changed after going back is another wish, not a repetition.
    chosen = [
        *sorted(f"{line_id}×{count}" for line_id, count in wish.units.items()),
        wish.refund_to.value,
        str(wish.faulty),
        wish.in_parcel_of,
        *sorted(f"{line_id}→{sku}" for line_id, sku in wish.swaps.items()),
        str(wish.at_once),
    ]
    key = hashlib.sha256("\n".join([token, *chosen]).encode()).hexdigest() if token else None
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return str(answer["rma"])  # type: ignore[index]  # the answer that `work` gave


async def _not_filed(
    request: AnyRequest, db: AsyncConnection, actor: Actor, order: OrderState, wish: Wish, error: DomainError
) -> Response[Any]:
    """Say why not; or lead to the return that holds these very items, since then the wish is fulfilled already."""
    for view in await returns_of_order(db, actor, order.id):
        units = {line.line_id: line.quantity for line in view.lines if line.quantity}
        if view.status != ReturnStatus.CANCELLED and units == dict(wish.units):
            flash(request, _("These items were on their way back already: here is their label."))
            return redirect(f"/returns/{view.rma}")
    order = await order_state(db, actor, order.number)
    said = sentence(error)
    if error.code == "out_of_stock":
        choose = _("Choose what else you would like for it, or your money back.")
        said = f"{said} {choose}"
    errors = {"in_parcel_of" if error.field == "in_parcel_of" else "lines": said}
    return await _choose(request, db, actor, order, wish=wish, errors=errors, status=error.status)


@get("/returns", reads=True)
async def list_returns(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """The returns of the order that the customer came in for."""
    if actor.gift_id:
        return redirect("/gift/items")
    if actor.order_id is None:
        return to_the_door(request)
    views = await returns_of_order(db, actor, actor.order_id)
    trial = await _trial(db, actor.order_id)
    return page(request, "returns/list.html", returns=views, number=actor.name, trial=trial)


@get("/returns/{rma:str}", reads=True)
async def show(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """One return: its label, its way, its money."""
    if is_stranger(actor):
        return to_the_door(request)
    return await show_answer(request, db, actor, rma)


@post("/returns/{rma:str}/cancellation", status_code=200)
async def cancel_return(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Cancel while nothing has been sent; sent twice, it is cancelled all the same."""
    require_support(actor)
    view = await return_for(db, actor, rma)
    lent = [each for each in await exchanges_of_return(db, actor, view.id) if each.is_lent]
    try:
        async with db.begin_nested():
            await announcing.cancel_return(db, actor, view.rma)
    except ConflictError as error:
        if view.status != ReturnStatus.CANCELLED:
            flash(request, sentence(error), "bad")
    else:
        said = _("Cancelled. You keep everything, and can send it back later all the same.")
        if lent:
            price = formats.money(sum(each.price for each in lent), lent[0].currency)
            charged = _("For what we sent you in exchange, {amount} is charged to your card.", amount=price)
            said = f"{said} {charged}"
        flash(request, said)
    return redirect(f"/returns/{view.rma}")


@post("/returns/{rma:str}/proof", status_code=200)
async def prove(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Take by whom and under which number the customer has sent it with a label of their own."""
    require_support(actor)
    view = await return_for(db, actor, rma)
    sent = await form(request)
    try:
        await give_proof(db, actor, view.rma, sent.get("carrier", ""), sent.get("tracking", ""))
    except InvalidError as error:
        errors: Errors = {error.field or "": sentence(error)}
        return await show_answer(request, db, actor, view.rma, typed=sent, errors=errors)
    except ConflictError as error:
        flash(request, sentence(error), "bad")
    else:
        flash(request, _("Thank you. We look out for your parcel."))
    return redirect(f"/returns/{view.rma}")


@post("/returns/{rma:str}/bank-account", status_code=200)
async def give_account(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Take the account number that a payment from outside goes back to; it is stored encrypted."""
    require_support(actor)
    view = await return_for(db, actor, rma)
    sent = await form(request)
    errors: Errors = {}
    account = account_of(sent.get("bank_account", "")[:MAX_ACCOUNT], errors)
    if errors:
        return await show_answer(request, db, actor, view.rma, typed=sent, errors=errors)
    await set_bank_account(db, actor, view.rma, sealed(site(request).settings, account))
    flash(request, _("Thank you. The transfer goes to this account, and the number is deleted once it is made."))
    return redirect(f"/returns/{view.rma}")


routes: list[Any] = [
    choose,
    file_return,
    list_returns,
    show,
    cancel_return,
    give_account,
    prove,
    *web_changing.routes,
    *web_together.routes,
    *withdrawal_web.routes,
]

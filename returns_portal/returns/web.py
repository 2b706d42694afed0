"""The customer's pages: choosing what goes back, and following a return."""

import hashlib
import secrets
from pathlib import PurePosixPath
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, DomainError, InvalidError
from returns_portal.i18n import _
from returns_portal.refunds.filing import file, sealed
from returns_portal.returns import withdrawal_web
from returns_portal.returns.actions import MAX_REASON, Wanted, set_bank_account
from returns_portal.returns.bank import account_number
from returns_portal.returns.door import is_stranger, to_the_door
from returns_portal.returns.models import RefundTo, ReturnStatus
from returns_portal.returns.pages.choose import Wish, choose_page
from returns_portal.returns.pages.show import show_page
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import OrderState, order_state, return_for, returns_of_order
from returns_portal.shop.queries import current
from returns_portal.tryon import announcing
from returns_portal.tryon.placing import trial_numbers_of
from returns_portal.web import Form, flash, form, formats, page, redirect, site

AnyRequest = Request[Any, Any, State]
Errors = dict[str, str]

_MAX_ACCOUNT: Final = 64


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
    _speak_local(request)
    view = await choose_page(db, actor, await current(db), order, wish)
    return page(
        request,
        "returns/choose.html",
        status=status,
        view=view,
        errors=errors or {},
        token=secrets.token_urlsafe(16),
        trial=await _trial(db, order.id),
    )


async def _trial(db: AsyncConnection, order_id: UUID) -> str:
    """The number of the trial that an order is; empty for any other order."""
    return (await trial_numbers_of(db, [order_id])).get(order_id, "")


@post("/orders/{number:path}", status_code=200)
async def file_return(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    number: FromPath[PurePosixPath],
) -> Response[Any]:
    """File the return and show its label; or, asked for a preview, only say what the choice is worth."""
    if is_stranger(actor):
        return to_the_door(request)
    _require_support(actor)
    sent = await form(request)
    order = await order_state(db, actor, number_in_path(number))
    wish, errors = _wish(sent, order)
    if sent.get("step") == "preview":
        return await _choose(request, db, actor, order, wish=wish, errors=errors)
    if not wish.units:
        errors["lines"] = _("Choose at least one item to send back.")
    if errors:
        return await _choose(request, db, actor, order, wish=wish, errors=errors, status=422)
    try:
        # A savepoint: what fails leaves nothing behind, and the page can still be read from this transaction.
        async with db.begin_nested():
            rma = await _file_once(request, db, actor, order, wish, sent.text("token", limit=64))
    except (ConflictError, InvalidError) as error:
        return await _not_filed(request, db, actor, order, wish, error)
    return redirect(f"/returns/{rma}")


async def _file_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, order: OrderState, wish: Wish, token: str
) -> str:
    """File, unless this very form was sent before: then it is the return of back then. Its number."""
    wanted = [Wanted(line_id, count, wish.reason) for line_id, count in wish.units.items()]

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
        )
        return 303, {"rma": filed.rma}

    # The choice is part of the key: a form that was changed after going back is another wish, not a repetition.
    chosen = [*sorted(f"{line_id}×{count}" for line_id, count in wish.units.items()), wish.refund_to.value]
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
    errors = {"lines": sentence(error)}
    return await _choose(request, db, actor, order, wish=wish, errors=errors, status=error.status)


def _wish(sent: Form, order: OrderState) -> tuple[Wish, Errors]:
    """What the form says, kept as far as it can be, and what is wrong with it, by field."""
    errors: Errors = {}
    units: dict[UUID, int] = {}
    for line in order.lines:
        if str(line.line_id) in sent.all("line"):
            units[line.line_id] = _units(sent, f"quantity-{line.line_id}", line.quantity, errors)
    reason, account = sent.get("reason", "")[: MAX_REASON + 1], sent.get("bank_account", "")[:_MAX_ACCOUNT]
    if len(reason) > MAX_REASON:
        errors["reason"] = _("This is longer than {limit} characters.", limit=MAX_REASON)
    if account:
        account = _account(account, errors)
    refund_to = RefundTo.POINTS if sent.get("refund_to") == RefundTo.POINTS else RefundTo.ORIGINAL
    return Wish(units, refund_to, reason, account), errors


def _units(sent: Form, field: str, most: int, errors: Errors) -> int:
    try:
        count = sent.number(field, default=1)
    except InvalidError as error:
        errors["lines"] = sentence(error)
        return 1
    if not 1 <= count <= most:
        errors["lines"] = _("Choose how many, at least one and at most {most}.", most=most)
    return min(max(count, 1), most)


def _account(typed: str, errors: Errors) -> str:
    try:
        return account_number(typed)
    except InvalidError as error:
        errors["bank_account"] = sentence(error)
        return typed


@get("/returns", reads=True)
async def list_returns(
    request: AnyRequest, db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> Response[Any]:
    """The returns of the order that the customer came in for."""
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
    return await _show(request, db, actor, rma)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    rma: str,
    *,
    typed: Form | None = None,
    errors: Errors | None = None,
) -> Response[Any]:
    _speak_local(request)
    view = await show_page(db, actor, rma)
    return page(
        request,
        "returns/show.html",
        status=422 if errors else 200,
        page=view,
        token=secrets.token_urlsafe(16),
        typed=typed or {},
        errors=errors or {},
    )


@post("/returns/{rma:str}/cancellation", status_code=200)
async def cancel_return(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Cancel while nothing has been sent; sent twice, it is cancelled all the same."""
    _require_support(actor)
    view = await return_for(db, actor, rma)
    try:
        async with db.begin_nested():
            await announcing.cancel_return(db, actor, view.rma)
    except ConflictError as error:
        if view.status != ReturnStatus.CANCELLED:
            flash(request, sentence(error), "bad")
    else:
        flash(request, _("Cancelled. You keep everything, and can send it back later all the same."))
    return redirect(f"/returns/{view.rma}")


@post("/returns/{rma:str}/bank-account", status_code=200)
async def give_account(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Take the account number that a payment from outside goes back to; it is stored encrypted."""
    _require_support(actor)
    view = await return_for(db, actor, rma)
    sent = await form(request)
    errors: Errors = {}
    account = _account(sent.get("bank_account", "")[:_MAX_ACCOUNT], errors)
    if errors:
        return await _show(request, db, actor, view.rma, typed=sent, errors=errors)
    await set_bank_account(db, actor, view.rma, sealed(site(request).settings, account))
    flash(request, _("Thank you. The transfer goes to this account, and the number is deleted once it is made."))
    return redirect(f"/returns/{view.rma}")


def _require_support(actor: Actor) -> None:
    """Customers act for themselves; of the staff, only support acts for them."""
    if actor.kind == "staff":
        actor.require("support")


def _speak_local(request: AnyRequest) -> None:
    """Days that are put into words here are days of the shop's zone, as they are in templates."""
    formats.zone.set(site(request).shop.timezone)


routes: list[Any] = [
    choose,
    file_return,
    list_returns,
    show,
    cancel_return,
    give_account,
    *withdrawal_web.routes,
]

"""A customer's change of mind about a return that is filed: other items, or another way for the money to go."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError
from returns_portal.i18n import _
from returns_portal.refunds.changing import change_destination, change_items
from returns_portal.returns.actions import Wanted
from returns_portal.returns.changing import Changed
from returns_portal.returns.door import is_stranger, require_support, speak_local, to_the_door
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.answer import show_answer
from returns_portal.returns.pages.items import items_page
from returns_portal.returns.pages.show import is_changeable
from returns_portal.returns.pages.wishes import Errors, units_of
from returns_portal.returns.pages.words import sentence
from returns_portal.returns.queries import ReturnView, order_state, return_for
from returns_portal.shop.queries import current
from returns_portal.web import flash, form, page, redirect
from returns_portal.web.transaction import refuse_onlookers

AnyRequest = Request[Any, Any, State]


@get("/returns/{rma:str}/items")
async def items(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Show what of the order is in the return, and what could be."""
    if is_stranger(actor):
        return to_the_door(request)
    view = await return_for(db, actor, rma)
    if not is_changeable(view):
        flash(request, _("This return can no longer be changed. Here is where it stands."), "wait")
        return redirect(f"/returns/{view.rma}")
    return await _items(request, db, actor, view)


async def _items(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    view: ReturnView,
    *,
    units: dict[UUID, int] | None = None,
    errors: Errors | None = None,
    status: int = 200,
    empty: bool = False,
) -> Response[Any]:
    speak_local(request)
    order = await order_state(db, actor, view.order_number, besides=view.id)
    shown = await items_page(db, await current(db), view, order, units)
    return page(request, "returns/items.html", status=status, page=shown, errors=errors or {}, empty=empty)


@post("/returns/{rma:str}/items", status_code=200, onlookers=True)
async def change(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Take the choice; none at all is asked about first, since it is a cancellation. Sent twice, it is taken once."""
    if is_stranger(actor):
        return to_the_door(request)
    require_support(actor)
    view = await return_for(db, actor, rma)
    sent, errors = await form(request), Errors()
    units = units_of(sent, await order_state(db, actor, view.order_number), errors)
    if sent.get("step") == "preview":
        return await _items(request, db, actor, view, units=units, errors=errors)
    # Looking at what a choice is worth is for whoever sees the order, changing is not.
    await refuse_onlookers(request)
    if errors or not units:
        return await _items(request, db, actor, view, units=units, errors=errors, status=422, empty=not units)
    try:
        async with db.begin_nested():
            wanted = [Wanted(line_id, count) for line_id, count in units.items()]
            changed = await change_items(db, actor, await current(db), view.rma, wanted)
    except ConflictError as error:
        if error.code != "not_changeable":
            shown = {"lines": sentence(error)}
            return await _items(request, db, actor, view, units=units, errors=shown, status=error.status)
        flash(request, sentence(error), "bad")
    else:
        flash(request, _said(changed))
    return redirect(f"/returns/{view.rma}")


def _said(changed: Changed) -> str:
    if not changed.anew:
        return _("Nothing was changed.")
    return _("Changed. Your label stays the same.") if changed.label_stays else _("Changed: this page says how it is.")


@post("/returns/{rma:str}/refund-to", status_code=200)
async def change_way(
    request: AnyRequest,
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    rma: FromPath[str],
) -> Response[Any]:
    """Points in place of money, or money after all, until the refund starts."""
    if is_stranger(actor):
        return to_the_door(request)
    require_support(actor)
    view, sent = await return_for(db, actor, rma), await form(request)
    to = RefundTo.POINTS if sent.get("to") == RefundTo.POINTS else RefundTo.ORIGINAL
    try:
        async with db.begin_nested():
            await change_destination(db, actor, view.rma, to, agreed=sent.get("agreed") == "yes")
    except InvalidError as error:
        return await show_answer(request, db, actor, view.rma, typed=sent, errors={"agreed": sentence(error)})
    except (ConflictError, ForbiddenError) as error:
        flash(request, sentence(error), "bad")
    else:
        flash(request, _("Changed: this page says where it goes now."))
    return redirect(f"/returns/{view.rma}")


routes: list[Any] = [items, change, change_way]

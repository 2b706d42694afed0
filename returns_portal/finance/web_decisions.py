"""Damaged and wrong items: each is accepted, paid in part, or sent back, the longest waiting first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import DomainError, InvalidError, NotFoundError
from returns_portal.finance import words
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, mark, translate
from returns_portal.refunds.deciding import Decision, decide, preview
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import RefundPlan
from returns_portal.returns.models import RefundTo
from returns_portal.warehouse.queries import WaitingItem, waiting_items
from returns_portal.web import Form, flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

PAGE: Final = 25
_DECISIONS: Final[dict[str, Decision]] = {"accept": "accept", "part": "part", "send_back": "send_back"}

deciders = [requires_staff("finance", "support")]


class Waiting(msgspec.Struct, frozen=True):
    """An item with what accepting it would pay, or why it would pay nothing."""

    item: WaitingItem
    preview: RefundPlan
    nothing: str
    typed: Mapping[str, str] = {}
    errors: Mapping[str, str] = {}


@get("/finance/decisions", guards=deciders)
async def decisions_page(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """What waits for a decision."""
    return await _show(request, db, actor)


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    *,
    failed: UUID | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response[Any]:
    """The list; where a decision could not be made, with what was typed for it and what was wrong."""
    number = _page_number(request)
    found = await waiting_items(db, actor, limit=PAGE + 1, offset=number * PAGE)
    orders = await _orders(db, found)
    waiting = []
    for item in found[:PAGE]:
        preview, nothing = await _preview(db, orders[item.rma], item)
        wrong = (errors or {}) if item.id == failed else {}
        if nothing and wrong:
            # The field at fault is not shown where nothing is left to refund, so that this is said above.
            wrong = {"": next(iter(wrong.values()))}
        waiting.append(Waiting(item, preview, nothing, (typed or {}) if item.id == failed else {}, wrong))
    return page(
        request,
        "finance/decisions.html",
        status=422 if errors else 200,
        waiting=waiting,
        number=number,
        more=len(found) > PAGE,
        words=words.FOR_TEMPLATES,
    )


def _page_number(request: AnyRequest) -> int:
    text = request.query_params.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0  # noqa: PLR2004 - enough pages


async def _orders(db: AsyncConnection, items: Sequence[WaitingItem]) -> dict[str, Any]:
    rows = await db.execute(
        text("SELECT rma, order_id, refund_to, bonus_percent FROM returns WHERE rma = ANY(:rmas)"),
        {"rmas": [item.rma for item in items]},
    )
    return {row.rma: row for row in rows}


async def _preview(db: AsyncConnection, row: Any, item: WaitingItem) -> tuple[RefundPlan, str]:  # noqa: ANN401 - a row
    """What accepting the item pays, planned by the rules that will pay it; and why that is nothing, where it is."""
    balance = await balance_of(db, row.order_id)
    refund_to = RefundTo(row.refund_to)
    planned, claimed = await preview(db, balance, item.id, refund_to=refund_to, bonus_percent=row.bonus_percent)
    if planned.total:
        return planned, ""
    if not claimed:
        return planned, _("Nothing is left to refund: this item was refunded before.")
    if any(tender.captured for tender in balance.tenders) and not any(tender.left for tender in balance.tenders):
        return planned, _("Nothing is left to refund: everything that was paid for this order has gone back already.")
    return planned, _("There is nothing to refund: nothing was paid for this item.")


@post("/finance/decisions/{item_id:uuid}", guards=deciders, status_code=200)
async def decide_item(request: AnyRequest, db: Db, actor: By, item_id: FromPath[UUID]) -> Response[Any]:
    """Decide one item. What cannot be is said beside it, with everything that was typed."""
    sent = await form(request)
    try:
        # A savepoint, because the page is shown all the same: what was written before the refusal must not stay.
        async with db.begin_nested():
            await _decide(request, db, actor, item_id, sent)
    except NotFoundError:
        raise
    except DomainError as error:
        # Somebody else decided it meanwhile: it is not on the page any more, so that the page says it above.
        if error.code == "already_decided":
            flash(request, translate(error.sentence, **error.values), "wait")
            return redirect("/finance/decisions")
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _show(request, db, actor, failed=item_id, typed=sent, errors=errors)
    flash(request, _("Decided. The customer is told by e-mail."))
    return redirect("/finance/decisions")


async def _decide(request: AnyRequest, db: AsyncConnection, actor: Actor, item_id: UUID, sent: Form) -> None:
    decision = _DECISIONS.get(sent.text("decision"))
    if decision is None:
        raise InvalidError(mark("Choose what happens to this item."), field="decision")
    await decide(
        db,
        actor,
        site(request).settings,
        item_id,
        decision,
        amount=await _amount(db, item_id, sent) if decision == "part" else None,
        reason=sent.text("reason", limit=500),
        quantity=sent.number("quantity") or None,
    )


async def _amount(db: AsyncConnection, item_id: UUID, sent: Form) -> int:
    """What was typed in major units, as minor units of the order's currency.

    Raises:
        NotFoundError: there is no such item.
        InvalidError: it is no amount of this currency.
    """
    currency = await db.scalar(
        text(
            "SELECT o.currency FROM parcel_item i JOIN order_line l ON l.id = i.order_line_id"
            " JOIN orders o ON o.id = l.order_id WHERE i.id = :id"
        ),
        {"id": item_id},
    )
    if currency is None:
        raise NotFoundError(mark("There is no such item."))
    if not sent.text("reason"):
        raise InvalidError(mark("Say why: the customer reads the reason."), field="reason")
    return typed_amount(sent, "amount", currency)


routes: list[Any] = [decisions_page, decide_item]

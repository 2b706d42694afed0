"""An order as staff see it: what was bought, paid, sent back and refunded, what is left; and giving something back."""

import hashlib
import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.finance import words
from returns_portal.finance.order import order_story
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, translate
from returns_portal.orders.queries import order_for
from returns_portal.refunds.goodwill import MAX_REASON, Gesture, Given, give
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, page, redirect, requires_staff, site

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]

staff = [requires_staff("support", "finance")]
_MAX_NUMBER: Final = 64


@get("/staff/orders", guards=staff)
async def find_order(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """The way to an order, by its number."""
    typed = request.query_params.get("number", "")[:_MAX_NUMBER]
    errors: dict[str, str] = {}
    if typed:
        try:
            found = await order_for(db, actor, typed)
        except (NotFoundError, InvalidError):
            errors["number"] = _("There is no order of this number.")
        else:
            return redirect(_address(found.number))
    status = 404 if errors else 200
    return page(request, "finance/orders.html", status=status, typed={"number": typed}, errors=errors)


@get("/staff/orders/{number:path}", guards=staff)
async def order_page(request: AnyRequest, db: Db, actor: By, number: FromPath[PurePosixPath]) -> Response[Any]:
    """One order."""
    return await _show(request, db, actor, number_in_path(number), {}, {})


async def _show(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    number: str,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> Response[Any]:
    return page(
        request,
        "finance/order.html",
        status=422 if errors else 200,
        story=await order_story(db, actor, number, await current(db)),
        typed=typed,
        errors=errors,
        token=secrets.token_urlsafe(16),
        max_reason=MAX_REASON,
        words=words.FOR_TEMPLATES,
    )


@post("/staff/gestures", guards=staff, status_code=200)
async def give_back(request: AnyRequest, db: Db, actor: By) -> Response[Any]:
    """Give something back, or ask for it. What cannot be is said beside its field, with everything that was typed."""
    sent = await form(request)
    order = await order_for(db, actor, sent.text("number", limit=_MAX_NUMBER))
    try:
        async with db.begin_nested():
            given = await _give_once(request, db, actor, sent, order.number, order.currency)
    except (InvalidError, ConflictError) as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        return await _show(request, db, actor, order.number, sent, errors)
    if given.decision is GoodwillDecision.WAITING:
        flash(request, _("This is above the limit of one person, so somebody else approves it first."), "wait")
    else:
        flash(request, _("It is on its way, and the customer is told why by e-mail."))
    return redirect(_address(order.number))


async def _give_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, sent: Form, number: str, currency: str
) -> Given:
    """Give, unless this very form was sent before: then it is what was given back then."""
    shipping = sent.get("what") == "shipping"
    wish = Gesture(
        order_number=number,
        reason=sent.text("reason", limit=MAX_REASON),
        amount=0 if shipping else typed_amount(sent, "amount", currency),
        shipping=shipping,
        refund_to=RefundTo.POINTS if sent.get("refund_to") == RefundTo.POINTS else RefundTo.ORIGINAL,
        points_consent=sent.get("points_consent") == "yes",
    )

    async def work() -> tuple[int, object]:
        return 303, await give(db, actor, site(request).settings, await current(db), wish)

    # What was typed is part of the key: a form that was changed after going back is another wish, not a repetition.
    key = hashlib.sha256(sent.text("token", limit=64).encode() + msgspec.json.encode(wish)).hexdigest()
    _status, answer, _repeated = await once(db, actor, key, b"", work)
    return msgspec.convert(msgspec.to_builtins(answer), Given)


def _address(number: str) -> str:
    return f"/staff/orders/{quote(number, safe='')}"


routes: list[Any] = [find_order, order_page, give_back]

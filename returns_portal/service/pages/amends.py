"""The page on which something is made good: for an order of whoever asked, with the outcome noted in the thread."""

import hashlib
import secrets
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.idempotency import once
from returns_portal.actor import Actor
from returns_portal.claims.deciding import REASONS
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.finance.order import order_story
from returns_portal.finance.typed import typed_amount
from returns_portal.i18n import _, mark, translate
from returns_portal.orders.queries import order_for
from returns_portal.points import adjusting
from returns_portal.points.models import AdjustmentStatus
from returns_portal.refunds.goodwill import MAX_REASON, Gesture, Given
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.service import amends
from returns_portal.service.beside import MOST, beside
from returns_portal.service.pages.thread import QUEUE, By, Db, Errors, support
from returns_portal.service.queries import question_for
from returns_portal.shop.queries import current
from returns_portal.web import Form, flash, form, formats, page, redirect, site

AnyRequest = Request[Any, Any, State]

AMENDS: Final = f"{QUEUE}/{{question_id:uuid}}/amends"
MAX_NUMBER: Final = 64


@get(AMENDS, guards=support)
async def amends_page(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """What can be given for an order of whoever asked: the one that they asked about, or another."""
    return await show_amends(request, db, actor, question_id, request.query_params.get("order", ""), Form({}), {})


async def show_amends(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    asked: str,
    typed: Form,
    errors: Errors,
    status: int = 200,
) -> Response[Any]:
    """The page for one order, with what was typed into one of its forms."""
    question = await question_for(db, actor, question_id)
    found = [one.number for one in (await beside(db, actor, question, limit=MOST)).orders]
    numbers = list(dict.fromkeys([*filter(None, [question.order_number]), *found]))
    if asked and asked not in numbers:
        raise NotFoundError(mark("This customer has no such order."))
    shop, number = await current(db), asked or next(iter(numbers), "")
    return page(
        request,
        "service/amends.html",
        status=status,
        question=question,
        numbers=[(one, one) for one in numbers],
        number=number,
        story=await order_story(db, actor, number, shop) if number else None,
        points_limit=formats.number(shop.points_limit) if shop.second_person else None,
        token=typed.get("token", "") or secrets.token_urlsafe(16),
        typed=typed,
        errors=errors,
        kinds=[(kind.value, translate(text)) for kind, text in REASONS.items()],
        chosen=set(typed.all("line")),
        longest=MAX_REASON,
        longest_points=adjusting.MAX_REASON,
    )


@post(f"{AMENDS}/refund", guards=support, status_code=200)
async def refund(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Give money back, or ask for it."""
    sent = await form(request)
    number = sent.text("order", limit=MAX_NUMBER)
    await amends.order_of_question(db, actor, question_id, number)
    try:
        async with db.begin_nested():
            given = await _refund_once(request, db, actor, question_id, sent, number)
    except (InvalidError, ConflictError) as error:
        return await _refused(request, db, actor, question_id, sent, error)
    if given.decision is GoodwillDecision.WAITING:
        flash(request, _("This is above the limit of one person, so somebody else approves it first."), "wait")
    else:
        flash(request, _("It is on its way, and the customer is told why by e-mail."))
    return redirect(f"{QUEUE}/{question_id}")


async def _refund_once(
    request: AnyRequest, db: AsyncConnection, actor: Actor, question_id: UUID, sent: Form, number: str
) -> Given:
    shipping = sent.get("what") == "shipping"
    currency = (await order_for(db, actor, number)).currency
    wish = Gesture(
        order_number=number,
        reason=sent.text("reason", limit=MAX_REASON),
        amount=0 if shipping else typed_amount(sent, "amount", currency),
        shipping=shipping,
    )

    async def work() -> tuple[int, object]:
        return 303, await amends.give_back(db, actor, site(request).settings, await current(db), question_id, wish)

    _status, answer, _again = await once(db, actor, key_of(sent, question_id, wish), b"", work)
    return msgspec.convert(msgspec.to_builtins(answer), Given)


def key_of(sent: Form, question_id: UUID, wish: object) -> str:
    """What tells a form from another: its token, and what was typed, so that one that was changed is another wish."""
    token = sent.text("token", limit=64).encode()
    return hashlib.sha256(token + question_id.bytes + msgspec.json.encode(wish)).hexdigest()


@post(f"{AMENDS}/points", guards=support, status_code=200)
async def points(request: AnyRequest, db: Db, actor: By, question_id: FromPath[UUID]) -> Response[Any]:
    """Give points, or ask for them."""
    sent = await form(request)
    number = sent.text("order", limit=MAX_NUMBER)
    await amends.order_of_question(db, actor, question_id, number)
    try:
        count, reason = sent.number("points"), sent.text("why", limit=adjusting.MAX_REASON)

        async def work() -> tuple[int, object]:
            return 303, (await amends.give_points(db, actor, question_id, number, count, reason)).value

        async with db.begin_nested():
            key = key_of(sent, question_id, [number, count, reason])
            _status, answer, _again = await once(db, actor, key, b"", work)
    except (InvalidError, ConflictError) as error:
        return await _refused(request, db, actor, question_id, sent, error, {"amount": "points", "reason": "why"})
    if answer == AdjustmentStatus.PENDING:
        flash(request, _("Somebody else of finance has to approve this. Until then nothing is changed."), "wait")
    else:
        flash(request, _("Done. It stands on the customer's statement."))
    return redirect(f"{QUEUE}/{question_id}")


async def _refused(
    request: AnyRequest,
    db: AsyncConnection,
    actor: Actor,
    question_id: UUID,
    sent: Form,
    error: InvalidError | ConflictError,
    fields: dict[str, str] | None = None,
) -> Response[Any]:
    """The page once more, with everything typed and what was wrong; `fields` are those that are named otherwise."""
    field = error.field or ""
    errors = {(fields or {}).get(field, field): translate(error.sentence, **error.values)}
    return await show_amends(request, db, actor, question_id, sent.get("order", ""), sent, errors, error.status)


routes: list[Any] = [amends_page, refund, points]

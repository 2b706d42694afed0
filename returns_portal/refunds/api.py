"""Refunds over JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.replies import answer_once
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.refunds import approvals
from returns_portal.refunds.goodwill import MAX_REASON, Gesture, Given, give
from returns_portal.refunds.models import GoodwillDecision, RefundStatus
from returns_portal.refunds.queries import RefundView, list_refunds, refund_for
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import current
from returns_portal.texts import WITHOUT_NUL
from returns_portal.web.site import site

MAX_PAGE = 200


class PageOut(msgspec.Struct, frozen=True):
    """A page of refunds, newest first; the next one begins after `next_cursor`."""

    items: list[RefundView]
    next_cursor: str | None


@get("/refunds", summary="List refunds, newest first", reads=True)
async def list_all(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    status: FromQuery[RefundStatus | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> PageOut:
    """Refunds, in minor units of their currency. Scope `refunds:read`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError("A page has 1 to {most} items.", field="limit", most=MAX_PAGE)
    found = await list_refunds(db, actor, status=status, before=cursor, limit=limit + 1)
    return PageOut(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


@get("/refunds/{refund_id:uuid}", summary="Show a refund", reads=True)
async def show(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], refund_id: FromPath[UUID]
) -> RefundView:
    """One refund. Scope `refunds:read`."""
    actor.require("refunds:read")
    return await refund_for(db, actor, refund_id)


class GestureIn(msgspec.Struct, forbid_unknown_fields=True):
    """Money back without goods: `amount` in minor units of the order's currency, or `shipping` for what delivery cost.

    `points_consent` says that the customer expressly agreed to points; without it `refund_to` cannot be points. The
    customer reads the reason.
    """

    order_number: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=64)]
    reason: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=1, max_length=MAX_REASON)]
    amount: Annotated[int, msgspec.Meta(ge=1)] | None = None
    shipping: bool = False
    refund_to: Literal["original", "points"] = "original"
    points_consent: bool = False


class GestureOut(msgspec.Struct, frozen=True):
    """A gesture. `decision` is `waiting` while a second person has to approve it; nothing is refunded until then."""

    id: UUID
    decision: GoodwillDecision
    amount: int
    currency: str
    refund_ids: list[UUID]


class ApprovalOut(msgspec.Struct, frozen=True):
    """A gesture that waits for a second person."""

    id: UUID
    order_number: str
    amount: int
    currency: str
    shipping: bool
    refund_to: str
    reason: str
    requested_by: str
    requested_at: datetime


class ApprovalsOut(msgspec.Struct, frozen=True):
    """What waits for a second person, the longest waiting first."""

    items: list[ApprovalOut]


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whether it is given back; the note is for the one who asked."""

    decision: Literal["approve", "decline"]
    note: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=approvals.MAX_NOTE)] = ""


def _out(given: Given) -> GestureOut:
    return GestureOut(given.id, given.decision, given.amount, given.currency, given.refund_ids)


@post("/refunds/goodwill", summary="Give something back without goods", status_code=201)
async def give_back(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[GestureIn],
) -> Response[GestureOut]:
    """A gesture, or what delivery cost. Scope `refunds:write`. Honours `Idempotency-Key`."""
    actor.require("refunds:write")
    if (data.amount is None) != data.shipping:
        raise InvalidError("Give either an amount or `shipping`.", field="amount")

    async def work() -> tuple[int, GestureOut]:
        wish = Gesture(
            order_number=data.order_number,
            reason=data.reason,
            amount=data.amount or 0,
            shipping=data.shipping,
            refund_to=RefundTo(data.refund_to),
            points_consent=data.points_consent,
        )
        return 201, _out(await give(db, actor, site(request).settings, await current(db), wish))

    return await answer_once(request, db, actor, work)


@get("/refunds/approvals", summary="List what waits for a second person")
async def list_approvals(db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]) -> ApprovalsOut:
    """Gestures above the shop's limit. Scope `refunds:write`."""
    actor.require("refunds:write")
    return ApprovalsOut(
        [
            ApprovalOut(
                view.id,
                view.order_number,
                view.amount,
                view.currency,
                view.shipping,
                view.refund_to,
                view.reason,
                view.requested_by_label,
                view.requested_at,
            )
            for view in await approvals.waiting(db, actor)
        ]
    )


@post("/refunds/approvals/{gesture_id:uuid}", summary="Approve or decline a gesture", status_code=200)
async def decide(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    gesture_id: FromPath[UUID],
    data: JSONBody[DecisionIn],
) -> Response[GestureOut]:
    """Decide what somebody else asked for. Scope `refunds:write`. Honours `Idempotency-Key`."""
    actor.require("refunds:write")

    async def work() -> tuple[int, GestureOut]:
        if data.decision == "decline":
            return 200, _out(await approvals.decline(db, actor, gesture_id, data.note))
        return 200, _out(await approvals.approve(db, actor, site(request).settings, gesture_id))

    return await answer_once(request, db, actor, work)


routes: list[Any] = [list_all, show, give_back, list_approvals, decide]

"""Points over JSON: what a customer has, and paying with them at the shop's own checkout."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.replies import answer_once
from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.points import redemptions
from returns_portal.points.codes import by_code
from returns_portal.points.queries import Redemption, look_up, redemption_for
from returns_portal.points.redemptions import Hold
from returns_portal.points.rules import HOLD_MINUTES, MOST_POINTS
from returns_portal.texts import WITHOUT_NUL

AnyRequest = Request[Any, Any, State]
Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Points = Annotated[int, msgspec.Meta(ge=1, le=MOST_POINTS)]
Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key", description="Repeats of a call under one key are answered once.", max_length=255
    ),
]


class LookupIn(msgspec.Struct, forbid_unknown_fields=True):
    """Whose points. In the body, so that the address stands in no access log."""

    email: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=3, max_length=254)]


class ExpiringOut(msgspec.Struct, frozen=True):
    """Points that expire at one moment; null for those that never do."""

    points: int
    expires_at: datetime | None


class BalanceOut(msgspec.Struct, frozen=True):
    """Points of one currency; one point is one minor unit. `held` is set aside for purchases under way, on top."""

    currency: str
    points: int
    held: int
    expiring: list[ExpiringOut]


class LookupOut(msgspec.Struct, frozen=True):
    """What the customer has."""

    email: str
    balances: list[BalanceOut]


class HoldIn(msgspec.Struct, forbid_unknown_fields=True):
    """Points to set aside, `amount` in minor units of `currency`; released by themselves after `hold_minutes`.

    `order_number` may be given later, at capture. With it, points come back with their own expiry when the order does.
    """

    email: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=3, max_length=254)]
    currency: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, min_length=3, max_length=3)]
    amount: Points
    order_number: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=64)] = ""
    reference: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=200)] = ""
    hold_minutes: Annotated[int, msgspec.Meta(ge=1, le=60 * 24 * 30)] = HOLD_MINUTES


class CaptureIn(msgspec.Struct, forbid_unknown_fields=True):
    """How many held points are spent (all of them, where `amount` is left out); the rest goes back."""

    amount: Points | None = None
    order_number: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=64)] = ""


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    """What the customer typed, in whatever case and with whatever dashes. In the body, so that it stands in no log."""

    code: Annotated[str, msgspec.Meta(pattern=WITHOUT_NUL, max_length=64)]


@post("/customers/points-lookup", summary="A customer's points", status_code=200, security=[{"key": ["points:read"]}])
async def points_lookup(db: Db, actor: By, data: JSONBody[LookupIn]) -> LookupOut:
    """The balances of a customer, by e-mail address, with what expires when. Scope `points:read`."""
    found = await look_up(db, actor, data.email)
    return LookupOut(data.email, [_balance(balance) for balance in found])


def _balance(balance: Any) -> BalanceOut:  # noqa: ANN401 - a Balance, whose fields these are
    expiring = [ExpiringOut(lot.points, lot.expires_at) for lot in balance.expiring]
    return BalanceOut(balance.currency, balance.points, balance.held, expiring)


@post(
    "/points/redemptions", summary="Hold points for a purchase", status_code=201, security=[{"key": ["points:write"]}]
)
async def hold(
    request: AnyRequest, db: Db, actor: By, data: JSONBody[HoldIn], idempotency_key: Key = None
) -> Response[Redemption]:
    """Set points aside. Needs an `Idempotency-Key`; 409 `too_few_points` holds nothing. Scope `points:write`."""
    actor.require("points:write")
    if idempotency_key is None:
        raise InvalidError(
            mark("Send an Idempotency-Key, so that a repeated call holds points once."),
            code="idempotency_key_required",
            field="Idempotency-Key",
        )
    wanted = Hold(data.email, data.currency, data.amount, data.order_number, data.reference, data.hold_minutes)

    async def work() -> tuple[int, Redemption]:
        return 201, await redemptions.hold(db, actor, wanted)

    return await answer_once(request, db, actor, work)


@post(
    "/points/redemptions/by-code",
    summary="The hold that a customer's code names",
    status_code=200,
    security=[{"key": ["points:write"]}],
)
async def find_by_code(db: Db, actor: By, data: JSONBody[CodeIn]) -> Redemption:
    """What a code that was typed at the checkout is worth; it is captured like any hold. Scope `points:write`.

    404 `code_not_found` where there is none, 409 `code_over` where it was used, taken back, or has ended.
    """
    return await by_code(db, actor, data.code)


@get("/points/redemptions/{redemption_id:uuid}", summary="A redemption", security=[{"key": ["points:read"]}])
async def show(db: Db, actor: By, redemption_id: FromPath[UUID]) -> Redemption:
    """What became of a hold. Scope `points:read` or `points:write`."""
    actor.require("points:read", "points:write")
    return await redemption_for(db, actor, redemption_id)


@post(
    "/points/redemptions/{redemption_id:uuid}/capture",
    summary="Spend held points",
    status_code=200,
    security=[{"key": ["points:write"]}],
)
async def capture(
    request: AnyRequest, db: Db, actor: By, redemption_id: FromPath[UUID], data: JSONBody[CaptureIn]
) -> Response[Redemption]:
    """Spend what is held, or less of it; again with the same amount changes nothing. Scope `points:write`."""
    actor.require("points:write")

    async def work() -> tuple[int, Redemption]:
        captured = await redemptions.capture(db, actor, redemption_id, amount=data.amount, order=data.order_number)
        return 200, captured

    return await answer_once(request, db, actor, work)


@post(
    "/points/redemptions/{redemption_id:uuid}/release",
    summary="Give held points back",
    status_code=200,
    security=[{"key": ["points:write"]}],
)
async def release(request: AnyRequest, db: Db, actor: By, redemption_id: FromPath[UUID]) -> Response[Redemption]:
    """Give held points back to the customer; again changes nothing. Scope `points:write`."""
    actor.require("points:write")

    async def work() -> tuple[int, Redemption]:
        return 200, await redemptions.release(db, actor, redemption_id)

    return await answer_once(request, db, actor, work)


routes: list[Any] = [points_lookup, hold, find_by_code, show, capture, release]

"""Over JSON: calls about orders, to be read, and couriers, to be announced."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import number_in_path
from returns_portal.actor import Actor
from returns_portal.confirming.announcing import MAX_COURIER, Wish, announce, order_named
from returns_portal.confirming.models import AnnouncedBy, CallState, Outcome, Reason
from returns_portal.confirming.queries import CallView, call_of_order, calls_for_program
from returns_portal.confirming.windows import Window
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.web.site import site

MAX_PAGE = 100


class TryOut(msgspec.Struct, frozen=True):
    """One try to call, and what was noted."""

    outcome: Outcome
    note: str
    at: datetime


class CallOut(msgspec.Struct, frozen=True):
    """A call about an order. `outcome` is None while it waits; after `changed` the last note says what is to differ."""

    order_number: str
    reasons: list[Reason]
    state: CallState
    outcome: Outcome | None
    again_at: datetime | None
    created_at: datetime
    changed_at: datetime
    tries: list[TryOut]


class CallPage(msgspec.Struct, frozen=True):
    """A page of calls; the next one begins after `next_cursor`."""

    items: list[CallOut]
    next_cursor: str | None


def _out(call: CallView) -> CallOut:
    return CallOut(
        order_number=call.order_number,
        reasons=call.reasons,
        state=call.state,
        outcome=call.outcome,
        again_at=call.again_at,
        created_at=call.created_at,
        changed_at=call.changed_at,
        tries=[TryOut(one.outcome, one.note, one.at) for one in call.tries],
    )


@get("/order-calls", summary="List calls about orders, newest first", reads=True)
async def list_all(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    waiting: FromQuery[bool | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> CallPage:
    """Orders that need, or needed, a call, and what came of it; with `waiting` only those, or the others.

    Scope `orders:read`.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError(mark("A page has 1 to {most} items."), field="limit", most=MAX_PAGE)
    found = await calls_for_program(db, actor, waiting=waiting, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return CallPage([_out(call) for call in shown], str(shown[-1].id) if len(found) > limit else None)


@get("/order-calls/{number:path}", summary="Show the call about an order", reads=True)
async def show(
    number: FromPath[PurePosixPath], db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor]
) -> CallOut:
    """The call about one order; 404 `call_not_found` where it needs none. Scope `orders:read`."""
    return _out(await call_of_order(db, actor, number_in_path(number)))


Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CourierIn(msgspec.Struct, forbid_unknown_fields=True):
    """Who brings a parcel of an order, and when: `order` is its number, or the tracking number of a parcel of it.

    `sms_agreed` says that the customer has agreed to be told by SMS, where the shop does not do so of itself.
    """

    order: Short
    begins_at: Moment
    ends_at: Moment
    courier: Annotated[str, msgspec.Meta(max_length=MAX_COURIER)] = ""
    sms_agreed: bool = False


class CourierOut(msgspec.Struct, frozen=True):
    """What was announced; `repeated` where the very same had been before, so that nobody was told again."""

    id: UUID
    order_number: str
    repeated: bool


@post("/courier-announcements", summary="Announce the courier who brings an order", status_code=200)
async def announce_courier(
    request: Request[Any, Any, State],
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    data: JSONBody[CourierIn],
) -> CourierOut:
    """Tell the customer at once; another window or name corrects what was told before. Scope `orders:write`.

    A window that is over is refused (422 `too_late`), as is an order that was cancelled or has arrived (409).
    """
    actor.require("orders:write")
    found = await order_named(db, actor, data.order)
    wish = Wish(
        order_id=found.id,
        window=Window(data.begins_at, data.ends_at),
        courier=data.courier,
        tracking=found.tracking,
        by=AnnouncedBy.API,
        sms_agreed=data.sms_agreed,
    )
    announced = await announce(db, actor, site(request).settings, wish)
    return CourierOut(announced.id, found.number, announced.repeated)


routes: list[Any] = [list_all, show, announce_courier]

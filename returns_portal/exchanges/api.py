"""Exchanges over JSON, for shops that send from a system of their own."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.exchanges import ending, sending
from returns_portal.exchanges.models import EndReason, ExchangeStatus
from returns_portal.exchanges.queries import ExchangeView, exchange_for, list_exchanges
from returns_portal.exchanges.shipment import ShipmentIn
from returns_portal.i18n import mark

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]
MAX_PAGE = 100


class ExchangeOut(msgspec.Struct, frozen=True):
    """An exchange; amounts in minor units of `currency`.

    `value` is what the unit that comes back cost, `price` what the replacement costs, `to_pay` what the customer pays
    on top, and `back` what goes back of the unit. Of what is sent `at_once`, `held` is what a card holds now, and `due`
    what is taken of it by how that came out (`outcome`).
    """

    number: str
    status: str
    rma: str
    order_number: str
    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    currency: str
    value: int
    price: int
    to_pay: int
    back: int
    paid: bool
    at_once: bool
    held: int
    return_by: datetime | None
    outcome: str | None
    due: int
    arrived_at: datetime | None
    reserved_until: datetime
    sent_at: datetime | None
    carrier: str
    tracking: str
    replacement_line_id: UUID | None
    end_reason: str | None
    created_at: datetime


class PageOut(msgspec.Struct, frozen=True):
    """A page of exchanges; the next one begins after `next_cursor`."""

    items: list[ExchangeOut]
    next_cursor: str | None


class CancellationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is called off: the customer wishes it, or the piece turned out to be missing (`sold_out`)."""

    sold_out: bool = False


@get("/exchanges", summary="List exchanges, newest first", reads=True, security=[{"key": ["exchanges:read"]}])
async def list_all(
    db: Db,
    actor: By,
    status: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50,
) -> PageOut:
    """Exchanges; `status=to_send` are those that wait to be sent. Scope `exchanges:read`."""
    if status is not None and status not in list(ExchangeStatus):
        raise InvalidError(mark("There is no such status."), field="status")
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError(mark("Ask for 1 to {most} at a time."), field="limit", most=MAX_PAGE)
    found = await list_exchanges(
        db,
        actor,
        statuses=[ExchangeStatus(status)] if status else None,
        before=_cursor(cursor),
        limit=limit + 1,
    )
    shown = found[:limit]
    return PageOut([_out(each) for each in shown], str(shown[-1].id) if len(found) > limit else None)


def _cursor(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise InvalidError(mark("This is not a cursor of ours."), field="cursor") from error


@get("/exchanges/{number:str}", summary="Show an exchange", reads=True, security=[{"key": ["exchanges:read"]}])
async def show(db: Db, actor: By, number: Number) -> ExchangeOut:
    """One exchange. Scope `exchanges:read`."""
    actor.require("exchanges:read", "exchanges:write")
    return _out(await exchange_for(db, actor, number))


@post(
    "/exchanges/{number:str}/shipment",
    summary="The replacement has left",
    status_code=200,
    security=[{"key": ["exchanges:write"]}],
)
async def ship(db: Db, actor: By, number: Number, data: JSONBody[ShipmentIn]) -> ExchangeOut:
    """Say that it was sent; again, it changes nothing. Scope `exchanges:write`."""
    return _out(await sending.send(db, actor, number, carrier=data.carrier, tracking=data.tracking))


@post(
    "/exchanges/{number:str}/cancellation",
    summary="Call an exchange off",
    status_code=200,
    security=[{"key": ["exchanges:write"]}],
)
async def call_off(db: Db, actor: By, number: Number, data: JSONBody[CancellationIn]) -> ExchangeOut:
    """Call it off before it is sent; the money goes back. Again, it changes nothing. Scope `exchanges:write`."""
    reason = EndReason.SOLD_OUT if data.sold_out else EndReason.CUSTOMER
    return _out(await ending.call_off(db, actor, number, reason))


def _out(each: ExchangeView) -> ExchangeOut:
    return ExchangeOut(
        number=each.number,
        status=each.status,
        rma=each.rma,
        order_number=each.order_number,
        line_id=each.order_line_id,
        sku=each.sku,
        title=each.title,
        size=each.size,
        color=each.color,
        currency=each.currency,
        value=each.value,
        price=each.price,
        to_pay=each.to_pay,
        back=each.back,
        paid=each.paid_at is not None,
        at_once=each.at_once,
        held=each.hold.amount if each.hold else 0,
        return_by=each.return_by,
        outcome=each.outcome,
        due=each.due,
        arrived_at=each.arrived_at,
        reserved_until=each.reserved_until,
        sent_at=each.sent_at,
        carrier=each.carrier,
        tracking=each.tracking,
        replacement_line_id=each.replacement_line_id,
        end_reason=each.end_reason,
        created_at=each.created_at,
    )


routes: list[Any] = [list_all, show, ship, call_off]

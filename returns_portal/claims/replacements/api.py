"""What is sent anew over JSON, for shops that send from a system of their own."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.replacements import life
from returns_portal.claims.replacements.models import ReplacementStatus
from returns_portal.claims.replacements.queries import ReplacementView, list_replacements, replacement_for
from returns_portal.errors import InvalidError
from returns_portal.exchanges.shipment import ShipmentIn
from returns_portal.i18n import mark

Db = NamedDependency[AsyncConnection]
By = NamedDependency[Actor]
Number = FromPath[str]
MAX_PAGE = 100


class PieceOut(msgspec.Struct, frozen=True):
    """So many of the article of a line of the order; `stocked` tells whether they were taken from the stock."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    stocked: bool


class ReplacementOut(msgspec.Struct, frozen=True):
    """What is sent anew because of a claim: `status` is to_send, sent or ended."""

    number: str
    status: str
    claim_id: UUID
    order_number: str
    pieces: list[PieceOut]
    carrier: str
    tracking: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None


class ReplacementPage(msgspec.Struct, frozen=True):
    """A page of what is sent anew; the next one begins after `next_cursor`."""

    items: list[ReplacementOut]
    next_cursor: str | None


class EndIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why it is not sent: the piece of a line is missing or faulty; or, without one, the shop decides otherwise."""

    missing_line_id: UUID | None = None


@get("/replacements", summary="List what is sent anew", reads=True, security=[{"key": ["exchanges:read"]}])
async def list_all(
    db: Db,
    actor: By,
    status: FromQuery[str | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> ReplacementPage:
    """The newest first; `status=to_send` are those that wait to be sent. Scope `exchanges:read`."""
    if status is not None and status not in list(ReplacementStatus):
        raise InvalidError(mark("There is no such status."), field="status")
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError(mark("Ask for 1 to {most} at a time."), field="limit", most=MAX_PAGE)
    wanted = ReplacementStatus(status) if status else None
    found = await list_replacements(db, actor, status=wanted, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return ReplacementPage([_out(each) for each in shown], str(shown[-1].id) if len(found) > limit else None)


@get("/replacements/{number:str}", summary="Show one", reads=True, security=[{"key": ["exchanges:read"]}])
async def show(db: Db, actor: By, number: Number) -> ReplacementOut:
    """What is sent anew under a number. Scope `exchanges:read`."""
    actor.require("exchanges:read", "exchanges:write")
    return _out(await replacement_for(db, actor, number))


@post(
    "/replacements/{number:str}/shipment",
    summary="It has left",
    status_code=200,
    security=[{"key": ["exchanges:write"]}],
)
async def ship(db: Db, actor: By, number: Number, data: JSONBody[ShipmentIn]) -> ReplacementOut:
    """Say that it was sent; again, it changes nothing. Scope `exchanges:write`.

    Look at the `status` of the answer: where the item is in a return or was paid back by now, it is `ended` instead,
    and is not to be sent.
    """
    return _out(await life.send(db, actor, number, carrier=data.carrier, tracking=data.tracking))


@post(
    "/replacements/{number:str}/cancellation",
    summary="It is not sent",
    status_code=200,
    security=[{"key": ["exchanges:write"]}],
)
async def call_off(db: Db, actor: By, number: Number, data: JSONBody[EndIn]) -> ReplacementOut:
    """Call it off before it is sent; its claim is decided anew. Again, it changes nothing. Scope `exchanges:write`."""
    return _out(await life.call_off(db, actor, number, missing=data.missing_line_id))


def _out(each: ReplacementView) -> ReplacementOut:
    return ReplacementOut(
        number=each.number,
        status=each.status,
        claim_id=each.claim_id,
        order_number=each.order_number,
        pieces=[
            PieceOut(
                piece.line_id, piece.sku, piece.title, piece.size, piece.color, piece.quantity, bool(piece.variant_id)
            )
            for piece in each.pieces
        ],
        carrier=each.carrier,
        tracking=each.tracking,
        created_at=each.created_at,
        sent_at=each.sent_at,
        ended_at=each.ended_at,
        end_reason=each.end_reason,
    )


routes: list[Any] = [list_all, show, ship, call_off]

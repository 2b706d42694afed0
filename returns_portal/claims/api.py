"""Claims over JSON, to be read."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.queries import STANDINGS, Anew, ClaimView, claim_for, list_claims, photo_for
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

MAX_PAGE = 100


class ItemOut(msgspec.Struct, frozen=True):
    """So many units of a line of the order."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int


class AnewOut(msgspec.Struct, frozen=True):
    """What is sent anew, the last time that this was decided: `status` is to_send, sent or ended."""

    number: str
    status: str
    carrier: str
    tracking: str
    sent_at: datetime | None
    end_reason: str | None


class ClaimOut(msgspec.Struct, frozen=True):
    """A claim: what is wrong, what the customer would like, and where it stands.

    `status` is one of filed, approving, returning, replacing, refunded, replaced,
    reduced, refused, withdrawn.
    """

    id: UUID
    order_number: str
    kind: str
    remedy: str
    said: str
    status: str
    answer: str
    rma: str | None
    refund_ids: list[UUID]
    replacement: AnewOut | None
    filed_at: datetime
    changed_at: datetime
    items: list[ItemOut]
    photos: list[str]
    """Where each can be had."""


class ClaimPage(msgspec.Struct, frozen=True):
    """A page of claims; the next one begins after `next_cursor`."""

    items: list[ClaimOut]
    next_cursor: str | None


def _out(claim: ClaimView) -> ClaimOut:
    return ClaimOut(
        id=claim.id,
        order_number=claim.order_number,
        kind=claim.kind.value,
        remedy=claim.remedy.value,
        said=claim.said,
        status=claim.standing,
        answer=claim.answer,
        rma=claim.rma or None,
        refund_ids=claim.refunds,
        replacement=_anew(claim.replacement) if claim.replacement else None,
        filed_at=claim.filed_at,
        changed_at=claim.changed_at,
        items=[
            ItemOut(item.line_id, item.sku, item.title, item.size, item.color, item.quantity) for item in claim.items
        ],
        photos=[f"/api/v1/claims/{claim.id}/photos/{photo}" for photo in claim.photos],
    )


def _anew(anew: Anew) -> AnewOut:
    return AnewOut(anew.number, anew.status, anew.carrier, anew.tracking, anew.sent_at, anew.end_reason)


@get("/claims", summary="List claims, newest first", reads=True)
async def list_all(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    status: FromQuery[str | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: FromQuery[int] = 50,
) -> ClaimPage:
    """What customers claim to be damaged, faulty, missing or wrong. Scope `returns:read`."""
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidError(mark("A page has 1 to {most} items."), field="limit", most=MAX_PAGE)
    if status is not None and status not in STANDINGS:
        raise InvalidError(mark("There is no such status."), field="status")
    found = await list_claims(db, actor, standing=status, before=cursor, limit=limit + 1)
    shown = found[:limit]
    return ClaimPage([_out(claim) for claim in shown], str(shown[-1].id) if len(found) > limit else None)


@get("/claims/{claim_id:uuid}", summary="Show a claim", reads=True)
async def show(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], claim_id: FromPath[UUID]
) -> ClaimOut:
    """One claim. Scope `returns:read`."""
    actor.require("returns:read")
    return _out(await claim_for(db, actor, claim_id))


@get("/claims/{claim_id:uuid}/photos/{photo_id:uuid}", summary="A photo", media_type="image/jpeg", reads=True)
async def show_photo(
    db: NamedDependency[AsyncConnection],
    actor: NamedDependency[Actor],
    claim_id: FromPath[UUID],
    photo_id: FromPath[UUID],
) -> Response[bytes]:
    """A photo of a claim, as JPEG. Scope `returns:read`."""
    actor.require("returns:read")
    return Response(await photo_for(db, actor, claim_id, photo_id), media_type="image/jpeg")


routes: list[Any] = [list_all, show, show_photo]

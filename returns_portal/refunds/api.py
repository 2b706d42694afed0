"""Refunds over JSON."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.errors import InvalidError
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.queries import RefundView, list_refunds, refund_for

MAX_PAGE = 200


class PageOut(msgspec.Struct, frozen=True):
    """A page of refunds, newest first; the next one begins after `next_cursor`."""

    items: list[RefundView]
    next_cursor: str | None


@get("/refunds", summary="List refunds, newest first")
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


@get("/refunds/{refund_id:uuid}", summary="Show a refund")
async def show(
    db: NamedDependency[AsyncConnection], actor: NamedDependency[Actor], refund_id: FromPath[UUID]
) -> RefundView:
    """One refund. Scope `refunds:read`."""
    actor.require("refunds:read")
    return await refund_for(db, actor, refund_id)


routes: list[Any] = [list_all, show]

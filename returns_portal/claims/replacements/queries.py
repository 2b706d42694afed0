"""Loaders of what is sent anew. Each takes the actor; what is not theirs does not exist."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.replacements.models import EndReason, ReplacementStatus
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import parse_replacement_number


class Piece(msgspec.Struct, frozen=True):
    """So many of the article of a line; `variant_id` where they were taken from the stock."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    variant_id: UUID | None


class ReplacementView(msgspec.Struct, frozen=True):
    """What is sent anew, with all that its pages and rules need."""

    id: UUID
    number: str
    claim_id: UUID
    order_id: UUID
    order_number: str
    name: str
    locale: str
    address: dict[str, str]
    status: ReplacementStatus
    carrier: str
    tracking: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    pieces: list[Piece]


_VIEW: Final = """
    SELECT n.id, n.number, n.claim_id, n.order_id, o.number AS order_number, o.name, o.locale, o.address, n.status,
           n.carrier, n.tracking, n.created_at, n.sent_at, n.ended_at, n.end_reason,
           (SELECT json_agg(json_build_object('line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size,
                'color', l.color, 'quantity', k.quantity, 'variant_id', k.variant_id) ORDER BY l.position)
            FROM replacement_line k JOIN order_line l ON l.id = k.order_line_id WHERE k.replacement_id = n.id) AS pieces
    FROM replacement n JOIN orders o ON o.id = n.order_id
"""
_LOCK: Final = """
    SELECT o.id FROM orders o JOIN replacement n ON n.order_id = o.id WHERE n.number = :number FOR UPDATE OF o
"""


async def replacement_for(db: AsyncConnection, actor: Actor, number: str, *, lock: bool = False) -> ReplacementView:
    """What is sent anew under a number, as people give it; with `lock` its order is held until the transaction ends.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
    """
    known = parse_replacement_number(number) or ""
    # Locked by a statement of its own: one that waited for the lock would see what was there before.
    if lock:
        await run(db, _LOCK, number=known)
    rows = await run(db, f"{_VIEW} WHERE n.number = :number", number=known)
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError(mark("Nothing is sent anew under this number."), code="replacement_not_found")
    return _view(rows[0])


_TO_SEND: Final = f"{_VIEW} WHERE n.status = 'to_send' ORDER BY n.id LIMIT 500"
_LISTED: Final = f"""{_VIEW} WHERE (CAST(:status AS text) IS NULL OR n.status = :status)
    AND (CAST(:before AS uuid) IS NULL OR n.id < :before) ORDER BY n.id DESC LIMIT :limit"""


async def to_send(db: AsyncConnection, actor: Actor) -> list[ReplacementView]:
    """What waits to be packed and sent, the longest waiting first. For the warehouse and support."""
    actor.require("exchanges:read", "warehouse", "support")
    return [_view(row) for row in await run(db, _TO_SEND)]


async def list_replacements(
    db: AsyncConnection,
    actor: Actor,
    *,
    status: ReplacementStatus | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[ReplacementView]:
    """All that was or is to be sent anew, the newest first, after the one where the last page ended."""
    actor.require("exchanges:read", "support", "finance", "warehouse")
    wanted = status.value if status else None
    return [_view(row) for row in await run(db, _LISTED, status=wanted, before=before, limit=limit)]


def _view(row: Any) -> ReplacementView:  # noqa: ANN401 - a row
    return msgspec.convert(row._asdict(), ReplacementView)

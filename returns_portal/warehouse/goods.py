"""Which goods wait for a place to go."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run


class Homeless(msgspec.Struct, frozen=True):
    """Units of which nobody has said where they go, or of which one person has who may not say so alone."""

    id: UUID
    rma: str
    title: str
    size: str
    color: str
    quantity: int
    condition: str
    acceptance: str
    asked: str
    mine: bool
    """Whether the one who asked is the one who looks."""
    note: str
    since: datetime
    photos: list[UUID]


_HOMELESS: Final = """
    SELECT i.id, r.rma, coalesce(l.title, i.description) AS title, coalesce(l.size, '') AS size,
           coalesce(l.color, '') AS color, i.quantity, i.condition, i.acceptance, i.asked,
           i.disposed_by = :me AS mine, concat_ws(' · ', nullif(i.note, ''), nullif(p.note, '')) AS note,
           p.checked_in_at AS since,
           ARRAY(SELECT d.id FROM dock_photo d WHERE d.parcel_id = p.id
                 AND (d.order_line_id IS NULL OR d.order_line_id = i.order_line_id) ORDER BY d.id) AS photos
    FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
    LEFT JOIN order_line l ON l.id = i.order_line_id
    WHERE i.disposition = '' AND i.acceptance <> 'waiting' AND i.condition NOT IN ('not_shipped', 'kept')
        AND p.undone_at IS NULL
        AND (CAST(:after AS uuid) IS NULL OR i.id > CAST(:after AS uuid))
    ORDER BY i.id LIMIT :limit
"""


async def homeless(db: AsyncConnection, actor: Actor, *, after: UUID | None = None, limit: int = 50) -> list[Homeless]:
    """What waits for a place to go, the longest waiting first; what stands `after` one of them.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("warehouse", "support")
    return [Homeless(**row._asdict()) for row in await run(db, _HOMELESS, me=actor.label, after=after, limit=limit)]

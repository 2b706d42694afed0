"""Loaders of claims. Each takes the actor; what is not theirs does not exist."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.replacements.models import EndReason, ReplacementStatus
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.orders.units import REDUCED, worth_of

READERS: Final = ("returns:read", "support", "finance")
STANDINGS: Final = (
    "filed", "approving", "returning", "replacing", "refunded", "replaced", "reduced", "refused", "withdrawn",
)  # fmt: skip
"""Where a claim can stand, as people see it."""

STANDING: Final = """CASE
    WHEN c.status IN ('refunded', 'reduced') AND g.decision = 'waiting' THEN 'approving'
    WHEN c.status IN ('refunded', 'reduced') AND g.decision = 'declined' THEN 'filed'
    WHEN c.status = 'returning' AND r.status = 'cancelled' THEN 'filed'
    WHEN c.status = 'returning' AND EXISTS (
        SELECT FROM refund_line f JOIN parcel p ON p.id = f.parcel_id
        WHERE p.return_id = c.return_id AND f.voided_at IS NULL) THEN 'refunded'
    WHEN c.status = 'replaced' THEN coalesce((
        SELECT CASE n.status WHEN 'to_send' THEN 'replacing' WHEN 'ended' THEN 'filed' END
        FROM replacement n WHERE n.claim_id = c.id ORDER BY n.id DESC LIMIT 1), 'replaced')
    ELSE c.status END"""
"""Follows from what became of the gesture, the return or the replacement, so that it can never disagree with them."""


class ClaimedItem(msgspec.Struct, frozen=True):
    """So many units of a line; `unit_paid` is what each unit of the line cost."""

    line_id: UUID
    sku: str
    title: str
    size: str
    color: str
    quantity: int
    unit_paid: list[int]
    reduced: int = 0
    """By how much the price of the line's units was reduced."""

    @property
    def worth(self) -> int:
        """What was paid for its units and not given back by a reduction; where units cost differently, the dearest."""
        return sum(sorted(worth_of(self.unit_paid, self.reduced))[-self.quantity :])


class Anew(msgspec.Struct, frozen=True):
    """What was set aside to be sent anew, the last time that this was decided."""

    number: str
    status: ReplacementStatus
    carrier: str
    tracking: str
    sent_at: datetime | None
    end_reason: EndReason | None


class ClaimView(msgspec.Struct, frozen=True):
    """A claim as the faces show it."""

    id: UUID
    order_id: UUID
    order_number: str
    customer: str
    email: str
    locale: str
    currency: str
    delivered_at: datetime | None
    kind: Kind
    remedy: Remedy
    said: str
    standing: str
    answer: str
    rma: str
    """Of the return by which the goods come first; empty where there is none."""
    goodwill_id: UUID | None
    filed_by: str
    filed_at: datetime
    changed_at: datetime
    items: list[ClaimedItem]
    photos: list[UUID]
    refunds: list[UUID]
    """Of its gesture."""
    replacement: Anew | None

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to decide it."""
        return self.standing == "filed"


_JOINED: Final = """
    FROM item_claim c JOIN orders o ON o.id = c.order_id LEFT JOIN goodwill g ON g.id = c.goodwill_id
    LEFT JOIN returns r ON r.id = c.return_id
"""
_VIEW: Final = f"""
    SELECT c.id, c.order_id, o.number AS order_number, o.name AS customer, o.email, o.locale, o.currency,
           o.delivered_at, c.kind, c.remedy, c.said, {STANDING} AS standing, c.answer, coalesce(r.rma, '') AS rma,
           c.goodwill_id, c.filed_by, c.filed_at, c.changed_at,
           (SELECT json_agg(json_build_object('line_id', l.id, 'sku', l.sku, 'title', l.title, 'size', l.size,
                'color', l.color, 'quantity', k.quantity, 'unit_paid', l.unit_paid, 'reduced', {REDUCED})
                ORDER BY l.position)
            FROM item_claim_line k JOIN order_line l ON l.id = k.order_line_id WHERE k.claim_id = c.id) AS items,
           ARRAY(SELECT f.id FROM item_claim_photo f WHERE f.claim_id = c.id ORDER BY f.created_at, f.id) AS photos,
           ARRAY(SELECT f.id FROM refund f WHERE f.release_id = c.goodwill_id ORDER BY f.id) AS refunds,
           (SELECT json_build_object('number', n.number, 'status', n.status, 'carrier', n.carrier,
                'tracking', n.tracking, 'sent_at', n.sent_at, 'end_reason', n.end_reason)
            FROM replacement n WHERE n.claim_id = c.id ORDER BY n.id DESC LIMIT 1) AS replacement
    {_JOINED}
"""  # noqa: S608 - the parts are our own text


def _views(rows: Sequence[Any]) -> list[ClaimView]:
    return [msgspec.convert(row._asdict(), ClaimView) for row in rows]


async def claim_for(db: AsyncConnection, actor: Actor, claim_id: UUID) -> ClaimView:
    """One claim.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    rows = await run(db, f"{_VIEW} WHERE c.id = :id", id=claim_id)
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError(mark("There is no such claim."), code="claim_not_found")
    return _views(rows)[0]


async def claims_of_order(db: AsyncConnection, actor: Actor, order_id: UUID) -> list[ClaimView]:
    """The claims about an order that the actor may see, newest first."""
    if not actor.sees_order(order_id):
        return []
    return _views(await run(db, f"{_VIEW} WHERE c.order_id = :id ORDER BY c.id DESC", id=order_id))


async def waiting_claims(db: AsyncConnection, actor: Actor, *, after: UUID | None, limit: int) -> list[ClaimView]:
    """Claims that somebody has to decide, the longest waiting first.

    Raises:
        ForbiddenError: the actor may not see all claims.
    """
    actor.require(*READERS)
    where = "c.closed_at IS NULL AND " + ("c.id > :after AND " if after else "")
    values: dict[str, Any] = {"after": after} if after else {}
    query = f"{_VIEW} WHERE {where}{STANDING} = 'filed' ORDER BY c.id LIMIT :limit"
    return _views(await run(db, query, limit=limit, **values))


async def list_claims(
    db: AsyncConnection, actor: Actor, *, standing: str | None = None, before: UUID | None = None, limit: int
) -> list[ClaimView]:
    """Claims newest first, after the one where the last page ended.

    Raises:
        ForbiddenError: the actor may not see all claims.
    """
    actor.require(*READERS)
    conditions, values = ["true"], dict[str, Any]()
    if standing is not None:
        conditions.append(f"{STANDING} = :standing")
        values["standing"] = standing
    if before is not None:
        conditions.append("c.id < :before")
        values["before"] = before
    where = " AND ".join(conditions)
    return _views(await run(db, f"{_VIEW} WHERE {where} ORDER BY c.id DESC LIMIT :limit", limit=limit, **values))


class Step(msgspec.Struct, frozen=True):
    """One thing that happened to a claim."""

    action: str
    at: datetime


_STORY: Final = """
    SELECT h.action, h.at, h.id FROM history h WHERE h.subject_id = :id AND h.subject = 'item_claim'
    UNION ALL SELECT concat('anew_', h.action, '_' || n.end_reason), h.at, h.id FROM replacement n
        JOIN history h ON h.subject_id = n.id AND h.subject = 'replacement'
        WHERE n.claim_id = :id AND h.action IN ('sent', 'ended')
    ORDER BY at, id
"""


async def story_of(db: AsyncConnection, claim_id: UUID) -> list[Step]:
    """What happened to a claim and to what was sent anew, in order; the caller has shown that it is the actor's."""
    return [Step(row.action, row.at) for row in await run(db, _STORY, id=claim_id)]


_PHOTO: Final = """
    SELECT f.data, c.order_id FROM item_claim_photo f JOIN item_claim c ON c.id = f.claim_id
    WHERE f.id = :id AND c.id = :claim_id
"""


async def photo_for(db: AsyncConnection, actor: Actor, claim_id: UUID, photo_id: UUID) -> bytes:
    """A photo of a claim, as JPEG.

    Raises:
        NotFoundError: there is none, or it is of another customer's order.
    """
    rows = await run(db, _PHOTO, id=photo_id, claim_id=claim_id)
    if not rows or not actor.sees_order(rows[0].order_id):
        raise NotFoundError(mark("There is no such photo."), code="photo_not_found")
    return bytes(rows[0].data)


_OPEN: Final = f"""
    SELECT k.order_line_id, CAST(sum(k.quantity) AS int) AS units
    {_JOINED} JOIN item_claim_line k ON k.claim_id = c.id
    WHERE c.order_id = :order_id AND c.kind <> 'missing' AND c.closed_at IS NULL
      AND {STANDING} IN ('filed', 'replacing')
    GROUP BY k.order_line_id
"""


async def open_units(db: AsyncConnection, order_id: UUID) -> dict[UUID, int]:
    """Units by line whose claim waits for a decision or for a new one, but for those that every count of units has.

    Those are the missing ones, see `orders.units.CLAIMED`.
    """
    return {row.order_line_id: row.units for row in await run(db, _OPEN, order_id=order_id)}

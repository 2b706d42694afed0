"""Claims against carriers as staff read them: the list, one with its history, and the file for the carrier."""

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.finance.cells import safe
from returns_portal.i18n import mark
from returns_portal.money import Money
from returns_portal.tryon.claim_models import ClaimKind, ClaimStatus

READERS: Final = ("support", "finance")


class Claim(msgspec.Struct, frozen=True):
    """One claim, with what it is about; `amount` in minor units of `currency`."""

    id: UUID
    kind: ClaimKind
    status: ClaimStatus
    trial: str
    """The number of the trial; empty for a claim of a return."""
    rma: str
    """The number of the return; empty for a claim of a trial's item."""
    sku: str
    title: str
    size: str
    color: str
    said: str
    """What the customer wrote."""
    carrier: str
    tracking: str
    currency: str
    amount: int
    reference: str
    notes: str
    opened_at: datetime
    changed_at: datetime
    photos: list[UUID]


class Step(msgspec.Struct, frozen=True):
    """Something that was done about a claim."""

    action: str
    actor: str
    at: datetime
    data: dict[str, Any]


_CLAIMS: Final = """
    SELECT c.id, c.kind, c.status, coalesce(t.number, '') AS trial, coalesce(r.rma, '') AS rma,
           coalesce(l.sku, '') AS sku, coalesce(l.title, '') AS title, coalesce(l.size, '') AS size,
           coalesce(l.color, '') AS color, coalesce(i.problem_note, '') AS said, c.carrier, c.tracking, c.currency,
           c.amount, c.reference, c.notes, c.opened_at, c.changed_at,
           ARRAY(SELECT f.id FROM trial_photo f WHERE f.item_id = c.item_id ORDER BY f.created_at, f.id) AS photos
    FROM carrier_claim c LEFT JOIN trial_item i ON i.id = c.item_id LEFT JOIN trial t ON t.id = i.trial_id
    LEFT JOIN order_line l ON l.id = i.order_line_id LEFT JOIN returns r ON r.id = c.return_id
"""
_LIST: Final = f"""
    {_CLAIMS} WHERE (CAST(:status AS text) IS NULL OR c.status = :status)
    AND (CAST(:before AS uuid) IS NULL OR c.id < :before) ORDER BY c.id DESC LIMIT :limit
"""
_ONE: Final = f"{_CLAIMS} WHERE c.id = :id"
_STEPS: Final = """
    SELECT h.action, coalesce(s.name, h.actor) AS actor, h.at, h.data
    FROM history h LEFT JOIN staff s ON h.actor = 'staff:' || s.id
    WHERE h.subject = 'carrier_claim' AND h.subject_id = :id ORDER BY h.at, h.id
"""


async def claims(
    db: AsyncConnection, actor: Actor, *, status: str | None = None, before: UUID | None = None, limit: int = 50
) -> list[Claim]:
    """Claims, the newest first, after the one where the last page ended.

    Raises:
        ForbiddenError: the actor is of neither support nor finance.
    """
    actor.require(*READERS)
    rows = await run(db, _LIST, status=status, before=before, limit=limit)
    return [msgspec.convert(row._asdict(), Claim) for row in rows]


async def claim_for(db: AsyncConnection, actor: Actor, claim_id: UUID) -> tuple[Claim, list[Step]]:
    """One claim, and what was done about it.

    Raises:
        ForbiddenError: the actor is of neither support nor finance.
        NotFoundError: there is no such claim.
    """
    actor.require(*READERS)
    rows = await run(db, _ONE, id=claim_id)
    if not rows:
        raise NotFoundError(mark("There is no such claim."), code="claim_not_found")
    steps = [msgspec.convert(row._asdict(), Step) for row in await run(db, _STEPS, id=claim_id)]
    return msgspec.convert(rows[0]._asdict(), Claim), steps


_COLUMNS: Final = (
    "claim_id,status,kind,trial,return_number,sku,article,size,colour,carrier,tracking,currency,amount,reference,"
    "customer_wrote,notes,opened_on,photos"
)


def claims_csv(rows: Sequence[Claim], zone: str) -> str:
    """Claims as CSV: decimal amounts in major units, days of the shop's zone."""
    out = StringIO()
    out.write(_COLUMNS + "\n")
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        texts = (row.sku, row.title, row.size, row.color, row.carrier, row.tracking)
        writer.writerow(
            [
                row.id,
                row.status.value,
                row.kind.value,
                row.trial,
                row.rma,
                *map(safe, texts),
                row.currency,
                f"{Money(row.amount, row.currency).decimal:f}",
                safe(row.reference),
                safe(row.said),
                safe(row.notes),
                row.opened_at.astimezone(ZoneInfo(zone)).date().isoformat(),
                len(row.photos),
            ]
        )
    return out.getvalue()

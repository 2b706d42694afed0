"""Reads for the dock."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.questions import Question, ask
from returns_portal.warehouse.codes import parcel_codes
from returns_portal.warehouse.rules import readings, rma_of


async def rma_for_code(db: AsyncConnection, actor: Actor, code: str) -> str:
    """The return number that a scanned code means: an RMA, or the tracking number of a label, plain or in GS1 form.

    Raises:
        NotFoundError: the code means no return.
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", "warehouse", "support")
    codes = parcel_codes(code)
    for each in codes:
        rma = rma_of(each)
        if rma is not None:
            return rma
    found: str | None = (
        await db.execute(
            text(
                "SELECT r.rma FROM label b JOIN returns r ON r.id = b.return_id WHERE b.code = ANY(:codes)"
                " OR b.tracking = ANY(:codes) ORDER BY b.created_at DESC LIMIT 1"
            ),
            {"codes": [reading for each in codes for reading in readings(each)]},
        )
    ).scalar_one_or_none()
    if found is None:
        raise NotFoundError("No return has this code. Check the label, or look for the order.", code="unknown_code")
    return found


class ItemView(msgspec.Struct, frozen=True):
    """What was counted: units of one line in one condition."""

    id: UUID
    line_id: UUID | None
    quantity: int
    condition: str
    acceptance: str
    description: str
    decision_reason: str
    decided_at: datetime | None


class ParcelView(msgspec.Struct, frozen=True):
    """A check-in."""

    id: UUID
    return_id: UUID
    rma: str
    number: int
    checked_in_at: datetime
    checked_in_by: str
    note: str
    undone_at: datetime | None
    corrects_id: UUID | None
    corrected_at: datetime | None
    items: list[ItemView]


_PARCELS = """
    SELECT p.id, p.return_id, r.rma, p.number, p.checked_in_at, p.checked_in_by, p.note, p.undone_at, p.corrects_id,
           p.corrected_at,
           (SELECT coalesce(json_agg(json_build_object(
                'id', i.id, 'line_id', i.order_line_id, 'quantity', i.quantity, 'condition', i.condition,
                'acceptance', i.acceptance, 'description', i.description, 'decision_reason', i.decision_reason,
                'decided_at', i.decided_at
            ) ORDER BY i.id), '[]'::json) FROM parcel_item i WHERE i.parcel_id = p.id) AS items
    FROM parcel p JOIN returns r ON r.id = p.return_id
"""


async def _parcels(db: AsyncConnection, condition: str, values: dict[str, object]) -> list[ParcelView]:
    return await ask(db, _question(condition, values))


def _question(condition: str, values: dict[str, object]) -> Question[ParcelView]:
    return Question(f"{_PARCELS} WHERE {condition} ORDER BY p.number, p.id", values, ParcelView)


async def parcels_of(db: AsyncConnection, actor: Actor, return_id: UUID) -> list[ParcelView]:
    """The live check-ins of a return that the actor may see."""
    return await ask(db, of_return(actor, return_id))


def of_return(actor: Actor, return_id: UUID) -> Question[ParcelView]:
    """As `parcels_of`, to be asked together with others."""
    condition, values = "p.return_id = :id AND p.undone_at IS NULL", dict[str, object](id=return_id)
    if actor.kind == "customer":
        if actor.gift_id:
            return _question(f"{condition} AND r.gift_id = :gift_id", values | {"gift_id": actor.gift_id})
        whose = "r.order_id = :order_id AND r.gift_id IS NULL"
        return _question(f"{condition} AND {whose}", values | {"order_id": actor.order_id})
    return _question(condition, values)


async def parcel_for(db: AsyncConnection, actor: Actor, parcel_id: UUID) -> ParcelView:
    """One check-in.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", "warehouse", "support", "finance")
    found = await _parcels(db, "p.id = :id", {"id": parcel_id})
    if not found:
        raise NotFoundError("There is no such check-in.")
    return found[0]


class WaitingItem(msgspec.Struct, frozen=True):
    """A damaged or wrong item that waits for a decision."""

    id: UUID
    parcel_id: UUID
    rma: str
    order_number: str
    customer: str
    line_id: UUID
    title: str
    size: str
    color: str
    quantity: int
    condition: str
    note: str
    currency: str
    unit_paid: list[int]
    checked_in_at: datetime
    refund_deadline: datetime
    photos: list[UUID] = []
    """Those of this item, and those of its whole parcel."""


async def waiting_items(
    db: AsyncConnection, actor: Actor, *, rma: str | None = None, limit: int = 100, offset: int = 0
) -> list[WaitingItem]:
    """What waits for a decision, the longest waiting first.

    Raises:
        ForbiddenError: the actor does not decide.
    """
    actor.require("returns:write", "finance", "support", "warehouse")
    rows = await db.execute(
        text(
            "SELECT i.id, i.parcel_id, r.rma, o.number AS order_number, o.name AS customer, l.id AS line_id, l.title,"
            " l.size, l.color, i.quantity, i.condition, o.currency, l.unit_paid, p.checked_in_at, r.refund_deadline,"
            " concat_ws(' · ', nullif(i.note, ''), nullif(p.note, '')) AS note,"
            " ARRAY(SELECT d.id FROM dock_photo d WHERE d.parcel_id = p.id AND"
            " (d.order_line_id IS NULL OR d.order_line_id = l.id) ORDER BY d.id) AS photos"
            " FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id"
            " JOIN returns r ON r.id = p.return_id JOIN orders o ON o.id = r.order_id"
            " JOIN order_line l ON l.id = i.order_line_id"
            " WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL"
            " AND (CAST(:rma AS text) IS NULL OR r.rma = :rma) ORDER BY i.id LIMIT :limit OFFSET :offset"
        ),
        {"rma": rma, "limit": limit, "offset": offset},
    )
    return [WaitingItem(**row._mapping) for row in rows]


class DockFigures(msgspec.Struct, frozen=True):
    """What stands beside the scan field."""

    mine_today: int
    """Parcels that this person checked in since the day began."""
    waiting: int
    """Items that wait for a decision."""
    longest_since: datetime | None


async def dock_figures(db: AsyncConnection, actor: Actor, day_began: datetime) -> DockFigures:
    """The figures of the station, from the beginning of the shop's day on."""
    actor.require("warehouse", "support")
    row = (
        await db.execute(
            text(
                "SELECT (SELECT count(*) FROM parcel WHERE checked_in_by = :me"
                " AND (checked_in_at >= :since OR counted_at >= :since) AND undone_at IS NULL) AS mine_today,"
                " (SELECT count(*) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id"
                "  WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL) AS waiting,"
                " (SELECT min(p.checked_in_at) FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id"
                "  WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL) AS longest_since"
            ),
            {"me": actor.label, "since": day_began},
        )
    ).one()
    return DockFigures(**row._mapping)


class FindingView(msgspec.Struct, frozen=True):
    """Something in a parcel that was not as announced."""

    kind: str
    quantity: int
    line_id: UUID | None
    description: str


_FINDINGS = """
    SELECT kind, quantity, order_line_id AS line_id, description FROM parcel_finding WHERE parcel_id = :id ORDER BY id
"""


async def findings_of(db: AsyncConnection, parcel_id: UUID) -> list[FindingView]:
    """What in a parcel was not as announced; the caller has shown that the actor may see the parcel."""
    return [FindingView(**row._asdict()) for row in await run(db, _FINDINGS, id=parcel_id)]


async def photos_of(db: AsyncConnection, parcel_id: UUID) -> list[UUID]:
    """The photos of a parcel, those from when nobody knew whose it is included; the caller has shown as above."""
    rows = await run(db, _PHOTOS, id=parcel_id)
    return [row.id for row in rows]


_PHOTOS = """
    SELECT d.id FROM dock_photo d WHERE d.parcel_id = :id
    UNION ALL
    SELECT d.id FROM parcel p JOIN dock_photo d ON d.found_id = p.found_id WHERE p.id = :id AND d.parcel_id IS NULL
    ORDER BY id
"""


async def eans_of(db: AsyncConnection, skus: list[str]) -> dict[str, str]:
    """The EANs of articles by their own numbers, where the catalogue has any."""
    rows = await run(db, "SELECT sku, ean FROM variant WHERE sku = ANY(:skus) AND ean <> ''", skus=skus)
    return {row.sku: row.ean for row in rows}


_LINES = """
    SELECT l.id, l.sku, coalesce(v.ean, '') AS ean, l.quantity FROM order_line l
    LEFT JOIN variant v ON v.sku = l.sku WHERE l.order_id = :id ORDER BY l.position
"""


class ScannedLine(msgspec.Struct, frozen=True):
    """A line of an order with what may be scanned for it."""

    id: UUID
    sku: str
    ean: str
    quantity: int


async def lines_to_scan(db: AsyncConnection, order_id: UUID) -> list[ScannedLine]:
    """An order's lines with their codes; the caller has shown that the actor may see the order."""
    return [ScannedLine(**row._asdict()) for row in await run(db, _LINES, id=order_id)]

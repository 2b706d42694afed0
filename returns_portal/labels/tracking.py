"""Following parcels: what carriers tell of them, recorded once, and what follows from it for the return."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.carriers.gateway import CarrierRefusedError, Scan, ScanCode, Track
from returns_portal.carriers.registry import Carriers
from returns_portal.db import Begin, run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer, defer_many
from returns_portal.labels.letters import tell
from returns_portal.labels.life import about, lock_label, move_to
from returns_portal.labels.models import LabelStatus
from returns_portal.labels.rules import MOVING, after_scan, is_reuse
from returns_portal.orders.models import TRIAL

log = structlog.get_logger(__name__)

MOVING_EVERY: Final = timedelta(hours=2)
"""How often a parcel under way is asked for."""
RESTING_EVERY: Final = timedelta(hours=8)
"""How often one is asked for that nobody has handed in yet, or whose money is to come back."""
_BATCH: Final = 200
_WORDS: Final = 200


async def track(context: JobContext, label_id: UUID) -> None:
    """Read where a parcel is, and let what is new of it take effect.

    Raises:
        CarrierUnknownError: no answer; the job comes again.
    """
    async with context.begin() as db:
        label = await lock_label(db, label_id)
    if label.shipment_ref is None:
        return
    try:
        found = await context.service(Carriers).named(label.carrier).track(label.shipment_ref, label.tracking or "")
    except CarrierRefusedError as error:
        log.warning("label.not_tracked", label=str(label_id), carrier=label.carrier, reason=str(error))
        return
    async with context.begin() as db:
        await record(db, label_id, found)


_STORE: Final = """
    INSERT INTO tracking_event SELECT * FROM json_populate_recordset(NULL::tracking_event, CAST(:rows AS json))
    ON CONFLICT (carrier, event_id) DO NOTHING RETURNING event_id
"""


async def record(db: AsyncConnection, label_id: UUID, found: Track) -> None:
    """Record what a carrier knows of a parcel; what was recorded before changes nothing."""
    label = await lock_label(db, label_id)
    await _learn(db, label, found)
    new = await _store(db, label, found.scans)
    if not new:
        return
    await _note(db, label, new)
    await _move(db, label, new)


async def _store(db: AsyncConnection, label: Any, scans: Sequence[Scan]) -> list[Scan]:  # noqa: ANN401 - a row
    """Store what is new of the scans; these, in the order in which they happened."""
    now = clock.now()
    rows = [
        {
            "id": new_id(),
            "label_id": label.id,
            "carrier": label.carrier,
            "event_id": scan.event_id,
            "code": scan.code.value,
            "words": scan.words[:_WORDS],
            "place": scan.place[:_WORDS],
            "at": scan.at,
            "received_at": now,
        }
        for scan in scans
    ]
    if not rows:
        return []
    stored = {row.event_id for row in await run(db, _STORE, rows=msgspec.json.encode(rows).decode())}
    return sorted((scan for scan in scans if scan.event_id in stored), key=lambda scan: scan.at)


_LEARN: Final = """
    UPDATE label SET tracking = coalesce(:tracking, tracking), expected_on = coalesce(:expected, expected_on),
        cost = coalesce(cost, :cost), cost_currency = CASE WHEN cost IS NULL AND CAST(:cost AS bigint) IS NOT NULL
            THEN :currency ELSE cost_currency END,
        void_status = CASE WHEN status = 'voided' AND CAST(:void AS text) IS NOT NULL AND void_status <> ''
            THEN :void ELSE void_status END, polled_at = :now
    WHERE id = :id
"""


async def _learn(db: AsyncConnection, label: Any, found: Track) -> None:  # noqa: ANN401 - a row
    void = found.void.value if found.void else None
    await run(
        db,
        _LEARN,
        id=label.id,
        tracking=found.tracking or None,
        expected=found.expected,
        cost=found.cost,
        currency=found.currency,
        void=void,
        now=clock.now(),
    )
    if void and label.status == LabelStatus.VOIDED and label.void_status not in ("", void):
        await history.record(db, SYSTEM, ("label", label.id, "void_answered", {"void_status": void}))


_NOTE: Final = """
    UPDATE label SET last_scan_at = greatest(last_scan_at, :at), stuck_at = NULL,
        last_scan = CASE WHEN last_scan_at IS NULL OR last_scan_at <= :at THEN :code ELSE last_scan END,
        first_scan_at = CASE WHEN CAST(:first AS timestamptz) IS NULL THEN first_scan_at
            ELSE least(first_scan_at, :first) END
    WHERE id = :id
"""


async def _note(db: AsyncConnection, label: Any, new: Sequence[Scan]) -> None:  # noqa: ANN401 - a row
    scanned = [scan.at for scan in new if scan.code is not ScanCode.CREATED]
    await run(db, _NOTE, id=label.id, at=new[-1].at, code=new[-1].code.value, first=min(scanned) if scanned else None)


async def _move(db: AsyncConnection, label: Any, new: Sequence[Scan]) -> None:  # noqa: ANN401 - a row
    """Let the label follow its parcel, and tell the customer where it has come to: once, however much is new."""
    status = before = LabelStatus(label.status)
    ended_at = label.delivered_at or label.voided_at
    for scan in new:
        if label.reused_at is None and is_reuse(status, scan.code, scan.at, ended_at):
            await _flag_reuse(db, label.id, scan.at)
        to = after_scan(status, scan.code)
        if to is not None:
            arrived = to is LabelStatus.DELIVERED
            await move_to(db, SYSTEM, label.id, to, **({"delivered_at": scan.at} if arrived else {}))
            status, ended_at = to, scan.at if arrived else ended_at
    if status is not before:
        await _follow(db, label.id, status, new)
    elif new[-1].code is ScanCode.RETURNED and status is LabelStatus.IN_TRANSIT:
        await stuck(db, label.id, returned=True)


async def _follow(db: AsyncConnection, label_id: UUID, status: LabelStatus, new: Sequence[Scan]) -> None:
    label = await lock_label(db, label_id)
    told = await about(db, label.return_id)
    if told.source == TRIAL and any(scan.code in MOVING or scan.code is ScanCode.DELIVERED for scan in new):
        await defer(db, "tryon.scanned", return_id=str(label.return_id), moment=label.first_scan_at.isoformat())
    if told.arrived:
        return
    if status is LabelStatus.LOST:
        await lost(db, label_id)
    elif status is LabelStatus.DELIVERED:
        await tell(db, label, "parcel_delivered")
    elif new[-1].code is ScanCode.RETURNED:
        await stuck(db, label_id, returned=True)
    else:
        expected = label.expected_on.isoformat() if label.expected_on else ""
        await tell(db, label, "parcel_on_its_way", expected=expected)


async def _flag_reuse(db: AsyncConnection, label_id: UUID, at: datetime) -> None:
    await run(db, "UPDATE label SET reused_at = :at WHERE id = :id AND reused_at IS NULL", id=label_id, at=at)
    await history.record(db, SYSTEM, ("label", label_id, "reused", {"at": at.isoformat()}))


async def lost(db: AsyncConnection, label_id: UUID) -> None:
    """Tell the customer that a parcel is lost, and that it is not their loss; a claim against the carrier is opened."""
    await tell(db, await lock_label(db, label_id), "parcel_lost")
    await defer(db, "tryon.claim_lost", label_id=str(label_id))


async def stuck(db: AsyncConnection, label_id: UUID, *, returned: bool = False) -> None:
    """Tell the customer, before they ask, that a parcel does not move, or goes back to them."""
    label = await lock_label(db, label_id)
    if label.stuck_at is None:
        await run(db, "UPDATE label SET stuck_at = :now WHERE id = :id", id=label_id, now=clock.now())
        await history.record(db, SYSTEM, ("label", label_id, "stuck", {"returned": returned}))
        await tell(db, label, "parcel_stuck", returned=returned)


_DUE: Final = """
    WITH due AS (
        SELECT id FROM label WHERE status IN ('bought', 'sent', 'in_transit') AND carrier <> 'prepaid'
            AND shipment_ref IS NOT NULL
            AND coalesce(polled_at, bought_at) < CASE status WHEN 'in_transit' THEN CAST(:moving AS timestamptz)
                ELSE CAST(:resting AS timestamptz) END
        ORDER BY polled_at NULLS FIRST LIMIT :most FOR UPDATE SKIP LOCKED)
    UPDATE label SET polled_at = :now WHERE id IN (SELECT id FROM due) RETURNING id
"""
# Money that is to come back, and parcels that were given up, are asked for as well, as long as it makes sense.
_DUE_LATER: Final = """
    WITH due AS (
        SELECT id FROM label WHERE carrier <> 'prepaid' AND shipment_ref IS NOT NULL AND created_at > :since
            AND (status = 'voided' AND void_status = 'submitted' OR status = 'lost')
            AND coalesce(polled_at, created_at) < :resting
        ORDER BY polled_at NULLS FIRST LIMIT :most FOR UPDATE SKIP LOCKED)
    UPDATE label SET polled_at = :now WHERE id IN (SELECT id FROM due) RETURNING id
"""
_STILL_ASKED: Final = timedelta(days=150)


async def poll(begin: Begin) -> int:
    """Ask after the parcels that nothing was told of for a while; how many."""
    now = clock.now()
    resting = now - RESTING_EVERY
    async with begin() as db:
        due = await run(db, _DUE, now=now, moving=now - MOVING_EVERY, resting=resting, most=_BATCH)
        due += await run(db, _DUE_LATER, now=now, resting=resting, since=now - _STILL_ASKED, most=_BATCH)
        await defer_many(db, "labels.track", [{"label_id": str(row.id)} for row in due])
    return len(due)

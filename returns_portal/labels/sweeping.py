"""What time does to labels: parcels that were checked in, labels that nobody needs, parcels that do not move."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.jobs import defer_many
from returns_portal.labels.life import move_to
from returns_portal.labels.models import LIVE_SQL, LabelStatus
from returns_portal.labels.policy import carrier_policy
from returns_portal.labels.tracking import lost, stuck
from returns_portal.labels.voiding import void
from returns_portal.returns.whose import LABELLED

_BATCH: Final = 200
_BACK: Final = timedelta(days=2)
"""How far back check-ins and cancellations are looked for: a worker may have been away."""
_HANGING: Final = timedelta(minutes=20)
"""After this time nobody works on a request any more, unless it is asked again."""

_COUNTED: Final = "(p.checked_in_at > :since OR p.counted_at > :since)"
"""A parcel `p` that was counted lately, whenever it came: one without a name may have waited on a shelf."""
_LATELY: Final = f"{_COUNTED} AND p.undone_at IS NULL"

# What brought these labels there is told by the check-in, in the history of the return.
_RECEIVED: Final = f"""
    UPDATE label b SET status = 'delivered', delivered_at = coalesce(b.delivered_at, p.checked_in_at)
    FROM parcel p JOIN returns r ON r.id = p.return_id WHERE {_LATELY} AND b.return_id = {LABELLED}
        AND b.number = p.number AND b.status IN ('bought', 'sent', 'in_transit', 'lost', 'expired')
"""  # noqa: S608 - our own words
# A check-in that was undone took place at another parcel: this one is where it was, unless its carrier brought it. It
# can be undone for a day at most (`REFUND_DELAY`), so that only what was counted lately is looked at.
_UNDONE: Final = f"""
    UPDATE label b SET delivered_at = NULL, status = CASE WHEN b.first_scan_at IS NOT NULL THEN 'in_transit'
        WHEN b.carrier = 'prepaid' THEN 'bought' ELSE 'sent' END
    FROM parcel p JOIN returns r ON r.id = p.return_id
    WHERE {_COUNTED} AND p.undone_at IS NOT NULL AND b.return_id = {LABELLED} AND b.number = p.number
        AND b.status = 'delivered' AND b.delivered_at = p.checked_in_at
        AND NOT EXISTS (SELECT FROM returns f JOIN parcel q ON q.return_id = f.id
            WHERE (f.id = b.return_id OR f.travels_with = b.return_id) AND q.number = p.number
            AND q.undone_at IS NULL)
        AND NOT EXISTS (SELECT FROM tracking_event e WHERE e.label_id = b.id AND e.code = 'delivered')
        AND NOT EXISTS (SELECT FROM label c WHERE c.return_id = b.return_id AND c.number = b.number
            AND {LIVE_SQL})
"""  # noqa: S608 - our own words
# A parcel more than there are labels came with a label that had been used, or was printed twice.
_REUSED: Final = f"""
    UPDATE label b SET reused_at = p.checked_in_at FROM parcel p
    WHERE {_LATELY} AND p.number > 1 AND b.return_id = p.return_id
        AND b.number = 1 AND b.status = 'delivered' AND b.reused_at IS NULL
        AND NOT EXISTS (SELECT FROM label c WHERE c.return_id = p.return_id AND c.number = p.number)
"""  # noqa: S608 - our own words
# A label that was given back came all the same, unless another one of the same parcel did.
_VOIDED_USED: Final = f"""
    UPDATE label b SET reused_at = p.checked_in_at FROM parcel p
    WHERE {_LATELY} AND b.return_id = p.return_id AND b.number = p.number
        AND b.status = 'voided' AND b.bought_at IS NOT NULL AND b.voided_at < p.checked_in_at AND b.reused_at IS NULL
        AND NOT EXISTS (SELECT FROM label c WHERE c.return_id = b.return_id AND c.number = b.number
            AND c.id <> b.id AND (c.status <> 'voided' OR c.created_at > b.created_at))
"""  # noqa: S608 - our own words
_CANCELLED: Final = """
    SELECT b.id FROM returns r JOIN label b ON b.return_id = r.id
    WHERE r.status = 'cancelled' AND r.cancelled_at > :since AND b.status IN ('bought', 'sent')
    ORDER BY b.id LIMIT :most
"""
_HANGS: Final = """
    SELECT id FROM label WHERE status = 'requested' AND created_at < :late
    AND created_at > :since ORDER BY id LIMIT :most
"""
_UNANSWERED: Final = """
    SELECT id FROM label WHERE status = 'voided' AND void_status = '' AND voided_at BETWEEN :since AND :late
    ORDER BY id LIMIT :most
"""


async def sweep(begin: Begin) -> None:
    """Catch up with check-ins and cancellations, and set going again what hangs."""
    now = clock.now()
    since, late = now - _BACK, now - _HANGING
    async with begin() as db:
        await run(db, _RECEIVED, since=since)
        await run(db, _UNDONE, since=since)
        await run(db, _REUSED, since=since)
        await run(db, _VOIDED_USED, since=since)
        for row in await run(db, _CANCELLED, since=since, most=_BATCH):
            await void(db, SYSTEM, row.id)
        hanging = await run(db, _HANGS, late=late, since=now - timedelta(days=30), most=_BATCH)
        await defer_many(db, "labels.buy", [{"label_id": str(row.id)} for row in hanging])
        asked = await run(db, _UNANSWERED, late=late, since=now - timedelta(days=30), most=_BATCH)
        await defer_many(db, "labels.void", [{"label_id": str(row.id)} for row in asked])


_UNUSED: Final = """
    SELECT id FROM label WHERE status IN ('bought', 'sent') AND carrier <> 'prepaid' AND first_scan_at IS NULL
        AND bought_at < :before ORDER BY id LIMIT :most
"""
_STILL: Final = """
    SELECT id FROM label WHERE status = 'in_transit' AND carrier <> 'prepaid'
        AND coalesce(last_scan_at, first_scan_at) < :before AND ({condition}) ORDER BY id LIMIT :most
"""
_STUCK: Final = _STILL.format(condition="stuck_at IS NULL")
_GONE: Final = _STILL.format(condition="true")
_ENDED: Final = """
    SELECT id FROM label WHERE status IN ('bought', 'sent') AND expires_at < :now ORDER BY id LIMIT :most
"""


async def watch(begin: Begin) -> None:
    """Give unused labels back, tell of parcels that do not move, and give up those that are lost."""
    now = clock.now()
    async with begin() as db:
        policy = await carrier_policy(db)
        for row in await run(db, _ENDED, now=now, most=_BATCH):
            await move_to(db, SYSTEM, row.id, LabelStatus.EXPIRED)
        for row in await run(db, _UNUSED, before=now - timedelta(days=policy.void_days), most=_BATCH):
            await void(db, SYSTEM, row.id)
        for row in await run(db, _GONE, before=now - timedelta(days=policy.lost_days), most=_BATCH):
            await _lose(db, row.id)
        for row in await run(db, _STUCK, before=now - timedelta(days=policy.stuck_days), most=_BATCH):
            await stuck(db, row.id)


async def _lose(db: AsyncConnection, label_id: UUID) -> None:
    """Nobody has seen the parcel for long: it counts as lost, and the customer is told who looks after it."""
    await move_to(db, SYSTEM, label_id, LabelStatus.LOST)
    await lost(db, label_id)

"""What carriers tell by webhook: stored once, as it was told, before it is acknowledged.

What it says is not believed, because it comes late, twice and out of order: a job reads the parcel from the carrier
anew. What is never delivered is asked for (`labels.tracking.poll`).
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.carriers.gateway import News
from returns_portal.db import Begin, run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer
from returns_portal.labels.tracking import track

KEPT: Final = timedelta(days=90)
"""How long the bytes are kept: there may be names and addresses in them."""

# A list of bytes is no JSON, so that this is not for `insert_rows`.
_STORE: Final = """
    INSERT INTO carrier_news (id, carrier, event_id, kind, ref, tracking, received_at, body)
    VALUES (:id, :carrier, :event_id, :kind, :ref, :tracking, :now, :body)
    ON CONFLICT (carrier, event_id) DO NOTHING RETURNING id
"""
_SUBJECTS: Final = """
    SELECT b.id FROM carrier_news n JOIN label b ON b.carrier = n.carrier
        AND (b.shipment_ref = n.ref AND n.ref <> '' OR b.tracking = n.tracking AND n.tracking <> '')
    WHERE n.id = :id AND n.handled_at IS NULL
"""


async def store(db: AsyncConnection, carrier: str, news: News, body: bytes) -> bool:
    """Store news with the job that looks at the parcel; false where it was stored before, and nothing is done."""
    stored = await run(
        db,
        _STORE,
        id=new_id(),
        carrier=carrier,
        event_id=news.event_id,
        kind=news.kind,
        ref=news.ref,
        tracking=news.tracking,
        now=clock.now(),
        body=body,
    )
    if stored:
        await defer(db, "labels.read_news", news_id=str(stored[0].id))
    return bool(stored)


async def read(context: JobContext, news_id: UUID) -> None:
    """Look at the parcels that come back of which news tell; what is none of ours may be one that we sent.

    Raises:
        CarrierUnknownError: no answer; the job comes again.
    """
    async with context.begin() as db:
        subjects = [row.id for row in await run(db, _SUBJECTS, id=news_id)]
    for label_id in subjects:
        await track(context, label_id)
    async with context.begin() as db:
        await run(db, "UPDATE carrier_news SET handled_at = :now WHERE id = :id", id=news_id, now=clock.now())
        if not subjects:
            await defer(db, "confirming.read_news", news_id=str(news_id))


async def forget_bodies(begin: Begin) -> None:
    """Delete the bytes of what is older than 90 days; that it came, and of what it told, stays."""
    async with begin() as db:
        await run(
            db,
            "UPDATE carrier_news SET body = NULL WHERE body IS NOT NULL AND received_at < :before",
            before=clock.now() - KEPT,
        )

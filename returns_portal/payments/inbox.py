"""The inbox of the gateway's events: each stored once, as it was told, before it is acknowledged.

What an event says is not believed, because events come late, twice and out of order: a job reads the object that it
names from the gateway anew and derives everything from that. Events that were never delivered are asked for.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.payments.gateway import GatewayNews, GatewayUnknownError
from returns_portal.payments.models import FoundBy
from returns_portal.payments.stripe import StripeGateway

log = structlog.get_logger(__name__)

SOURCE: Final = "stripe"

EVENTS: Final = (
    *("refund.created", "refund.updated", "refund.failed", "charge.refunded", "charge.refund.updated"),
    *("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
    *("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"),
    *("payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"),
    *("payment_intent.amount_capturable_updated", "payment_intent.requires_action"),
    *("setup_intent.succeeded", "setup_intent.setup_failed", "setup_intent.canceled", "setup_intent.requires_action"),
    *("payout.created", "payout.updated", "payout.paid", "payout.failed", "payout.canceled"),
)
"""The types that an endpoint for the portal should be told of; others are stored, and nothing follows from them."""

# What follows from an event is the affair of the capabilities above, which are not imported here.
_READ_BY: Final = {
    "refund": ("refunds.read_event",),
    "charge": ("refunds.read_event",),
    "dispute": ("refunds.read_event",),
    "payment_intent": ("refunds.read_event", "tryon.read_event"),
    "setup_intent": ("tryon.read_event",),
}
"""The jobs that read the object of an event, by the kind of object."""

KEPT: Final = timedelta(days=90)
"""How long the bytes of an event are kept: there may be names and addresses in them."""
OVERLAP: Final = timedelta(minutes=1)
"""How far a list is read back behind the newest that was found: what happens at once may be listed a little later."""
_FIRST: Final = timedelta(hours=1)
_BATCH: Final = 100

# A list of bytes is no JSON, so that this is not for `insert_rows`.
_STORE: Final = """
    INSERT INTO gateway_event (id, source, event_id, type, object_kind, object_id, found_by, occurred_at, received_at,
        handled_at, body)
    VALUES (:id, :source, :event_id, :type, :object_kind, :object_id, :found_by, :occurred_at, :now,
        CASE WHEN :ignored THEN CAST(:now AS timestamptz) END, :body)
    ON CONFLICT (source, event_id) DO NOTHING RETURNING id
"""


async def store(db: AsyncConnection, news: GatewayNews, found_by: FoundBy) -> bool:
    """Store an event with the jobs that read its object; false where it was stored before, and nothing is done."""
    readers = _READ_BY.get(news.object_kind, ())
    stored = await run(
        db,
        _STORE,
        id=new_id(),
        source=SOURCE,
        event_id=news.id,
        type=news.type,
        object_kind=news.object_kind,
        object_id=news.object_id,
        found_by=found_by.value,
        occurred_at=news.created,
        now=clock.now(),
        ignored=not readers,
        body=news.body,
    )
    for reader in readers if stored else ():
        await defer(db, reader, event_id=str(stored[0].id))
    return bool(stored)


async def subject(db: AsyncConnection, event_id: UUID) -> Any:  # noqa: ANN401 - a row
    """What an event tells of, by our own id of it: `object_kind` and `object_id`."""
    [row] = await run(db, "SELECT object_kind, object_id FROM gateway_event WHERE id = :id", id=event_id)
    return row


async def handled(db: AsyncConnection, event_id: UUID) -> None:
    """Note that what follows from an event has been done."""
    await run(db, "UPDATE gateway_event SET handled_at = :now WHERE id = :id", id=event_id, now=clock.now())


async def poll(begin: Begin, gateway: StripeGateway) -> int:
    """Ask the gateway for events that were not delivered, and store them; returns how many."""
    async with begin() as db:
        since = await read_since(db, "events")
    newest, found = since, 0
    batch: list[GatewayNews] = []
    try:
        async for news in gateway.list_events(since - OVERLAP, EVENTS):
            newest = max(newest, news.created)
            batch.append(news)
            if len(batch) == _BATCH:
                found += await _store_missing(begin, batch)
                batch.clear()
    except GatewayUnknownError as error:
        # The cursor stays, so that the next round asks for the same.
        log.info("inbox.not_polled", reason=str(error))
        return found
    found += await _store_missing(begin, batch)
    async with begin() as db:
        await set_read_until(db, "events", newest)
    if found:
        log.warning("inbox.events_were_missed", count=found)
    return found


async def _store_missing(begin: Begin, batch: Sequence[GatewayNews]) -> int:
    async with begin() as db:
        rows = await run(
            db,
            "SELECT event_id FROM gateway_event WHERE source = :source AND event_id = ANY(:ids)",
            source=SOURCE,
            ids=[news.id for news in batch],
        )
        known = {row.event_id for row in rows}
        return sum([await store(db, news, FoundBy.POLL) for news in batch if news.id not in known])


async def read_since(db: AsyncConnection, name: str) -> datetime:
    """Up to which moment, by the gateway's clock, a list was read; the first time a little while ago."""
    rows = await run(db, "SELECT read_until FROM gateway_cursor WHERE name = :name", name=name)
    if rows:
        found: datetime = rows[0].read_until
        # Our clock may have been ahead when the list was read for the first time.
        return min(found, clock.now())
    since = clock.now() - _FIRST
    await set_read_until(db, name, since)
    return since


async def set_read_until(db: AsyncConnection, name: str, moment: datetime) -> None:
    """Note that a list of the gateway was read completely up to then."""
    await run(
        db,
        "INSERT INTO gateway_cursor (name, read_until) VALUES (:name, :moment)"
        " ON CONFLICT (name) DO UPDATE SET read_until = greatest(gateway_cursor.read_until, excluded.read_until)",
        name=name,
        moment=moment,
    )


async def forget_bodies(begin: Begin) -> None:
    """Delete the bytes of events that are older than 90 days; that they came, and of what they told, stays."""
    async with begin() as db:
        await run(
            db,
            "UPDATE gateway_event SET body = NULL WHERE body IS NOT NULL AND received_at < :before",
            before=clock.now() - KEPT,
        )

"""Making the files with everything about a person: a job, since the paper takes seconds."""

from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.documents.record import Record, render
from returns_portal.jobs import JobContext
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.notifications.actions import enqueue
from returns_portal.privacy.asking import FILES_LAST, link_to_files
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.paper import paper_of
from returns_portal.privacy.people import person_of
from returns_portal.settings import Settings
from returns_portal.shop.queries import current

PRINT_SECONDS: Final = 120.0
_KEPT: Final = FILES_LAST + timedelta(days=1)

_WAITING: Final = """
    SELECT email, locale FROM privacy_request
    WHERE id = :id AND kind = 'export' AND confirmed_at IS NOT NULL AND done_at IS NULL
"""
# Of somebody who was forgotten while the paper was printed, the wish is gone, and its file with it.
_KEEP: Final = """
    UPDATE privacy_request SET data = :data, paper = :paper, done_at = :now
    WHERE id = :id AND done_at IS NULL RETURNING id
"""
_FILES: Final = "SELECT data, paper FROM privacy_request WHERE id = :id AND data IS NOT NULL"
_SWEEP: Final = "DELETE FROM privacy_request WHERE asked_at < :before"


class Files(NamedTuple):
    """Everything as JSON, and as PDF."""

    data: bytes
    paper: bytes


async def collect(db: AsyncConnection, settings: Settings, email: str, locale: str) -> tuple[bytes, Record]:
    """Everything about the person of an address: the JSON, and the paper that is to be printed."""
    shop = await current(db)
    found = await everything_of(db, await person_of(db, email), shop)
    return msgspec.json.format(msgspec.json.encode(found), indent=2), paper_of(found, shop, settings, locale=locale)


async def write(context: JobContext, request_id: UUID) -> None:
    """Make the files of a wish, and say by e-mail where they lie. Once, however often it runs."""
    settings = context.service(Settings)
    async with context.begin() as db:
        rows = await run(db, _WAITING, id=request_id)
        if not rows:
            return
        [asked] = rows
        data, record = await collect(db, settings, asked.email, asked.locale)
    paper = await context.service(LabelRenderer).pool.run(render, record, seconds=PRINT_SECONDS)
    async with context.begin() as db:
        kept = await run(db, _KEEP, id=request_id, data=data, paper=paper, now=clock.now())
        if kept and settings.secret_key is not None:
            secret = settings.secret_key.get_secret_value().encode()
            await enqueue(
                db,
                template="privacy_ready",
                recipient=asked.email,
                locale=asked.locale,
                subject_id=request_id,
                values={"url": link_to_files(secret, request_id), "days": FILES_LAST.days},
            )


async def files_of(db: AsyncConnection, request_id: UUID) -> Files | None:
    """The files of a wish, whose id the caller has out of a link; None while they are made, and when they are gone."""
    rows = await run(db, _FILES, id=request_id)
    return Files(*rows[0]) if rows else None


async def sweep(begin: Begin) -> None:
    """Delete wishes with their files some days after they were asked."""
    async with begin() as db:
        await run(db, _SWEEP, before=clock.now() - _KEPT)

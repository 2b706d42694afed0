"""Photos taken at the dock: of a damaged shoe, of a parcel without a name."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.photos import Photo
from returns_portal.warehouse.models import DockPhoto
from returns_portal.warehouse.queries import parcel_for

MAX_PHOTOS: Final = 20
"""Of one parcel, or of one count."""
DRAFTS_LAST: Final = timedelta(days=2)
"""How long a photo is kept whose parcel was never closed."""


async def add_photo(
    db: AsyncConnection,
    actor: Actor,
    photo: Photo,
    *,
    draft: str = "",
    parcel_id: UUID | None = None,
    found_id: UUID | None = None,
    line_id: UUID | None = None,
) -> UUID:
    """Keep a photo, of a count that is under way (`draft`), of a parcel, or of one without a name.

    Raises:
        ForbiddenError: the actor does not work at the dock.
        NotFoundError: there is no such parcel, or no such line.
        InvalidError: it has as many photos as it may have, or it is a photo of nothing.
    """
    actor.require("warehouse", "support")
    if not (draft or parcel_id or found_id):
        raise InvalidError(mark("Say of what this photo is."), field="photo")
    if parcel_id is not None:
        await parcel_for(db, actor, parcel_id)
    known = {"draft": draft, "parcel_id": parcel_id, "found_id": found_id, "line_id": line_id}
    [row] = await run(db, _KNOWN, **known)
    if (line_id and not row.line) or (found_id and not row.found):
        raise NotFoundError(mark("There is no such parcel."))
    if row.photos >= MAX_PHOTOS:
        raise InvalidError(mark("A parcel has at most {most} photos."), field="photo", most=MAX_PHOTOS)
    photo_id = new_id()
    await db.execute(
        insert(DockPhoto).values(
            id=photo_id,
            parcel_id=parcel_id,
            found_id=found_id,
            draft=draft,
            order_line_id=line_id,
            width=photo.width,
            height=photo.height,
            data=photo.jpeg,
            taken_at=clock.now(),
            taken_by=actor.label,
        )
    )
    subject = parcel_id or found_id
    if subject is not None:
        kind = "parcel" if parcel_id else "found_parcel"
        await history.record(db, actor, (kind, subject, "photo_added", {"photo": str(photo_id)}))
    return photo_id


_KNOWN: Final = """
    SELECT (SELECT count(*) FROM dock_photo WHERE (CAST(:parcel_id AS uuid) IS NOT NULL AND parcel_id = :parcel_id)
            OR (CAST(:found_id AS uuid) IS NOT NULL AND found_id = :found_id)
            OR (CAST(:draft AS text) <> '' AND draft = :draft)) AS photos,
           EXISTS (SELECT FROM order_line WHERE id = CAST(:line_id AS uuid)) AS line,
           EXISTS (SELECT FROM found_parcel WHERE id = CAST(:found_id AS uuid)) AS found
"""


async def photo_for(db: AsyncConnection, actor: Actor, photo_id: UUID) -> bytes:
    """A photo as JPEG.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: the actor has nothing to do with goods.
    """
    actor.require("warehouse", "support", "finance")
    data: bytes | None = (
        await db.execute(text("SELECT data FROM dock_photo WHERE id = :id"), {"id": photo_id})
    ).scalar_one_or_none()
    if data is None:
        raise NotFoundError(mark("There is no such photo."))
    return data


async def drop_drafts(db: AsyncConnection) -> None:
    """Drop the photos of counts that were never closed."""
    await run(db, "DELETE FROM dock_photo WHERE draft <> '' AND taken_at < :before", before=clock.now() - DRAFTS_LAST)

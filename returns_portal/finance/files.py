"""Files that the portal keeps: written once, whole, in chunks in the database, and given out as they are."""

import hashlib
from collections.abc import AsyncGenerator
from typing import IO, Final
from uuid import UUID

import msgspec
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

_CHUNK: Final = 1024 * 1024
_FIND: Final = "SELECT id, name, media_type, rows, size, digest FROM finance_file WHERE id = :id"
_HEAD: Final = "INSERT INTO finance_file VALUES (:id, :name, :media_type, :rows, :size, :digest, :now)"
_ADD: Final = "INSERT INTO finance_file_chunk VALUES (:file_id, :number, :data)"
_CHUNKS: Final = "SELECT data FROM finance_file_chunk WHERE file_id = :file_id AND number = :number"


class KeptFile(msgspec.Struct, frozen=True):
    """What is known of a file without reading it."""

    id: UUID
    name: str
    media_type: str
    rows: int
    size: int
    """Bytes."""
    digest: bytes
    """SHA-256 of the content."""

    @property
    def digest_text(self) -> str:
        """The digest as `sha256sum` writes it."""
        return self.digest.hex()


async def keep(db: AsyncConnection, file: IO[bytes], *, name: str, media_type: str, rows: int) -> UUID:
    """Keep what is in an open file, from its beginning; its id."""
    file_id = new_id()
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while data := file.read(_CHUNK):
        digest.update(data)
        size += len(data)
    # The chunks point to the head.
    await run(
        db,
        _HEAD,
        id=file_id,
        name=name,
        media_type=media_type,
        rows=rows,
        size=size,
        digest=digest.digest(),
        now=clock.now(),
    )
    file.seek(0)
    number = 0
    while data := file.read(_CHUNK):
        await run(db, _ADD, file_id=file_id, number=number, data=data)
        number += 1
    return file_id


async def kept(db: AsyncConnection, file_id: UUID) -> KeptFile:
    """A file, without its content.

    Raises:
        NotFoundError: there is none of this id, or no more.
    """
    rows = await run(db, _FIND, id=file_id)
    if not rows:
        raise NotFoundError(mark("This file is not kept any more. Have it made again."))
    return KeptFile(*rows[0])


async def content(begin: Begin, file_id: UUID) -> AsyncGenerator[bytes]:
    """The content in chunks, each read by itself, so that a slow line holds no transaction."""
    number = 0
    while True:
        async with begin() as db:
            rows = await run(db, _CHUNKS, file_id=file_id, number=number)
        if not rows:
            return
        yield rows[0].data
        number += 1


def file_response(begin: Begin, file: KeptFile) -> Stream:
    """The file as a download."""
    return Stream(
        content(begin, file.id),
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"},
    )

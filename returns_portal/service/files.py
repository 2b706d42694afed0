"""Files that come with e-mails: known by their bytes, not by what they say of themselves."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.photos import rebuild
from returns_portal.service.mail import Attached

MOST: Final = 6
MAX_PDF: Final = 10_000_000
_PDF: Final = b"%PDF-"
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
Refused = Literal["", "kind", "size", "many", "broken"]


class Kept(msgspec.Struct, frozen=True):
    """A file as it is kept, or why it is not."""

    name: str
    media_type: str = ""
    data: bytes | None = None
    refused: Refused = ""


async def kept(attached: Sequence[Attached]) -> list[Kept]:
    """What is kept of files: pictures made anew from their pixels, PDFs as they are; of others that they came."""
    found = [await _kept(one) for one in attached[:MOST]]
    return found + [Kept(one.name, refused="many") for one in attached[MOST : 2 * MOST]]


async def _kept(one: Attached) -> Kept:
    if one.data.startswith(_PDF):
        return Kept(one.name, "application/pdf", one.data) if len(one.data) <= MAX_PDF else _not(one, "size")
    if not one.data.startswith(_PICTURES) and not (one.data[:4] == b"RIFF" and one.data[8:12] == b"WEBP"):
        return _not(one, "kind")
    try:
        photo = await rebuild(one.data)
    except InvalidError as error:
        return _not(one, "size" if error.code == "photo_too_large" else "broken")
    return Kept(one.name, "image/jpeg", photo.jpeg)


def _not(one: Attached, why: Refused) -> Kept:
    return Kept(one.name, refused=why)

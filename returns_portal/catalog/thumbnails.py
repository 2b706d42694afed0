"""Pictures in the sizes in which pages show them, made when they are first asked for and kept for a while."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from returns_portal.photos import rebuild

WIDTHS: Final = (480, 960)
"""Pixels: a card on a telephone, and a picture on one. A larger screen is given the picture itself."""
_KEEP: Final = 16_000_000
"""Bytes that a process keeps."""

Key = tuple[UUID, int]
_kept: OrderedDict[Key, bytes] = OrderedDict()


def known(picture_id: UUID, width: int) -> bytes | None:
    """A picture of this width, where it is kept."""
    if (picture_id, width) not in _kept:
        return None
    _kept.move_to_end((picture_id, width))
    return _kept[picture_id, width]


async def make(picture_id: UUID, width: int, jpeg: bytes) -> bytes:
    """Make a picture smaller, and keep it; a picture never changes under its id."""
    small = (await rebuild(jpeg, longest=width)).jpeg
    _kept[picture_id, width] = small
    while sum(map(len, _kept.values())) > _KEEP:
        _kept.popitem(last=False)
    return small

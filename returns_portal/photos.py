"""Photos that people send, rebuilt from their pixels: nothing of the file that was sent is kept or served.

So what a camera writes beside the picture (place, time, owner), comments, and whatever a file hides behind it are gone.
Decoding takes time and memory: the caller does it in a thread (`rebuild`), never on the event loop.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageCms, ImageFile, ImageOps

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

MAX_BYTES: Final = 15_000_000
"""Of the file: more than any telephone makes of a JPEG."""
MAX_PIXELS: Final = 50_000_000
"""Of the picture: a telephone of 50 megapixels has a little less. Decoded it takes four bytes for each, at most."""
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 82
_MAX_PROFILE: Final = 1_000_000
_AT_ONCE: Final = 2
"""How many pictures a process decodes at a time, which bounds the memory that they take."""
_bench = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="photo")


class Photo(NamedTuple):
    """A picture as it is kept: JPEG, upright, without anything beside its pixels."""

    width: int
    height: int
    jpeg: bytes


class Drawing(NamedTuple):
    """A picture as it is kept whose ground shines through: PNG, without anything beside its pixels."""

    width: int
    height: int
    png: bytes


def rebuilt(data: bytes, *, longest: int = 1600) -> Photo:
    """Make a picture anew from the pixels of a JPEG, PNG or WebP file, no side longer than `longest` pixels.

    Raises:
        InvalidError: it is no such file, broken, or too large; says what to do.
    """
    return _written(_decoded(data, longest, _in_common_colours), longest)


def redrawn(data: bytes, *, longest: int) -> Drawing:
    """Do the same for a drawing, whose transparency is kept.

    Raises:
        InvalidError: as `rebuilt`.
    """
    found = _decoded(data, longest, lambda picture: picture.convert("RGBA"))
    found.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    clean = Image.new("RGBA", found.size)
    clean.paste(found)
    out = BytesIO()
    clean.save(out, "PNG", optimize=True)
    return Drawing(*clean.size, out.getvalue())


def _decoded(data: bytes, longest: int, prepare: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """The picture of a file, upright, at least as large as is needed, in the colours that are wanted."""
    if not data:
        raise InvalidError(mark("Please choose a photo first."), code="photo_missing", field="photo")
    if len(data) > MAX_BYTES:
        raise InvalidError(
            mark("This photo has more than {most} MB. Please send a smaller one."),
            code="photo_too_large",
            field="photo",
            most=MAX_BYTES // 1_000_000,
        )
    # Half a photo is refused, rather than filled up with grey; WeasyPrint sets this otherwise where it is imported.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as found:
            _refuse_giants(found)
            # A JPEG is decoded at the size that is needed, at least: a quarter of the time and memory.
            found.draft("RGB", (longest, longest))
            return prepare(ImageOps.exif_transpose(found))
    except InvalidError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _giant() from None
    except Exception as error:  # decoders fail in any way on what was broken on purpose
        raise InvalidError(
            mark("This is no photo that can be read. Please send a JPEG, PNG or WebP picture."),
            code="photo_unreadable",
            field="photo",
        ) from error


async def rebuild(data: bytes, *, longest: int = 1600) -> Photo:
    """Do what `rebuilt` does aside from the event loop.

    Raises:
        InvalidError: as `rebuilt`.
    """
    return await asyncio.get_running_loop().run_in_executor(_bench, partial(rebuilt, data, longest=longest))


async def redraw(data: bytes, *, longest: int) -> Drawing:
    """Do what `redrawn` does aside from the event loop.

    Raises:
        InvalidError: as `rebuilt`.
    """
    return await asyncio.get_running_loop().run_in_executor(_bench, partial(redrawn, data, longest=longest))


def _refuse_giants(found: Image.Image) -> None:
    """Refuse by what the file says of itself, before anything is decoded."""
    if found.width * found.height > MAX_PIXELS:
        raise _giant()


def _giant() -> InvalidError:
    return InvalidError(
        mark("This photo has more than {most} megapixels. Please send a smaller one."),
        code="photo_too_large",
        field="photo",
        most=MAX_PIXELS // 1_000_000,
    )


def _in_common_colours(found: Image.Image) -> Image.Image:
    """The picture in sRGB, on white where it is transparent: its own colour profile goes with everything else."""
    profile = found.info.get("icc_profile", b"")
    if found.mode in {"RGBA", "LA", "PA"} or "transparency" in found.info:
        clear = found.convert("RGBA")
        found = Image.new("RGBA", clear.size, "white")
        found.alpha_composite(clear)
    picture = found.convert("RGB")
    if not 0 < len(profile) <= _MAX_PROFILE or found.mode not in {"RGB", "RGBA"}:
        return picture
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError):
        return picture  # A profile that cannot be read, or is of other colours, leaves the numbers as they are.
    return picture


def _written(picture: Image.Image, longest: int) -> Photo:
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    # Pixels alone, in a new picture: a JPEG is written with the comment of the file that it was read from.
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    out = BytesIO()
    clean.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return Photo(*clean.size, out.getvalue())

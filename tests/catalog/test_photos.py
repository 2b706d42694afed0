"""Photos, rebuilt from their pixels."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import ExifTags, Image, ImageCms

from returns_portal import photos
from returns_portal.errors import InvalidError
from returns_portal.photos import Photo, rebuild, rebuilt
from tests.catalog.pictures import a_picture

SECRET = b"Elm Street 1"


def opened(photo: Photo) -> Image.Image:
    found = Image.open(BytesIO(photo.jpeg))
    assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (photo.width, photo.height))
    return found


def colour(picture: Image.Image, across: float, down: float = 0.5) -> str:
    pixel = picture.getpixel((int(picture.width * across), int(picture.height * down)))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return {(True, False, False): "red", (False, False, True): "blue", (True, True, True): "white"}[
        red > 127, green > 127, blue > 127
    ]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA"), ("WEBP", "RGB")],
)
def test_pictures_of_every_kind_become_jpeg(kind: str, mode: str) -> None:
    picture = opened(rebuilt(a_picture(kind, mode=mode)))
    assert picture.size == (60, 40)
    if mode != "L":
        assert (colour(picture, 0.2), colour(picture, 0.8)) == ("red", "blue")


@pytest.mark.parametrize(("size", "there"), [((800, 400), (100, 50)), ((400, 800), (50, 100)), ((50, 20), (50, 20))])
def test_no_side_is_longer_than_it_may_be(size: tuple[int, int], there: tuple[int, int]) -> None:
    photo = rebuilt(a_picture(size=size), longest=100)
    assert (photo.width, photo.height) == there
    assert opened(photo).size == there


def test_what_the_camera_wrote_is_gone_and_the_picture_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # To be turned by a quarter to the right.
    exif[ExifTags.Base.Artist] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    file = a_picture(exif=exif, comment=SECRET, dpi=(300, 300)) + SECRET
    assert file.count(SECRET) >= 3
    photo = rebuilt(file)
    assert SECRET not in photo.jpeg
    picture = opened(photo)
    assert picture.size == (40, 60)
    assert (colour(picture, 0.5, 0.2), colour(picture, 0.5, 0.8)) == ("red", "blue")
    assert not dict(picture.getexif())
    assert not {"comment", "exif", "icc_profile", "dpi"} & picture.info.keys() or picture.info.get("dpi") is None


def test_what_is_transparent_is_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "PNG")
    assert colour(opened(rebuilt(out.getvalue())), 0.5) == "white"


def test_a_colour_profile_is_applied_and_dropped() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (own, lab, b"none at all"):
        picture = opened(rebuilt(a_picture(icc_profile=profile)))
        assert "icc_profile" not in picture.info
        assert (colour(picture, 0.2), colour(picture, 0.8)) == ("red", "blue")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def a_png(width: int, height: int) -> bytes:
    """A PNG that says of itself how large it is, with nothing in it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_000, 5_001), (60_000, 60_000), (20_000, 6_000)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    with pytest.raises(InvalidError, match="more than 50 megapixels") as caught:
        rebuilt(a_png(width, height))
    assert caught.value.code == "photo_too_large"


def test_a_huge_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "MAX_BYTES", 100)
    with pytest.raises(InvalidError, match="Please send a smaller one"):
        rebuilt(a_picture())


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(100),
        a_picture("GIF"),
        a_picture("BMP"),
        a_picture("TIFF"),
        a_picture(size=(400, 400))[:2000],
        a_picture("PNG")[:60],
        a_picture("WEBP")[:40],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        a_png(10, 10),
        bytes(1000),
    ],
)
def test_what_is_no_photo_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(InvalidError, match="Please send a JPEG, PNG or WebP picture") as caught:
        rebuilt(data)
    assert (caught.value.code, caught.value.field) == ("photo_unreadable", "photo")


def test_nothing_at_all_is_asked_for() -> None:
    with pytest.raises(InvalidError, match="choose a photo"):
        rebuilt(b"")


@pytest.mark.anyio
async def test_it_is_done_aside() -> None:
    assert (await rebuild(a_picture(), longest=30)).width == 30

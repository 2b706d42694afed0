"""Photos of the dock, over HTTP: bombs, wrong types, what a camera writes beside the picture, and who may see them."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from httpx import Response
from PIL import ExifTags, Image
from sqlalchemy import text

from returns_portal.ids import new_id
from returns_portal.warehouse.pictures import MAX_PHOTOS, drop_drafts
from returns_portal.warehouse.rules import Counted
from tests.catalog.pictures import a_picture
from tests.catalog.test_photos import a_png
from tests.portal import Portal
from tests.returns.visits import come_in, sign_in, words
from tests.warehouse.dock import DAMAGED, count, two_shoes
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

SECRET = b"Elm Street 1"


@pytest.fixture
async def station(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "mira@example.com", "warehouse")
        yield client


async def upload(station: Browser, data: bytes, **fields: str) -> Response:
    await station.get("/")
    sent = {"_csrf_token": station.cookies["__Host-csrf"], **fields}
    return await station.post("/station/photos", data=sent, files={"photo": ("photo.jpg", data, "image/jpeg")})


async def test_place_time_and_owner_are_dropped(station: Browser, portal: Portal) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = SECRET.decode()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = SECRET
    answer = await upload(station, a_picture(exif=exif, comment=SECRET) + SECRET, draft="a-token")
    assert answer.status_code == 201
    shown = await station.get(f"/station/photos/{answer.json()['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert SECRET not in shown.content
    picture = Image.open(BytesIO(shown.content))
    assert not dict(picture.getexif())
    assert (await portal.rows("SELECT data FROM dock_photo"))[0].data == shown.content


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (a_png(60_000, 60_000), "photo_too_large"),
        (a_png(10_000, 5_001), "photo_too_large"),
        (a_picture("GIF"), "photo_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "photo_unreadable"),
        (b"%PDF-1.7", "photo_unreadable"),
        (a_picture(size=(400, 400))[:2000], "photo_unreadable"),
        (b"", "photo_missing"),
    ],
)
async def test_bombs_and_what_is_no_photo_are_refused_in_words(
    station: Browser, portal: Portal, data: bytes, code: str
) -> None:
    answer = await upload(station, data, draft="a-token")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["error"].endswith(".")
    assert await portal.rows("SELECT id FROM dock_photo") == []


async def test_a_file_that_is_too_long_is_not_even_read(station: Browser, portal: Portal) -> None:
    assert (await upload(station, bytes(16_000_000), draft="a-token")).status_code == 413
    assert await portal.rows("SELECT id FROM dock_photo") == []


async def test_photos_of_a_count_stay_with_its_parcel(station: Browser, portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    assert (await upload(station, a_picture(), draft="a-token", line_id=str(shoes))).status_code == 201
    assert (await upload(station, a_picture(), draft="a-token")).status_code == 201
    checked = await count(portal, filed.rma, Counted(shoes, 2, DAMAGED), draft="a-token")
    shown = await station.get(f"/station?done={checked.check_in_id}")
    assert shown.text.count("<img src") == 2
    # Without a script, a form adds one afterwards.
    back = f"/station?done={checked.check_in_id}"
    added = await upload(station, a_picture(), parcel_id=str(checked.check_in_id), back=back)
    assert added.headers["location"] == back
    shown = await station.get(back)
    assert ("The photo is kept." in words(shown), shown.text.count("<img src")) == (True, 3)
    refused = await upload(station, b"no photo", parcel_id=str(checked.check_in_id), back=back)
    assert "This is no photo that can be read." in words(await station.get(refused.headers["location"]))


async def test_what_cannot_be(station: Browser) -> None:
    assert (await upload(station, a_picture())).status_code == 303  # Of nothing: said on the station's page.
    assert (await upload(station, a_picture(), parcel_id=str(new_id()))).status_code == 404
    assert (await upload(station, a_picture(), found_id=str(new_id()))).status_code == 404
    assert (await upload(station, a_picture(), draft="t", line_id=str(new_id()))).status_code == 404
    assert (await upload(station, a_picture(), draft="t", line_id="x")).status_code == 404
    for _ in range(MAX_PHOTOS):
        assert (await upload(station, a_picture(size=(4, 4)), draft="t")).status_code == 201
    assert (await upload(station, a_picture(size=(4, 4)), draft="t")).json()["error"].startswith("A parcel has at most")


async def test_only_those_who_need_them_see_them(station: Browser, portal: Portal) -> None:
    await portal.order()
    photo = (await upload(station, a_picture(), draft="t")).json()["id"]
    station.cookies.clear()
    assert (await station.get(f"/station/photos/{photo}")).status_code == 303
    await come_in(station, portal, "1001")
    assert (await station.get(f"/station/photos/{photo}")).status_code == 303
    await sign_in(station, portal, "fin@example.com", "finance")
    assert (await station.get(f"/station/photos/{photo}")).status_code == 200
    assert (await station.get(f"/station/photos/{new_id()}")).status_code == 404


async def test_photos_of_counts_that_were_never_closed_are_dropped(station: Browser, portal: Portal) -> None:
    await upload(station, a_picture(), draft="old")
    async with portal.begin() as db:
        await db.execute(text("UPDATE dock_photo SET taken_at = taken_at - interval '3 days'"))
    await upload(station, a_picture(), draft="new")
    async with portal.begin() as db:
        await drop_drafts(db)
    assert [row.draft for row in await portal.rows("SELECT draft FROM dock_photo")] == ["new"]

"""A shop that looks like itself."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from httpx import Response
from PIL import Image, PngImagePlugin

from returns_portal.notifications.rendering import render_email
from returns_portal.shop import queries
from returns_portal.shop.queries import DEFAULT
from tests.portal import Portal
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LOOKS = "/staff/looks"


@pytest.fixture
async def boss(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "mira@example.com", "admin")
        yield browser


def a_logo(size: tuple[int, int] = (900, 300)) -> bytes:
    """A logo on nothing, which says where it was drawn."""
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (0, 0, size[0] // 2, size[1]))
    told = PngImagePlugin.PngInfo()
    told.add_text("Location", "42.6977, 23.3219")
    file = BytesIO()
    picture.save(file, "PNG", pnginfo=told)
    return file.getvalue()


async def send_logo(browser: Browser, data: bytes, **fields: str) -> Response:
    await browser.get(LOOKS)
    sent = {"_csrf_token": browser.cookies["__Host-csrf"], **fields}
    return await browser.post(f"{LOOKS}/logo", data=sent, files={"logo": ("logo.png", data, "image/png")})


async def test_name_colour_and_words_are_everywhere(boss: Browser, portal: Portal) -> None:
    said = {
        "name": "Bergschuh",
        "accent": "#9A1F40",
        "landing-en": "We fetch it at your door.",
        "packing-en": "Use the box it came in.",
        "closing-en": "Yours, the people of Bergschuh",
        "closing-de": "Ihre Leute von Bergschuh",
    }
    assert (await post(boss, LOOKS, said)).status_code == 303
    queries.forget()
    first = await boss.get("/")
    assert "We fetch it at your door." in words(first)
    assert '<link rel="stylesheet" href="/brand.css?accent=9a1f40">' in first.text
    assert ">Bergschuh</a>" in first.text
    style = await boss.get("/brand.css?accent=9a1f40")
    assert style.headers["content-type"].startswith("text/css")
    assert "--accent:light-dark(#9a1f40," in style.text
    assert "postage is on us" not in words(first)
    german = await boss.get("/", headers={"Accept-Language": "de"})
    assert "We fetch it" not in words(german)
    order, [line, *_] = await portal.order(number="1001", locale="en")
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    [row] = await portal.rows("SELECT values FROM email WHERE template = 'return_filed'")
    async with portal.begin() as db:
        shop = await queries.current(db)
    mail = render_email("return_filed", "en", row._mapping["values"], shop, portal.settings)
    assert "background:#9a1f40" in mail.html
    assert "#0f5c4a" not in mail.html
    for said_there in ("Use the box it came in.", "Yours, the people of Bergschuh"):
        assert said_there in mail.html
        assert said_there in mail.text
    await come_in(boss, portal, "1001")
    assert "Use the box it came in." in words(await boss.get(f"/returns/{filed.rma}"))


async def test_what_is_only_tried_changes_nothing(boss: Browser, portal: Portal) -> None:
    tried = await post(boss, LOOKS, {"name": "Other", "accent": "#9a1f40", "landing-en": "Hi", "try": "yes"})
    assert tried.status_code == 200
    assert "Nothing is changed yet." in words(tried)
    assert "/brand.css?accent=9a1f40&amp;sample=1" in tried.text.replace("&#x2f;", "/")
    assert 'value="Other"' in tried.text
    queries.forget()
    async with portal.begin() as db:
        assert await queries.current(db) == DEFAULT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"name": "N", "accent": "#ffcc00"}, "is near and can be read"),
        ({"name": "N", "accent": "yellow"}, "such as #0f5c4a"),
        ({"name": " ", "accent": ""}, "one line of text"),
        ({"name": "N", "accent": "", "landing-de": "x" * 401}, "below 400 letters"),
        ({"name": "N", "accent": "", "closing-uk": "two\nlines"}, "one line of text"),
    ],
)
async def test_what_cannot_be_is_told_beside_what_was_typed(boss: Browser, said: dict[str, str], told: str) -> None:
    answer = await post(boss, LOOKS, {**said, "landing-en": "Kept words"})
    assert answer.status_code == 422
    assert told in words(answer)
    assert "Kept words" in words(answer)


@pytest.mark.parametrize("size", [(1200, 140), (300, 620)])
async def test_a_logo_that_would_be_a_line_or_a_tower_is_refused(boss: Browser, size: tuple[int, int]) -> None:
    answer = await send_logo(boss, a_logo(size))
    assert "A logo is at most 8 times as wide as it is high" in answer.text
    assert 'class="logo"' not in (await boss.get("/")).text


async def test_the_logo_is_made_anew_and_stands_in_place_of_the_name(boss: Browser) -> None:
    sent = a_logo()
    assert (await send_logo(boss, sent)).status_code == 303
    queries.forget()
    page = (await boss.get("/")).text
    address = page.split('class="logo" src="')[1].split('"')[0]
    assert f'alt="{DEFAULT.name}"'.replace("&", "&amp;") in page
    file = await boss.get(address)
    assert file.headers["content-type"] == "image/png"
    assert "immutable" in file.headers["cache-control"]
    assert "immutable" not in (await boss.get("/brand/logo.png?v=older")).headers["cache-control"]
    assert b"42.6977" in sent
    assert b"42.6977" not in file.content
    with Image.open(BytesIO(file.content)) as logo:
        assert (logo.size, logo.mode) == ((640, 213), "RGBA")
        assert logo.getpixel((600, 100)) == (0, 0, 0, 0)
    await send_logo(boss, b"", remove="yes")
    queries.forget()
    assert 'class="logo"' not in (await boss.get("/")).text
    assert (await boss.get("/brand/logo.png")).status_code == 404


@pytest.mark.parametrize(
    "data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", a_logo()[:200], b"x" * 2_000_001]
)
async def test_what_is_no_picture_is_no_logo(boss: Browser, data: bytes) -> None:
    answer = await send_logo(boss, data)
    assert answer.status_code == 422
    assert 'id="logo-error"' in answer.text
    assert (await boss.get("/brand/logo.png")).status_code == 404


async def test_only_the_admin_changes_it(portal: Portal, database_url: str) -> None:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "olga@example.com", "support", "finance", "warehouse")
        assert (await browser.get(LOOKS)).status_code == 403
        assert (await post(browser, LOOKS, {"name": "Mine", "accent": ""})).status_code == 403
        assert (await browser.get("/brand.css?accent=%7D%7D")).status_code == 422

"""The camera as a scanner: every kind of symbol that comes on parcels and articles, read in the browser alone."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Request

from tests.browser.conftest import FLAGS, chromium
from tests.browser.live import Live
from tests.browser.visitor import DESKTOP, Visitor

chromium()

WIDTH, HEIGHT, FRAMES = 640, 480, 12
KINDS = {
    "Code 128": zxingcpp.BarcodeFormat.Code128,
    "GS1-128": zxingcpp.BarcodeFormat.Code128,
    "QR": zxingcpp.BarcodeFormat.QRCode,
    "Data Matrix": zxingcpp.BarcodeFormat.DataMatrix,
    "EAN": zxingcpp.BarcodeFormat.EAN13,
}


def symbol(kind: str, text: str) -> Image.Image:
    """A picture of a symbol, as a camera has it before it."""
    made = zxingcpp.create_barcode(text, KINDS[kind], gs1=kind == "GS1-128")
    drawn = Image.fromarray(made.to_image(scale=4, add_quiet_zones=True))
    drawn = ImageOps.expand(drawn.convert("L"), 20, 255)
    drawn.thumbnail((WIDTH, HEIGHT))
    frame = Image.new("L", (WIDTH, HEIGHT), 255)
    frame.paste(drawn, ((WIDTH - drawn.width) // 2, (HEIGHT - drawn.height) // 2))
    return frame


def film(path: Path, pictures: list[Image.Image]) -> None:
    """A film in YUV4MPEG2, which Chromium takes for what a camera sees, again and again."""
    grey = bytes([128]) * (WIDTH * HEIGHT // 2)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % (WIDTH, HEIGHT))
        for picture in pictures:
            file.write((b"FRAME\n" + picture.tobytes() + grey) * FRAMES)


@pytest.fixture
def filmed(live: Live, browser: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """A station before whose camera five symbols pass."""
    film(tmp_path / "camera.y4m", [symbol(kind, text) for kind, text in shown(live).items()])
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={tmp_path / 'camera.y4m'}",
    ]
    started = browser.browser_type.launch(executable_path=chromium(), args=flags)
    visitor = Visitor(started, live.base, size=DESKTOP)
    visitor.carry(live.stage.staff["warehouse"])
    yield visitor
    visitor.close()
    started.close()


def shown(live: Live) -> dict[str, str]:
    """What passes before the camera: two returns, one of them in GS1 form, and what nobody knows."""
    return {
        "Code 128": live.stage.cases["dock 7"].rma,
        "GS1-128": f"(00)340123450000000000(91){live.stage.cases['dock 8'].rma}",
        "QR": live.stage.cases["dock 9"].rma,
        "Data Matrix": "R-0000-0001",
        "EAN": "4006381333931",
    }


def test_every_symbol_is_read_and_nothing_is_fetched_from_elsewhere(live: Live, filmed: Visitor) -> None:
    page, read, opened, elsewhere = filmed.page, set[str](), set[str](), set[str]()
    page.on("request", lambda request: None if request.url.startswith(live.base) else elsewhere.add(request.url))

    def scan(request: Request) -> None:
        query = parse_qs(urlsplit(request.url).query)
        read.update(query.get("typed", []))

    page.on("request", scan)
    returns = [live.stage.cases[case].rma for case in ("dock 7", "dock 8", "dock 9")]
    page.goto("/station")
    page.keyboard.press("F4")
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        page.wait_for_timeout(50)
        opened.update(page.locator(".state small").all_inner_texts())
        every = all(any(rma in words for words in opened) for rma in returns)
        if every and set(shown(live).values()) <= read:
            break
    assert set(shown(live).values()) <= read
    assert every, opened
    assert elsewhere == set()
    page.keyboard.press("F4")
    page.locator("#finder").wait_for(state="hidden")
    assert filmed.complaints == []


def test_only_the_stations_page_may_compile_the_reader(live: Live, filmed: Visitor) -> None:
    policies = {
        path: filmed.page.request.get(f"{live.base}{path}").headers["content-security-policy"]
        for path in ("/station", "/station/live", "/")
    }
    assert "'wasm-unsafe-eval'" in policies["/station"]
    assert not any("wasm" in policies[path] for path in ("/station/live", "/"))

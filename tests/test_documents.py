"""What all documents share: symbols for pages, text for printers, fonts, and processes with time limits."""

import asyncio
import os
import signal
import time
import unicodedata
from xml.etree import ElementTree as ET

import minijinja
import pytest
import zxingcpp
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools ships no types.
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from returns_portal.documents import DocumentPool, DocumentTimeoutError, coverage, qr_svg
from returns_portal.documents.coverage import can_print, printable
from returns_portal.documents.fetching import PackageFetcher
from returns_portal.documents.fonts import FONT_FILES
from returns_portal.documents.press import lay_out
from returns_portal.documents.symbols import code_128, pdf_operators, qr

SVG = "{http://www.w3.org/2000/svg}"
PRINTABLE_ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=24)


def drawn(operators: str, size: tuple[int, int]) -> Image.Image:
    """What the operators draw on a white page."""
    page = Image.new("L", size, 255)
    pen = ImageDraw.Draw(page)
    for line in operators.splitlines():
        if line.endswith(" re"):
            left, top, width, height = map(int, line.split()[:4])
            pen.rectangle((left, top, left + width - 1, top + height - 1), fill=0)
    return page


@given(PRINTABLE_ASCII)
def test_symbols_hold_exactly_their_text(text: str) -> None:
    bars, square = code_128(text), qr(text)
    for symbol, height in ((bars, 50), (square, 2)):
        operators = pdf_operators(symbol, left=40, top=40, module=2, row_height=height)
        page = drawn(operators, (symbol.width * 2 + 80, len(symbol.rows) * height + 80))
        read = zxingcpp.read_barcode(page)
        assert read is not None
        assert read.text == text


def test_the_svg_symbol_reads_and_says_what_it_is() -> None:
    root = ET.fromstring(qr_svg("R-7K3M-9QXD", title="Return <R-7K3M> & more"))  # noqa: S314 - our own text
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Return <R-7K3M> & more"
    side = int(root.attrib["viewBox"].split()[2])
    path = root.find(f"{SVG}path")
    assert path is not None
    page = Image.new("L", (side, side), 255)
    for part in path.attrib["d"].removesuffix("z").split("z"):
        start, rest = part.removeprefix("M").split("h", 1)
        left, top = map(int, start.split())
        width = int(rest.split("v")[0])
        ImageDraw.Draw(page).rectangle((left, top, left + width - 1, top), fill=0)
    assert page.crop((0, 0, side, 4)).getextrema() == (255, 255), "no quiet zone"
    read = zxingcpp.read_barcode(page.resize((side * 4, side * 4), Image.Resampling.NEAREST))
    assert read is not None
    assert read.text == "R-7K3M-9QXD"


def test_the_svg_symbol_passes_a_strict_content_security_policy() -> None:
    assert "style" not in qr_svg("R-7K3M-9QXD", title="Return")
    assert 'fill="currentColor"' in qr_svg("R-7K3M-9QXD", title="Return")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("  Anna \t Maria\n", "Anna Maria"),
        ("a\u202eb\u2066c\u200fd\ufeff", "abcd"),
        ("nul\x00 bell\x07 escape\x1b[0m", "nul bell escape[0m"),
        ("e\u0301", "\u00e9"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", ":man::woman::girl:"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\ufe0f\u2603", ":snowman2:"),
        ("\U0010ffff", "U+10FFFF"),
        ("\ud800x", "x"),
    ],
)
def test_text_becomes_printable(typed: str, printed: str) -> None:
    assert printable(typed) == printed


def test_scripts_without_a_font_are_written_in_latin_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "_machine_has", lambda: lambda _codepoint: False)
    coverage._shown.cache_clear()
    try:
        assert printable("王小明, Київ") == "WangXiaoMing, Київ"
        assert printable("დავით") == "davit"
    finally:
        coverage._shown.cache_clear()


@settings(max_examples=50)
@given(st.text(max_size=40))
def test_whatever_was_typed_can_be_printed(typed: str) -> None:
    shown = printable(typed)
    assert printable(shown) == shown
    assert all(can_print(sign) or unicodedata.category(sign) == "Cf" or sign == " " for sign in shown)
    assert not {unicodedata.bidirectional(sign) for sign in shown} & {"LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI"}
    seen = [sign for sign in typed if unicodedata.category(sign)[0] in "LN"]
    assert bool(shown) >= bool(seen)


def test_the_packages_fonts_are_small_and_speak_the_languages_of_the_region() -> None:
    assert sum(file.stat().st_size for file in FONT_FILES) <= 250_000
    alphabets = (
        "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяъыэёўђјљњћџѓќѝ"
        "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßāăąćčďđēęěğģīįıķļłńňőœŕřśşšșțťţūůűųŵŷźżž"
        "ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹơư"
        "αβγδεζηθικλμνξοπρστυφχψωάέήίόύώ"
    )
    wanted = set(alphabets + alphabets.upper() + "–—‘’‚“”„«»…•№€£₴₽¥§©°×")
    for file in FONT_FILES[:2]:
        with TTFont(file) as font:
            assert {sign for sign in wanted if len(sign) == 1 and ord(sign) not in font.getBestCmap()} == set()


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x.png", "file:///etc/passwd", "data:text/plain,x", "package-font:../OFL.txt", "ftp://h/"],
)
def test_no_address_is_ever_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="nothing but the fonts"):
        PackageFetcher().fetch(url)


def test_a_template_that_asks_for_what_is_not_given_fails() -> None:
    with pytest.raises(minijinja.TemplateError, match="undefined"):
        lay_out("label/roll.html", ("label/label.css",), {"lang": "en"})


async def _with_pool(**limits: float) -> DocumentPool:
    pool = DocumentPool(1, nothing, **limits)  # type: ignore[arg-type]  # Only seconds are given.
    await pool.start()
    return pool


def nothing() -> None:
    """Prepare nothing."""


def stuck() -> None:
    """Hang so that only a kill helps."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)


@pytest.mark.anyio
async def test_the_time_limit_ends_a_stuck_process_and_the_pool_goes_on() -> None:
    pool = await _with_pool(seconds=0.5)
    try:
        first = await pool.run(os.getpid)
        with pytest.raises(DocumentTimeoutError):
            await pool.run(stuck)
        second = await pool.run(os.getpid)
    finally:
        await pool.stop()
    assert second != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


@pytest.mark.anyio
async def test_a_caller_who_goes_away_ends_no_process() -> None:
    pool = await _with_pool(seconds=10)
    try:
        process = await pool.run(os.getpid)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.run(time.sleep, 0.3), 0.05)
        assert await pool.run(os.getpid) == process
    finally:
        await pool.stop()


@pytest.mark.anyio
async def test_an_error_in_a_document_is_the_callers() -> None:
    pool = await _with_pool(seconds=10)
    try:
        with pytest.raises(ZeroDivisionError):
            await pool.run(divmod, 1, 0)
    finally:
        await pool.stop()

"""Labels as they leave the printer: readable by scanners and people, whatever was typed."""

import os
import subprocess
import sys
from io import BytesIO

import msgspec
import pikepdf
import pytest
from zxingcpp import BarcodeFormat

from returns_portal.labels.content import SIZES, LabelContent, LabelItem, PostalAddress, Size
from returns_portal.labels.render import render_label
from tests.labels.prints import (
    CODE,
    CONTENT,
    DPI,
    LONG_ADDRESS,
    RECIPIENT,
    codes,
    gray,
    ink,
    label,
    pages,
    runs,
    squeezed,
    text,
)

INCHES: dict[Size, tuple[float, float]] = {"4x6": (4, 6), "a4": (8.2677, 11.6929), "letter": (8.5, 11)}
MARGIN_MM: dict[Size, float] = {"4x6": 4, "a4": 8, "letter": 8}
SANDBOX = "Sandbox \N{EN DASH} no money moves"
MANY = tuple(LabelItem(1, f"Article {number:02}", "M", "Blue") for number in range(60))
NASTY = label(
    sender=LONG_ADDRESS,
    recipient=LONG_ADDRESS,
    code="R-7K3M-9QXD-ABCD-EF12-ab",
    order_number="#A-100000000000000000000000",
    licence="BG-SOF-4471-VERY-LONG-LICENCE-NUMBER-000",
    items=tuple(LabelItem(9, "A very long title " * 12, "42 EU / 9 US / 8 UK wide", "W" * 90) for _ in range(20)),
    shop_name="A shop with a very long name " * 4,
)


def test_a_4x6_label_is_exactly_the_printers_dots() -> None:
    assert pages(render_label(CONTENT, "4x6"))[0].size == (812, 1218)


@pytest.mark.parametrize("size", SIZES)
def test_the_paper_has_its_size(size: Size) -> None:
    width, height = pages(render_label(CONTENT, size))[0].size
    assert (width / DPI, height / DPI) == pytest.approx(INCHES[size], abs=1 / DPI)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", [CODE, "1Z999AA10123456784", "R-7K3M-9QXD-ABCD-EF12-ab", "0" * 24, "~!\"'()<&>{}"])
def test_every_code_reads_as_what_it_should_hold(size: Size, code: str) -> None:
    read = codes(pages(render_label(label(code=code), size))[0])
    on_label = [(BarcodeFormat.Code128, code), (BarcodeFormat.QRCode, code)]
    assert read == on_label + ([] if size == "4x6" else [(BarcodeFormat.QRCode, code)])


@pytest.mark.parametrize("size", SIZES)
def test_codes_read_in_pure_black_and_white(size: Size) -> None:
    page = pages(render_label(CONTENT, size))[0].point(lambda gray: 255 if gray > 127 else 0)
    assert {value for _, value in codes(page)} == {CODE}


@pytest.mark.parametrize("content", [CONTENT, NASTY], ids=["usual", "nasty"])
@pytest.mark.parametrize("size", SIZES)
def test_no_ink_in_the_margins(size: Size, content: LabelContent) -> None:
    for page in pages(render_label(content, size)):
        left, top, right, bottom = ink(page)
        nearest = min(left, top, page.width - right, page.height - bottom)
        assert nearest >= int(MARGIN_MM[size] / 25.4 * DPI)


def test_bars_are_whole_dots_high_enough_and_in_quiet() -> None:
    page = pages(render_label(CONTENT, "4x6"))[0]
    before, *bars, after = runs(gray(page, (0, 620, page.width, 621)))
    module = min(bars)
    assert all(bar % module == 0 for bar in bars)
    assert sum(bars) == 156 * module
    assert min(before, after) >= 10 * module

    full_height = runs(gray(page, (before, 490, before + 1, 770)))[1]
    assert full_height / DPI * 25.4 >= 32


def test_qr_modules_are_whole_dots_in_quiet() -> None:
    page = pages(render_label(CONTENT, "4x6"))[0]
    above, left_side, *_ = runs(gray(page, (33, 880, 34, 1140)))
    module = left_side // 7
    top, side = 880 + above, 21 * module
    for row in range(21):
        line = gray(page, (0, top + row * module, 264, top + row * module + 1))
        before, *inside, after = runs(line)
        assert all(run % module == 0 for run in inside)
        assert min(before, after) >= 4 * module
    assert ink(page.crop((0, top - 3 * module, 264, top + side + 4 * module)))[1::2] == (3 * module, 3 * module + side)


@pytest.mark.parametrize("size", ["a4", "letter"])
def test_symbols_on_sheets_lie_on_whole_dots(size: Size) -> None:
    with pikepdf.open(BytesIO(render_label(CONTENT, size))) as pdf:
        instructions = pikepdf.parse_content_stream(pdf.pages[0])
    scaled = next(
        place
        for place, instruction in enumerate(instructions)
        if str(instruction.operator) == "cm" and float(instruction.operands[0]) == pytest.approx(72 / DPI)
    )
    rectangles = [item.operands for item in instructions[scaled:] if str(item.operator) == "re"]
    assert len(rectangles) > 100
    assert all(isinstance(number, int) for rectangle in rectangles for number in rectangle)


@pytest.mark.parametrize("size", SIZES)
def test_all_that_matters_is_said(size: Size) -> None:
    said = text(render_label(CONTENT, size))
    for words in (
        "Postage paid",
        "BG-SOF-4471",
        "Nord & Sund, Returns",
        "ul. Industrialna 11, hall 3",
        "1528 Sofia",
        "BULGARIA",
        "Болгарія",
        "Олександр Шевченко",
        "вул. Хрещатик 22, кв. 7",
        "01001 Київ, Україна",
        "1042",
        "Trail Runner GTX, 42, Navy",
        "2026-11-17",
        SANDBOX,
        CODE,
    ):
        assert squeezed(words) in said


def test_captions_speak_two_languages() -> None:
    ukrainian = {"From": "Від", "Order": "Замовлення"}
    said = text(render_label(CONTENT, "4x6", lambda message: ukrainian.get(message, message)))
    assert "ВІД·FROM" in said
    assert "ЗАМОВЛЕННЯ·ORDER" in said


@pytest.mark.parametrize("size", SIZES)
def test_the_sandbox_is_named_on_every_page_and_only_there(size: Size) -> None:
    pdf = render_label(label(items=MANY), size)
    assert text(pdf).count(squeezed(SANDBOX)) >= len(pages(pdf))
    assert "Sandbox" not in text(render_label(label(sandbox=False), size))


def test_a_long_list_ends_with_how_many_more() -> None:
    said = text(render_label(label(items=MANY, locale="en"), "4x6"))
    assert "Article03,M,Blueand56more" in said
    assert "Article04" not in said


def test_the_slip_shows_all_items_over_several_pages() -> None:
    pdf = render_label(label(items=MANY), "letter")
    assert len(pages(pdf)) == 3
    assert all(f"Article{number:02}MBlue" in text(pdf) for number in range(60))


@pytest.mark.parametrize("size", SIZES)
def test_long_addresses_are_printed_whole_and_keep_within_their_places(size: Size) -> None:
    pdf = render_label(NASTY, size)
    said = text(pdf)
    for part in (LONG_ADDRESS.name, LONG_ADDRESS.line1, LONG_ADDRESS.line2, LONG_ADDRESS.city, LONG_ADDRESS.region):
        assert said.count(squeezed(part)) >= 2
    assert {value for _, value in codes(pages(pdf)[0])} == {NASTY.code}


def test_long_addresses_leave_white_around_the_frame_and_the_bars() -> None:
    page = pages(render_label(NASTY, "4x6"))[0]
    for gap in ((0, 98, 812, 106), (0, 326, 812, 334), (37, 339, 775, 346), (37, 560, 775, 565), (0, 570, 812, 584)):
        assert min(gray(page, gap)) >= 250, gap


def test_longer_names_than_a_label_can_hold_say_that_they_go_on() -> None:
    sender = PostalAddress("x" * 500, "Street 1", "", "Town", "", "1", "BG")
    assert "x" * 199 + "…" in text(render_label(label(sender=sender), "4x6"))


@pytest.mark.parametrize(
    "name",
    ["محمد بن عبد الله", "דוד כהן", "გიორგი მაისურაძე", "Nguyễn Thị Minh Khai", "Αθηνά Παπαδοπούλου", "Ђорђе Џајић"],
)
def test_names_are_shown_in_their_script(name: str, caplog: pytest.LogCaptureFixture) -> None:
    sender = PostalAddress(name, "", "", "", "", "", "BG")
    assert set(squeezed(name)) <= set(text(render_label(label(sender=sender, locale="en"), "4x6")))
    assert not [record for record in caplog.records if "notdef" in record.getMessage()]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mary \U0001f600", "Mary :grinning:"),
        ("Anna\x00\x07 \u202egnp.exe\u2066", "Anna gnp.exe"),
        ("<b onload='x'>&amp; Co</b>", "<b onload='x'>&amp; Co</b>"),
        ("\ue000", "U+E000"),
    ],
)
def test_what_cannot_be_printed_as_it_is_stands_in_other_signs(
    name: str, shown: str, caplog: pytest.LogCaptureFixture
) -> None:
    sender = PostalAddress(name, "", "", "", "", "", "BG")
    said = text(render_label(label(sender=sender, locale="en"), "4x6"))
    assert "FROM" + squeezed(shown) + ",Bulgaria" in said
    assert not [record for record in caplog.records if "notdef" in record.getMessage()]


def test_addresses_follow_the_order_of_their_country() -> None:
    sender = PostalAddress("Mary Johnson", "1 Main St", "Apt 5", "Portland", "OR", "97201", "US")
    said = text(render_label(label(sender=sender, recipient=RECIPIENT, locale="en"), "4x6"))
    assert "1MainStApt5Portland,OR97201,UnitedStates" in said


def test_the_same_label_is_the_same_bytes_in_every_process() -> None:
    script = (
        "import sys, msgspec; from returns_portal.labels import content, render;"
        "given = msgspec.json.decode(sys.stdin.buffer.read(), type=content.LabelContent);"
        "sys.stdout.buffer.write(b''.join(render.render_label(given, size) for size in content.SIZES))"
    )
    render_label(NASTY, "a4")
    here = b"".join(render_label(CONTENT, size) for size in SIZES)
    there = subprocess.run(
        [sys.executable, "-c", script],
        input=msgspec.json.encode(CONTENT),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert there.stdout == here


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.socket.connect", refused)
    monkeypatch.setattr("urllib.request.OpenerDirector.open", refused)
    link = "<img src='http://example.com/x.png'><link rel=stylesheet href='file:///etc/passwd'>"
    hostile = PostalAddress(link, link, "@import url(http://example.com)", "x", "", "1", "BG")
    pdf = render_label(label(sender=hostile, items=(LabelItem(1, link, link, link),), shop_name=link), "a4")
    assert squeezed(link) in text(pdf)
    assert not [record for record in caplog.records if record.name.startswith("weasyprint")]
    assert b"http" not in pikepdf_strings(pdf)


def pikepdf_strings(pdf: bytes) -> bytes:
    """The parts of a PDF in which links would stand."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return b"".join(bytes(page.obj.get("/Annots", pikepdf.Array()).unparse()) for page in document.pages)

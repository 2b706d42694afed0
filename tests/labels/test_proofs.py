"""What leaves the printer: two readers that share no code read every symbol, and every script is printed whole."""

import re
import unicodedata
from functools import cache
from io import BytesIO
from typing import Final

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from returns_portal.documents.coverage import printable
from returns_portal.labels.content import SIZES, LabelContent, LabelItem, PostalAddress, Size
from returns_portal.labels.render import render_label
from returns_portal.labels.stamping import render_labels
from tests.labels.prints import CONTENT, DPI, LONG_ADDRESS, black_and_white, gray, ink, label, pages, text

try:
    from pyzbar import pyzbar  # type: ignore[import-untyped]  # pyzbar ships no types.
except ImportError as error:  # The package is there, but not the library that it loads.
    pytest.skip(f"libzbar0 is not installed: {error}", allow_module_level=True)

MARGIN_MM: Final[dict[Size, float]] = {"4x6": 4, "a4": 8, "letter": 8}
CASES: Final = {
    "usual": CONTENT,
    "carrier's number": label(code="1Z999AA10123456784", sandbox=False),
    "longest": label(code="R-7K3M-9QXD-ABCD-EF12-ab", order_number="A-1000000000000000000000"),
    "digits": label(code="420941079400111899223345", to_choose=True),
    "crowded": label(sender=LONG_ADDRESS, recipient=LONG_ADDRESS),
}
NAMES: Final = {
    "Latin": ("Zoë Müller-Østergård", "ulica Łąkowa 5", "Wrocław", "PL"),
    "Cyrillic": ("Їжакевич Ґалина Щербина", "вулиця Січових Стрільців 3", "Львів", "UA"),
    "Greek": ("Αθηνά Παπαδοπούλου", "Λεωφόρος Βασιλίσσης Σοφίας 12", "Αθήνα", "GR"),
    "Georgian": ("გიორგი მაისურაძე", "რუსთაველის გამზირი 8", "თბილისი", "GE"),
    "Armenian": ("Արամ Խաչատրյան", "Մաշտոցի պողոտա 20", "Երևան", "AM"),
    "Hebrew": ("דוד כהן", "רחוב הרצל 5", "תל אביב", "IL"),
    "Arabic": ("محمد بن عبد الله", "شارع النيل 5", "القاهرة", "EG"),
    "Persian": ("پریسا گلستانی\u200cنژاد", "خیابان ولیعصر ۱۲", "تهران", "IR"),
    "Devanagari": ("अमिताभ श्रीवास्तव", "महात्मा गांधी मार्ग ४२", "मुंबई", "IN"),
    "Bengali": ("রবীন্দ্রনাথ চট্টোপাধ্যায়", "পার্ক স্ট্রিট ১৭", "ঢাকা", "BD"),
    "Tamil": ("சுப்ரமணிய பாரதியார்", "அண்ணா சாலை 7", "சென்னை", "IN"),
    "Thai": ("สมชาย ใจดี", "ถนนสุขุมวิท 21", "กรุงเทพมหานคร", "TH"),
    "Khmer": ("សុខ ស្រីមុំ", "ផ្លូវព្រះនរោត្តម ៤៥", "ភ្នំពេញ", "KH"),
    "Amharic": ("አበበ ቢቂላ", "ቦሌ መንገድ 3", "አዲስ አበባ", "ET"),
    "Chinese, simplified": ("王小明", "朝阳区建国路88号", "北京市", "CN"),
    "Chinese, traditional": ("陳美玲", "信義區市府路1號", "臺北市", "TW"),
    "Japanese": ("山田 花子", "千代田区丸の内1-1 メゾン東京", "東京都", "JP"),
    "Korean": ("김민수", "종로구 세종대로 1", "서울특별시", "KR"),
    "Vietnamese": ("Nguyễn Thị Minh Khai", "Đường Lê Lợi 12", "Thành phố Hồ Chí Minh", "VN"),
    "rare": ("Mary \U0001f600 \U00020bb7野", "ʻOkina Straße ẞ 1½ ℅ Ǆ", "Łódź", "PL"),
}
WHITE_4X6: Final = ((0, 0, 812, 30), (456, 30, 471, 180), (0, 198, 812, 201), (37, 207, 775, 213), (37, 465, 775, 470))
"""Dots around the two addresses where nothing may stand."""


@cache
def printed(name: str, size: Size) -> list[Image.Image]:
    """A case by itself and in a file of many, page by page."""
    content = CASES[name]
    return [*pages(render_label(content, size)), *pages(render_labels([content], size))]


def read_by_zxing(image: Image.Image) -> list[str]:
    return sorted(f"{found.format.symbology.name} {found.text}" for found in zxingcpp.read_barcodes(image))


def read_by_zbar(image: Image.Image) -> list[str]:
    kinds = {"CODE128": "Code128", "QRCODE": "QRCode"}
    return sorted(f"{kinds[found.type]} {found.data.decode()}" for found in pyzbar.decode(image))


@pytest.mark.parametrize("reader", [read_by_zxing, read_by_zbar])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_two_readers_read_every_symbol_in_gray_and_in_black_and_white(name: str, size: Size, reader: object) -> None:
    assert callable(reader)
    code = CASES[name].code
    expected = [f"Code128 {code}", *([f"QRCode {code}"] * (1 if size == "4x6" else 2))]
    for page in printed(name, size):
        assert reader(page) == expected
        assert reader(black_and_white(page)) == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_margins_are_white(name: str, size: Size) -> None:
    for page in printed(name, size):
        left, top, right, bottom = ink(page)
        nearest = min(left, top, page.width - right, page.height - bottom)
        assert nearest >= int(MARGIN_MM[size] / 25.4 * DPI)


def of_script(script: str) -> LabelContent:
    """A label between two people of one script, who speak English to the portal."""
    name, street, city, country = NAMES[script]
    address = PostalAddress(name, street, "", city, "", "1000", country)
    items = (LabelItem(1, name, city, street),)
    return label(sender=address, recipient=address, items=items, shop_name=name, locale="en")


@pytest.mark.parametrize("size", ["4x6", "a4"])
@pytest.mark.parametrize("script", NAMES)
def test_names_and_addresses_are_printed_whole(script: str, size: Size, caplog: pytest.LogCaptureFixture) -> None:
    content = of_script(script)
    single = render_label(content, size)
    for file in (single, render_labels([content], size)):
        said = text(file)
        for part in NAMES[script][:3]:
            assert letters(printable(part)) <= set(said)
        assert missing_glyphs(file) == []
    assert not [record for record in caplog.records if "notdef" in record.getMessage()]
    page = pages(single)[0]
    assert min(ink(page)[:2]) >= 31
    if size == "4x6":
        for gap in WHITE_4X6:
            assert min(gray(page, gap)) >= 250, gap


def letters(shown: str) -> set[str]:
    """Letters, figures and signs. Marks are drawn with their letter, and not all readers of PDF tell them apart."""
    return {character for character in shown if unicodedata.category(character)[0] not in "MZC"}


def missing_glyphs(file: bytes) -> list[str]:
    """The operators of a file that show glyph 0, which is a box in every font."""
    found = []
    with pikepdf.open(BytesIO(file)) as pdf:
        streams = [item for item in pdf.objects if isinstance(item, pikepdf.Stream)]
        for stream in streams:
            content = stream.read_bytes()
            if b"TJ" in content and b"BT" in content:
                found += [
                    shown
                    for operator in re.findall(rb"\[(.*?)\] ?TJ", content)
                    for shown in re.findall(rb"<([0-9a-f]+)>", operator)
                    if any(shown[place : place + 4] == b"0000" for place in range(0, len(shown), 4))
                ]
    return [shown.decode() for shown in found]


def test_a_missing_glyph_would_be_seen() -> None:
    file = render_label(CONTENT, "4x6")
    with pikepdf.open(BytesIO(file)) as pdf:
        page = pdf.pages[0]
        content = page.Contents.read_bytes()
        first = re.search(rb"<[0-9a-f]{4}>", content)
        assert first is not None
        page.Contents = pdf.make_stream(content.replace(first.group(), b"<0000>"))
        broken = BytesIO()
        pdf.save(broken)
    assert missing_glyphs(file) == []
    assert missing_glyphs(broken.getvalue())

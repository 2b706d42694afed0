"""Labels to print, and what a printer and a scanner make of them."""

from datetime import date

import msgspec
import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import zxingcpp
from PIL import Image, ImageChops, ImageFilter

from returns_portal.labels.content import LabelContent, LabelItem, PostalAddress

DPI = 203
CODE = "R-7K3M-9QXD"

SENDER = PostalAddress("Олександр Шевченко", "вул. Хрещатик 22, кв. 7", "", "Київ", "", "01001", "UA")
RECIPIENT = PostalAddress("Nord & Sund, Returns", "ul. Industrialna 11, hall 3", "", "Sofia", "", "1528", "BG")
CONTENT = LabelContent(
    code=CODE,
    carrier="prepaid",
    sender=SENDER,
    recipient=RECIPIENT,
    licence="BG-SOF-4471",
    order_number="1042",
    items=(LabelItem(1, "Trail Runner GTX", "42", "Navy"),),
    issued=date(2026, 11, 17),
    locale="uk",
    shop_name="Nord & Sund",
    shop_phone="+359 2 555 01 20",
    shop_email="returns@nordsund.example",
    sandbox=True,
)

LONG_ADDRESS = PostalAddress(
    name=("Wolfeschlegelsteinhausenbergerdorff " * 6)[:200].strip(),
    line1="Ж" * 200,
    line2="W" * 200,
    city="ü" * 100,
    region="M" * 100,
    postal_code="123456-7890",
    country="CD",
)


def label(**changes: object) -> LabelContent:
    """The usual label, with changes."""
    return msgspec.structs.replace(CONTENT, **changes)


def pages(pdf: bytes) -> list[Image.Image]:
    """The pages as a label printer of 203 dpi would see them, in gray."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=DPI / 72).to_pil().convert("L") for page in document]
    finally:
        document.close()


def text(pdf: bytes) -> str:
    """All text of a PDF, without white space, which wrapping changes."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        found = "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    return squeezed(found)


def squeezed(given: str) -> str:
    """Text without white space."""
    return "".join(given.split())


def codes(image: Image.Image) -> list[tuple[zxingcpp.BarcodeFormat, str]]:
    """What a scanner reads on a page."""
    return sorted((found.format.symbology, found.text) for found in zxingcpp.read_barcodes(image))


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The smallest box that holds everything that is not white, or as good as white: see `runs`."""
    box = image.point(lambda gray: 0 if gray >= 253 else 255).getbbox()
    assert box is not None, "the page is empty"
    return box


def runs(pixels: list[int]) -> list[int]:
    """The lengths of alternating light and dark runs, the first light; every pixel must be black or white.

    A renderer's single-precision numbers miss a dot's edge by a hundredth at most, which shows as 2 of 255 grays.
    """
    assert all(min(pixel, 255 - pixel) <= 2 for pixel in pixels), "an edge lies between two dots"
    lengths, dark = [0], False
    for pixel in pixels:
        if (pixel < 128) != dark:
            dark = not dark
            lengths.append(0)
        lengths[-1] += 1
    return lengths


def gray(image: Image.Image, box: tuple[int, int, int, int]) -> list[int]:
    """The gray values of a part of a page, row by row."""
    return list(image.crop(box).tobytes())


def black_and_white(image: Image.Image) -> Image.Image:
    """A page as a printer without grays puts it on paper, still in values of gray."""
    return image.point(lambda gray: 255 if gray > 127 else 0)


def stray_dots(one: Image.Image, other: Image.Image) -> int:
    """How many dots are dark in one of two pages and have nothing dark within a dot's distance in the other."""

    def beyond(inked: Image.Image, reference: Image.Image) -> int:
        spread = reference.filter(ImageFilter.MinFilter(3))
        return sum(ImageChops.subtract(spread, inked).histogram()[160:])

    return beyond(one, other) + beyond(other, one)


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """By how much two pages differ per dot, of 255 grays."""
    counts = ImageChops.difference(one, other).histogram()
    return sum(gray * count for gray, count in enumerate(counts)) / (one.width * one.height)

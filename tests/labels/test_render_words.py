"""What a label and its sheet say in the customer's language, however long that is."""

import re
from datetime import date

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest

from returns_portal.documents.coverage import can_print
from returns_portal.labels.content import SIZES, LabelItem, Size
from returns_portal.labels.render import render_label
from returns_portal.labels.stamping import render_labels
from returns_portal.resources import templates_dir
from tests.labels.prints import CONTENT, label, pages, squeezed, text

MANY = tuple(LabelItem(1, f"Article {number}", "M", "Blue") for number in range(8))
IN_ENGLISH = {"PREPAID RETURN", "Licence"}
"""What the post reads, whatever the customer speaks."""
GROWTH = ((10, 3.0), (20, 2.0), (30, 1.8), (50, 1.6), (70, 1.7), (1000, 1.3))
"""By how much translations of so many letters grow at most (W3C, Text size in translation, after IBM)."""
FILLER = "Слово вітання повернення безкоштовно посилка поштове відділення наклейте складіть"


def longest(message: str) -> str:
    """A translation as long as one can be."""
    size = int(len(message) * next(growth for limit, growth in GROWTH if len(message) <= limit))
    words = FILLER.split()
    said = words[len(message) % len(words)]
    for number in range(size):
        if len(said) >= size:
            break
        said += f" {words[(len(message) + number) % len(words)]}"
    return said + (" {count}" if "{count}" in message else "")


def sentences() -> set[str]:
    """All that the templates and the wording of labels mark for translation."""
    folder = templates_dir() / "documents" / "label"
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html")))
    return {
        *re.findall(r'(?:_|mark)\("(.+?)"\)', sources),
        *re.findall(r'_\("([^"]+)"\) if', sources),
        "and {count} more",
    }


def test_every_sentence_of_label_and_slip_is_translated() -> None:
    asked: set[str] = set()

    def translate(message: str) -> str:
        asked.add(message)
        return "".join("ЖФЩ"[ord(letter) % 3] if letter.isalpha() else letter for letter in message.partition("{")[0])

    said = ""
    for to_choose, charged in ((False, False), (True, True)):
        content = label(items=MANY, to_choose=to_choose, charged=charged, sandbox=True, locale="en")
        said += text(render_label(content, "a4", translate))
    assert sentences() <= asked
    whole = {sentence for sentence in sentences() if " " in sentence and "May be inside" not in sentence}
    captions = {"Packing slip", "Goes back", "Postage paid by addressee", "Sandbox \N{EN DASH} no money moves"}
    assert not [sentence for sentence in whole - captions if squeezed(sentence) in said]


def test_templates_have_no_words_of_their_own() -> None:
    folder = templates_dir() / "documents" / "label"
    for path in folder.glob("*.html"):
        plain = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "\n", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        words = {line.strip() for line in plain.splitlines() if any(letter.isalpha() for letter in line)}
        assert words <= IN_ENGLISH | {"Postage paid by addressee ·"}, path.name


def test_a_file_of_many_speaks_as_a_single_label_does() -> None:
    content = label(items=MANY[:3])
    together, alone = render_labels([content], "a4", longest), render_label(content, "a4", longest)
    assert sorted(text(together)) == sorted(text(alone))


def places(pdf: bytes, words: str) -> list[tuple[float, float, float]]:
    """Where words stand on the first page: left edge, right edge and lowest point, in mm; from the top."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        searcher = page.get_textpage()
        search = searcher.search(words)
        found = []
        while (hit := search.get_next()) is not None:
            boxes = [searcher.get_charbox(place) for place in range(hit[0], hit[0] + hit[1])]
            lowest = page.get_height() - min(bottom for _, bottom, _, _ in boxes)
            ends = (min(box[0] for box in boxes), max(box[2] for box in boxes), lowest)
            found.append((ends[0] / 72 * 25.4, ends[1] / 72 * 25.4, ends[2] / 72 * 25.4))
        return sorted(found, key=lambda place: place[2])
    finally:
        document.close()


@pytest.mark.parametrize("size", SIZES)
def test_long_translations_do_not_push_anything_out(size: Size) -> None:
    edge = 0 if size == "4x6" else 6
    pdf = render_label(label(items=MANY, licence="BG-SOF-4471-LONG-LICENCE-12345678"), size, longest)
    assert places(pdf, "Postage paid")[0][2] < edge + 22.5
    assert places(pdf, "Licence BG-SOF")[0][2] < edge + 22.5
    left, right, lowest = places(pdf, "2026-11-17")[0]
    assert left >= edge + 71.5
    assert right <= edge + 97.6
    assert lowest <= edge + 121.6
    order = places(pdf, "1042")[0]
    assert order[2] <= edge + 121.6
    if size != "4x6":
        instructions = [place for place in places(pdf, CONTENT.shop_email) if place[0] > 100]
        assert instructions[0][2] <= 160
        assert instructions[0][1] <= 202 if size == "a4" else 208
        slip_order = places(pdf, "1042")[1]
        assert slip_order[2] > 172


@pytest.mark.parametrize("size", SIZES)
def test_long_translations_keep_off_the_margins_and_the_bars(size: Size) -> None:
    sheet = pages(render_label(label(items=MANY), size, longest))[0]
    usual = pages(render_label(label(items=MANY), size))[0]
    offset = 0 if size == "4x6" else 48
    bars = (offset + 32, offset + 490, offset + 780, offset + 760)
    assert sheet.crop(bars).tobytes() == usual.crop(bars).tobytes()
    for edge in ((0, 0, 30, sheet.height), (0, 0, sheet.width, 30), (sheet.width - 30, 0, sheet.width, sheet.height)):
        assert sheet.crop(edge).getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", "March 4, 2027"),
        ("uk", "4 березня 2027 р."),
        ("de", "4. März 2027"),
        ("bg", "4 март 2027 г."),
        ("pt", "4 de março de 2027"),
        ("ja", "2027年3月4日"),
        ("xx", "March 4, 2027"),
    ],
)
def test_the_date_is_written_as_the_customer_writes_it(locale: str, written: str) -> None:
    content = label(issued=date(2027, 3, 4), locale=locale)
    for said in (text(render_label(content, "a4")), text(render_labels([content], "a4"))):
        # Where no font has the signs of a language, the day stands in digits alone.
        assert squeezed(written) in said or not all(map(can_print, squeezed(written)))
        assert "2027-03-04" in said
        assert "Nian" not in said

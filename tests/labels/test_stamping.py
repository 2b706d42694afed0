"""Many labels in one file: each as it would be by itself, all of them in the time of a few."""

import os
import subprocess
import sys
from datetime import date
from io import BytesIO
from itertools import zip_longest

import msgspec
import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_portal.labels import stamping
from returns_portal.labels.content import SIZES, LabelContent, LabelItem, PostalAddress, Size
from returns_portal.labels.render import render_label
from returns_portal.labels.stamping import render_labels
from tests.labels.prints import (
    CONTENT,
    LONG_ADDRESS,
    codes,
    label,
    mean_difference,
    pages,
    squeezed,
    stray_dots,
    text,
)

LONG_TITLE = "Кросівки для бігу по горах, з мембраною і шипами, дуже легкі"
PLAIN = {
    "usual": CONTENT,
    "latin": label(
        sender=PostalAddress("Zoë O'Brien-Østergård", "1 Avenue Tolstoï", "AV To.", "Þórshöfn", "OR", "97201", "US"),
        locale="en",
    ),
    "wrapped": label(
        sender=PostalAddress(
            "Олександр Іванович Шевченко Запорізький",
            "вулиця Академіка Миколи Амосова 22, квартира 7",
            "під’їзд 3, поверх 5",
            "Івано-Франківськ",
            "Івано-Франківська область",
            "01001",
            "UA",
        )
    ),
    "articles": label(items=(LabelItem(2, "Trail Runner", "42", "Navy"), LabelItem(11, LONG_TITLE, "", "Темно-синій"))),
    "many": label(items=tuple(LabelItem(1, f"Article {number}", "M", "Blue") for number in range(6))),
    "trial": label(to_choose=True, sandbox=False, locale="de"),
    "long code": label(code="R-7K3M-9QXD-ABCD-EF12-ab", order_number="A-10000000000000000"),
}
"""Labels that are written over a layout."""

SPECIAL = {
    "arabic": label(sender=PostalAddress("محمد بن عبد الله", "شارع النيل 5", "", "القاهرة", "", "11511", "EG")),
    "thai": label(sender=PostalAddress("สมชาย ใจดี", "", "", "", "", "10200", "TH")),
    "marks": label(sender=PostalAddress("Q\u0303ue\u0323\u0302", "", "", "", "", "1", "BG")),
    "turkish in romanian": label(sender=PostalAddress("Ayşe Şahin", "", "", "", "", "1", "TR"), locale="ro"),
    "too long": label(sender=LONG_ADDRESS),
}
"""Labels that are made by themselves."""


@pytest.fixture
def made_alone(monkeypatch: pytest.MonkeyPatch) -> list[LabelContent]:
    """The labels of a file that were made by themselves."""
    seen: list[LabelContent] = []

    def noted(content: LabelContent, size: Size, *_options: object) -> bytes:
        seen.append(content)
        return render_label(content, size)

    monkeypatch.setattr(stamping, "render_label", noted)
    return seen


def assert_alike(content: LabelContent, size: Size) -> None:
    """Letters lie where WeasyPrint puts them, to a fraction of a dot."""
    together, alone = render_labels([content], size), render_label(content, size)
    for one, other in zip_longest(pages(together), pages(alone)):
        assert stray_dots(one, other) <= 5
        assert mean_difference(one, other) < 0.15


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PLAIN)
def test_a_label_looks_as_if_made_by_itself(name: str, size: Size) -> None:
    assert_alike(PLAIN[name], size)
    together, alone = render_labels([PLAIN[name]], size), render_label(PLAIN[name], size)
    assert sorted(text(together)) == sorted(text(alone))


WORDS = st.sampled_from(
    (
        *("Шевченко", "Їжак", "будинок", "під’їзд", "Івано-Франківськ", "а/я", "Ђорђе", "“Гора”", "№", "Παπαδοπούλου"),
        *("Zoë", "Østergård", "O'Brien", "Tolstoï", "Łódź", "AV.", "To:", "fi", "ffl", "&", "(rear)", "5,"),
        *("22-24", "12/4", "c/o", "II-B", "Anne-Marie", "Saint-Maur-des-Fossés"),
    )
)
LINES = st.lists(WORDS, max_size=9).map(" ".join)


@settings(max_examples=15, deadline=None)
@given(LINES, LINES, LINES, st.sampled_from(["uk", "en", "bg"]))
def test_lines_break_where_pango_breaks_them(name: str, street: str, title: str, locale: str) -> None:
    sender = PostalAddress(name, street, "", "Київ", "", "01001", "UA")
    assert_alike(label(sender=sender, items=(LabelItem(1, title, "M", ""),), locale=locale), "4x6")


@pytest.mark.parametrize("size", SIZES)
def test_plain_labels_need_no_layout_of_their_own(size: Size, made_alone: list[LabelContent]) -> None:
    plain = [content for name, content in PLAIN.items() if size == "4x6" or name != "long code"]
    render_labels(plain, size)
    assert made_alone == []


def test_labels_of_all_kinds_keep_their_order(made_alone: list[LabelContent]) -> None:
    contents = [
        msgspec.structs.replace(content, code=f"R-7K3M-{number:04}")
        for number, content in enumerate([*PLAIN.values(), *SPECIAL.values(), *PLAIN.values()])
    ]
    read = [{value for _, value in codes(page)} for page in pages(render_labels(contents, "4x6"))]
    assert read == [{content.code} for content in contents]
    assert {content.sender for content in made_alone} == {content.sender for content in SPECIAL.values()}


@pytest.mark.parametrize("name", SPECIAL)
def test_what_needs_pango_is_shown_as_by_itself(name: str) -> None:
    content = SPECIAL[name]
    together, alone = pages(render_labels([CONTENT, content], "4x6")), pages(render_label(content, "4x6"))
    assert [page.tobytes() for page in together[1:]] == [page.tobytes() for page in alone]


def test_packing_slips_of_several_pages_stay_together() -> None:
    many = label(code="R-2222-2222", items=tuple(LabelItem(1, f"Article {n}", "M", "Blue") for n in range(30)))
    made = pages(render_labels([CONTENT, many, CONTENT], "a4"))
    assert [{value for _, value in codes(page)} for page in made] == [
        {CONTENT.code},
        {many.code},
        set(),
        {CONTENT.code},
    ]


def test_words_of_one_shop_do_not_get_onto_labels_of_another() -> None:
    shops = ("Nord & Sund", "Berg & Tal")
    contents = [
        label(shop_name=shop, order_number=str(number), issued=date(2026, 1, number), locale=locale, sandbox=sandbox)
        for number, (shop, locale, sandbox) in enumerate(
            [(shop, locale, sandbox) for shop in shops for locale in ("en", "uk") for sandbox in (True, False)], start=1
        )
    ]
    with pikepdf.open(BytesIO(render_labels(contents, "a4"))) as pdf:
        for page, content in zip(pdf.pages, contents, strict=True):
            single = pikepdf.new()
            single.pages.append(page)
            file = BytesIO()
            single.save(file)
            said = text(file.getvalue())
            assert squeezed(content.shop_name) in said
            assert ("Sandbox" in said) == content.sandbox
            assert ("січня" in said) == (content.locale == "uk")
            assert f"2026-01-{content.issued.day:02}" in said


def test_fonts_and_layouts_are_in_the_file_once() -> None:
    contents = [label(code=f"R-7K3M-{number:04}", order_number=str(number)) for number in range(100)]
    file = render_labels(contents, "4x6")
    assert len(file) < 400_000
    with pikepdf.open(BytesIO(file)) as pdf:
        assert len({page.Resources.Font.objgen for page in pdf.pages}) == 1
        assert len({page.Resources.XObject.L.objgen for page in pdf.pages}) == 1


def test_the_same_labels_are_the_same_bytes_in_every_process() -> None:
    script = (
        "import sys, msgspec; from returns_portal.labels import content, stamping;"
        "given = msgspec.json.decode(sys.stdin.buffer.read(), type=list[content.LabelContent]);"
        "sys.stdout.buffer.write(b''.join(stamping.render_labels(given, size) for size in content.SIZES))"
    )
    contents = [*PLAIN.values(), SPECIAL["arabic"]]
    render_labels(list(SPECIAL.values()), "a4")
    here = b"".join(render_labels(contents, size) for size in SIZES)
    there = subprocess.run(
        [sys.executable, "-c", script],
        input=msgspec.json.encode(contents),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert there.stdout == here


def test_nothing_is_written_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a file was to be made")

    contents = [CONTENT, SPECIAL["arabic"]]
    expected = render_labels(contents, "4x6")
    for name in ("tempfile.mkstemp", "tempfile.TemporaryFile", "builtins.open", "io.open", "os.open", "os.mkdir"):
        monkeypatch.setattr(name, refused)
    made = render_labels(contents, "4x6")
    monkeypatch.undo()
    assert made == expected

"""Labels of the portal and of carriers in one file, on one paper."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest

from returns_portal.documents.symbols import code_128, pdf_operators
from returns_portal.labels.content import Size
from returns_portal.labels.gathering import bind, gather
from tests.labels.many import labels_in
from tests.labels.prints import ink, label, pages

PAPER: dict[Size, tuple[float, float]] = {"4x6": (288, 432), "a4": (595.28, 841.89), "letter": (612, 792)}


def of_a_carrier(code: str, width: float, height: float, change: Callable[[pikepdf.Page], None] | None = None) -> bytes:
    """A carrier's page with a bar code near its lower left corner, and a frame at its edge."""
    bars = pdf_operators(code_128(code), left=40, top=40, module=2, row_height=80)
    file = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(width, height))
        page.contents_add(f"4 4 {width - 8} {height - 8} re S\n{bars}".encode())
        if change is not None:
            change(page)
        pdf.save(file)
    return file.getvalue()


def boxes(pdf: bytes) -> list[tuple[float, float]]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_size() for page in document]
    finally:
        document.close()


@pytest.mark.parametrize("size", PAPER)
def test_all_pages_are_of_the_paper_and_in_order(size: Size) -> None:
    ours = [label(code=f"R-0000-000{place}") for place in range(3)]
    theirs = [of_a_carrier("9405500208", 288, 432), of_a_carrier("9405500209", 595, 842)]
    made = gather([ours[0], theirs[0], theirs[1], ours[1], ours[2]], size)
    assert [pytest.approx(box, abs=1) for box in boxes(made)] == [PAPER[size]] * 5
    assert labels_in(made) == [ours[0].code, "9405500208", "9405500209", ours[1].code, ours[2].code]
    assert gather([ours[0], theirs[0], theirs[1], ours[1], ours[2]], size) == made


def turned(page: pikepdf.Page) -> None:
    page.rotate(90, relative=False)


def cropped(page: pikepdf.Page) -> None:
    page.cropbox = pikepdf.Array([0, 0, 432, 288])
    page.mediabox = pikepdf.Array([-50, -50, 700, 900])


@pytest.mark.parametrize("change", [turned, cropped])
def test_a_carriers_page_is_put_in_as_it_is_seen(change: Callable[[pikepdf.Page], None]) -> None:
    [page] = pages(gather([of_a_carrier("9405500208", 432, 288, change)], "4x6"))
    left, top, right, bottom = ink(page)
    width, height = right - left, bottom - top
    # Turned, it fills the sheet; the cropped one lies across it, two thirds as large.
    assert (width < height) == (change is turned)
    assert labels_in(gather([of_a_carrier("9405500208", 432, 288, change)], "4x6")) == ["9405500208"]


def test_nothing_is_enlarged() -> None:
    [page] = pages(gather([of_a_carrier("9405500208", 288, 432)], "a4"))
    left, _top, right, _bottom = ink(page)
    assert (right - left) / 203 * 72 == pytest.approx(281, abs=2)


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(pikepdf.PdfError):
        gather([label(), b"no such thing"], "4x6")


def test_pieces_are_bound_in_order(tmp_path: Path) -> None:
    codes = [f"R-0000-00{place:02d}" for place in range(7)]
    parts = []
    for number, some in enumerate((codes[:3], codes[3:6], codes[6:])):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(gather([label(code=code) for code in some], "4x6"))
        parts.append(str(path))
    whole = tmp_path / "whole.pdf"
    assert bind(parts, str(whole)) == whole.stat().st_size
    assert labels_in(whole) == codes

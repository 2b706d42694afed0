"""From a template to a PDF.

A document is a minijinja template and a stylesheet in `templates/documents/`. The stylesheet is parsed once, its
fonts come with the package, nothing is ever fetched, and the same input gives the same bytes: no date, no random
identifier stands in the file.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import minijinja
import msgspec
import pydyf  # type: ignore[import-untyped]  # pydyf ships no types.
from weasyprint import CSS, HTML, Document  # type: ignore[import-untyped]  # WeasyPrint ships no types.
from weasyprint.formatting_structure.boxes import InlineBox, LineBox, TextBox  # type: ignore[import-untyped]  # As above.

from returns_portal.documents.fetching import PackageFetcher, font_configuration
from returns_portal.documents.fonts import FONT_FACES
from returns_portal.documents.symbols import POINTS_PER_DOT
from returns_portal.resources import templates_dir

BLANK: Final = "\N{NO-BREAK SPACE}"
"""A text that takes the place of a line and leaves no ink."""
_POINTS: Final = 0.75
"""WeasyPrint measures in px, 96 to the inch."""


def _folder() -> Path:
    return templates_dir() / "documents"


@cache
def _environment() -> minijinja.Environment:
    """Templates ending in .html are escaped; a name that does not exist is an error, not nothing."""
    return minijinja.Environment(
        loader=minijinja.load_from_path([_folder()]),
        undefined_behavior="strict",
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet(names: tuple[str, ...]) -> CSS:
    """The stylesheets as one, which is matched in less time than several."""
    source = FONT_FACES + "".join((_folder() / name).read_text(encoding="utf-8") for name in names)
    return CSS(string=source, font_config=font_configuration(), url_fetcher=PackageFetcher())


def lay_out(template: str, stylesheets: tuple[str, ...], context: Mapping[str, object]) -> Document:
    """Fill the template in and lay it out, without writing it yet.

    Args:
        template: its path below `templates/documents/`.
        stylesheets: theirs, from the general to the particular.
        context: the template's values. Text in them is escaped by the template, and must have gone through
            `printable` if it comes from people.
    """
    page = HTML(string=_environment().render_template(template, **context), url_fetcher=PackageFetcher())
    return page.render(font_config=font_configuration(), stylesheets=[_stylesheet(stylesheets)])


class Blank(msgspec.Struct, frozen=True):
    """A line of a page that was left free, in points from the page's top left corner."""

    left: float
    """Where its text begins; the middle of it, if it is centred."""
    right: float
    """How far its text may reach."""
    baseline: float
    end: float
    """Where the next line begins."""


def blanks(document: Document) -> dict[str, list[Blank]]:
    """The first page's lines that are `BLANK`, by class, or else name, of the element that they stand in."""
    found: dict[str, list[Blank]] = {}
    _find_blanks(document.pages[0]._page_box, [], found)  # noqa: SLF001 - WeasyPrint tells it nowhere else
    return found


def _find_blanks(box: Any, around: list[Any], found: dict[str, list[Blank]]) -> None:  # noqa: ANN401 - untyped boxes
    if isinstance(box, TextBox):
        if box.text == BLANK and box.style["visibility"] == "visible":
            found.setdefault(box.element.get("class") or box.element_tag, []).append(_blank(box, around))
        return
    around.append(box)
    for child in getattr(box, "children", ()):
        _find_blanks(child, around, found)
    around.pop()


def _blank(text: Any, around: list[Any]) -> Blank:  # noqa: ANN401 - as above
    place = max(place for place, box in enumerate(around) if not isinstance(box, LineBox | InlineBox))
    block, line = around[place], around[place + 1]
    centred = text.style["text_align_all"] == "center"
    return Blank(
        left=(text.position_x + (text.width / 2 if centred else 0)) * _POINTS,
        right=(block.content_box_x() + block.width) * _POINTS,
        baseline=(text.position_y + text.baseline) * _POINTS,
        end=(line.position_y + line.height) * _POINTS,
    )


def write(document: Document, symbols: Mapping[int, str]) -> bytes:
    """The document as PDF, with symbols drawn into pages.

    Args:
        document: as `lay_out` gave it.
        symbols: by page number, from 0: operators in dots from the page's top left corner. Drawn by the renderer
            itself, as SVG, they would take several times as long as the rest of the page.
    """

    def finish(document: Document, pdf: pydyf.PDF) -> None:
        for number, operators in symbols.items():
            _draw(pdf, number, document.pages[number].height * _POINTS, operators)

    # Positions that were measured have served; left in, they would become named destinations in the file.
    for page in document.pages:
        page.anchors.clear()
    # No identifier: it is optional (ISO 32000-1, 14.4), and for one the whole file would be compressed twice.
    content: bytes = document.write_pdf(finisher=finish)
    return content


def _draw(pdf: pydyf.PDF, number: int, height: float, operators: str) -> None:
    """Append operators to a page's content, whose own changes of the coordinates must end before (q … Q)."""
    page = pdf.objects[pdf.pages["Kids"][3 * number]]
    content = pdf.objects[int(page["Contents"].split()[0])]
    dots = f"{POINTS_PER_DOT:.10f} 0 0 {-POINTS_PER_DOT:.10f} 0 {height:.10f} cm"
    content.stream.insert(0, b"q")
    content.stream.extend((b"Q", f"q\n{dots}\n0 g\n{operators}\nQ".encode()))

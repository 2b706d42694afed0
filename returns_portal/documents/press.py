"""From a template to a PDF.

A document is a minijinja template and a stylesheet in `templates/documents/`. The stylesheet is parsed once, its
fonts come with the package, nothing is ever fetched, and the same input gives the same bytes: no date, no random
identifier stands in the file.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import minijinja
import pydyf  # type: ignore[import-untyped]  # pydyf ships no types.
from weasyprint import CSS, HTML, Document  # type: ignore[import-untyped]  # WeasyPrint ships no types.

from returns_portal.documents.fonts import FONT_FACES, PackageFetcher, font_configuration
from returns_portal.documents.symbols import POINTS_PER_DOT
from returns_portal.resources import templates_dir


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
def _stylesheet(name: str) -> CSS:
    source = FONT_FACES + (_folder() / name).read_text(encoding="utf-8")
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
    return page.render(font_config=font_configuration(), stylesheets=[_stylesheet(name) for name in stylesheets])


def write(document: Document, symbols: Mapping[int, str]) -> bytes:
    """The document as PDF, with symbols drawn into pages.

    Args:
        document: as `lay_out` gave it.
        symbols: by page number, from 0: operators in dots from the page's top left corner. Drawn by the renderer
            itself, as SVG, they would take several times as long as the rest of the page.
    """

    def finish(document: Document, pdf: pydyf.PDF) -> None:
        for number, operators in symbols.items():
            _draw(pdf, number, document.pages[number].height * 0.75, operators)

    # Positions that were measured have served; left in, they would become named destinations in the file.
    for page in document.pages:
        page.anchors.clear()
    content: bytes = document.write_pdf(finisher=finish, pdf_identifier=True)
    return content


def _draw(pdf: pydyf.PDF, number: int, height: float, operators: str) -> None:
    """Append operators to a page's content, whose own changes of the coordinates must end before (q … Q)."""
    page = pdf.objects[pdf.pages["Kids"][3 * number]]
    content = pdf.objects[int(page["Contents"].split()[0])]
    dots = f"{POINTS_PER_DOT:.10f} 0 0 {-POINTS_PER_DOT:.10f} 0 {height:.10f} cm"
    content.stream.insert(0, b"q")
    content.stream.extend((b"Q", f"q\n{dots}\n0 g\n{operators}\nQ".encode()))

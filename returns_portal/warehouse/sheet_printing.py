"""Sheets of barcodes as PDF, A4."""

from typing import Final

from returns_portal import i18n
from returns_portal.documents.coverage import printable
from returns_portal.documents.press import lay_out, write
from returns_portal.documents.symbols import DOTS_PER_INCH, code_128, pdf_operators
from returns_portal.warehouse.sheets import CodeSheet

_STYLES: Final = ("codes/codes.css",)
_MODULE: Final = 2
_BAR_HEIGHT: Final = 150
"""Dots: 19 mm, for scanners that are held by hand."""


def render_sheet(sheet: CodeSheet) -> bytes:
    """The sheet as PDF: the same bytes for the same content. It takes a moment, so it is not for an event loop."""
    context = {
        "lang": i18n.formatting_locale(sheet.locale).language,
        "title": printable(sheet.title),
        "lead": printable(sheet.lead),
        "entries": [
            {"title": printable(entry.title), "code": entry.code, "hint": printable(entry.hint)}
            for entry in sheet.entries
        ],
    }
    document = lay_out("codes/codes.html", _STYLES, context)
    symbols = {}
    for number, page in enumerate(document.pages):
        drawn = []
        for index, entry in enumerate(sheet.entries):
            if entry.code and f"code-{index}" in page.anchors:
                left, top = (round(length * DOTS_PER_INCH / 96) for length in page.anchors[f"code-{index}"][:2])
                bars = code_128(entry.code)
                drawn.append(pdf_operators(bars, left=left, top=top, module=_MODULE, row_height=_BAR_HEIGHT))
        symbols[number] = "\n".join(drawn)
    return write(document, symbols)

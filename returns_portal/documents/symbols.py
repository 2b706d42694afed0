"""Code 128 and QR symbols, as operators for a PDF page and as SVG for a web page.

Both are drawn as vectors on whole modules; zxing-cpp encodes them. Distances on a printed page are dots of 1/203
inch, the pitch of label printers, so that no bar begins or ends between two dots.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape

import msgspec
import zxingcpp

DOTS_PER_INCH = 203
POINTS_PER_DOT = 72 / DOTS_PER_INCH
CODE_128_QUIET = 10
"""Modules of white beside a Code 128 symbol (ISO/IEC 15417, 4.6)."""
QR_QUIET = 4
"""Modules of white around a QR symbol (ISO/IEC 18004, 6.3.8)."""
QR_CORRECTION = "Q"
"""A quarter of the code words may be lost: a crease or a strip of tape over the symbol."""

_DARK = re.compile(b"\0+")

Run = tuple[int, int]
"""The first dark module of a row's run, and how many follow in all."""


class Symbol(msgspec.Struct, frozen=True):
    """The dark modules of a symbol, row by row; a linear symbol has one row. Quiet zones are not part of it."""

    width: int
    rows: tuple[tuple[Run, ...], ...]


@lru_cache(maxsize=256)
def code_128(text: str) -> Symbol:
    """The Code 128 symbol that holds `text`, which is printable ASCII."""
    return _encoded(text, zxingcpp.BarcodeFormat.Code128, rows=1)


@lru_cache(maxsize=256)
def qr(text: str) -> Symbol:
    """The smallest QR symbol that holds `text`."""
    return _encoded(text, zxingcpp.BarcodeFormat.QRCode, ec_level=QR_CORRECTION)


def _encoded(text: str, kind: zxingcpp.BarcodeFormat, *, rows: int | None = None, **options: str) -> Symbol:
    image = zxingcpp.create_barcode(text, kind, **options).to_image(scale=1, add_quiet_zones=False)
    # The image follows the buffer protocol, which its type stub does not say; its rows are of gray values.
    pixels = memoryview(image)  # type: ignore[arg-type]
    height, width = pixels.shape or (0, 0)
    gray = pixels.tobytes()
    lines = (gray[row * width : (row + 1) * width] for row in range(rows or height))
    return Symbol(width=width, rows=tuple(tuple(_runs(line)) for line in lines))


def _runs(line: bytes) -> Iterator[Run]:
    """The dark runs of one row of gray values, of which 0 is dark."""
    return ((run.start(), run.end() - run.start()) for run in _DARK.finditer(line))


def pdf_operators(symbol: Symbol, *, left: int, top: int, module: int, row_height: int) -> str:
    """Rectangles that fill the symbol's dark modules, in dots from the page's top left corner.

    All of them are one path, so that no renderer leaves a seam between two rows.
    """
    rectangles = (
        f"{left + start * module} {top + row * row_height} {length * module} {row_height} re"
        for row, runs in enumerate(symbol.rows)
        for start, length in runs
    )
    return "\n".join((*rectangles, "f"))


def qr_svg(text: str, *, title: str) -> str:
    """An SVG element with the QR symbol of `text`, quiet zone included, for the HTML of a page.

    It has no style of its own (a content security policy would refuse it): the page's stylesheet gives its size,
    and its colour is the text's. `title` is what a screen reader says.
    """
    side, path = qr_path(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" role="img" viewBox="0 0 {side} {side}"'
        f' shape-rendering="crispEdges"><title>{escape(title)}</title><path fill="currentColor" d="{path}"/></svg>'
    )


@lru_cache(maxsize=1024)
def qr_path(text: str) -> tuple[int, str]:
    """The modules on a side of the QR symbol of `text`, quiet zone included, and the SVG path of the dark ones."""
    symbol = qr(text)
    path = "".join(
        f"M{QR_QUIET + start} {QR_QUIET + row}h{length}v1h-{length}z"
        for row, runs in enumerate(symbol.rows)
        for start, length in runs
    )
    return symbol.width + 2 * QR_QUIET, path

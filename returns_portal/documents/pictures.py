"""QR symbols as files of their own: what a phone shows, a mail program puts beside the text, or a person prints.

They are black on white whatever is around them: on a dark page a symbol in the colour of its text would be inverted,
which many scanners do not read.
"""

from html import escape
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from returns_portal.documents.symbols import QR_QUIET, Run, qr, qr_path

MODULE: Final = 16
"""Pixels: large enough for a phone to show it sharp, and small as a file all the same."""


def qr_png(text: str) -> bytes:
    """A PNG with the QR symbol of `text`, quiet zone included."""
    symbol = qr(text)
    side = (symbol.width + 2 * QR_QUIET) * MODULE
    picture = Image.new("1", (side, side), 1)
    pen = ImageDraw.Draw(picture)
    for row, runs in enumerate(symbol.rows):
        for run in runs:
            pen.rectangle(_box(row, run), fill=0)
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _box(row: int, run: Run) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a run's pixels, all of them inside."""
    start, length = run
    left, top = (QR_QUIET + start) * MODULE, (QR_QUIET + row) * MODULE
    return left, top, left + length * MODULE - 1, top + MODULE - 1


def qr_svg_file(text: str, *, title: str) -> str:
    """An SVG file with the QR symbol of `text`, quiet zone included; `title` is what a screen reader says."""
    side, path = qr_path(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side * MODULE}" height="{side * MODULE}"'
        f' viewBox="0 0 {side} {side}" shape-rendering="crispEdges"><title>{escape(title)}</title>'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{path}"/></svg>\n'
    )

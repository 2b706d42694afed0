"""Many labels in one PDF, at a fraction of the time that as many single ones take.

Labels of a shop in one language differ in a few lines of text and two symbols. So WeasyPrint lays out once what they
share, and what is each label's own is written over it, glyph by glyph, in the same fonts and at the same places. A
label that needs more than that is made by itself and put between the others: one with letters that join, carry marks
or come from the machine's fonts, with an address too long for its place, with a packing slip of several pages.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec

from returns_portal import i18n
from returns_portal.documents.fonts import MONO_BOLD, SANS, SANS_BOLD
from returns_portal.documents.press import Blank
from returns_portal.documents.setting import NotPlainError, broken, cut_line, one_line
from returns_portal.documents.shaping import Line
from returns_portal.documents.stamped import StampedFile, text_operators
from returns_portal.documents.symbols import POINTS_PER_DOT
from returns_portal.labels.content import LabelContent, Size
from returns_portal.labels.drawing import draw_codes, draw_slip_code
from returns_portal.labels.fitting import Fit
from returns_portal.labels.layouts import LabelLayout, Shape, layout, standing
from returns_portal.labels.render import SHEET_OFFSET, render_label
from returns_portal.labels.wording import SLIP_TYPE, OwnWords, Translate, own_words

_ISSUED, _INSIDE, _TABLE, _FROM = 13.0, 8.5, 9.5, 8.0
"""Points of the type on label and packing slip, as in the stylesheets."""
_TABLE_FONTS: Final = (SANS, SANS_BOLD, SANS_BOLD)
"""Of title, size and colour."""
_MOST_ROWS: Final = 12
"""More articles than this never fit on the first page."""

LayOut = Callable[[Shape], LabelLayout]


def render_labels(contents: Sequence[LabelContent], size: Size, translate: Translate = i18n.translate) -> bytes:
    """One PDF with the pages of each label, in order: the same bytes for the same contents.

    Args:
        contents: what the labels say; one at least.
        size: the paper.
        translate: says a message in a label's language, which is spoken meanwhile.

    A label takes one or two milliseconds of processor time; one that is made by itself, and each new layout, as long
    as `render_label`. The file has 150 kB of fonts and layouts and some 1.5 kB a label, 15 where it is made by
    itself. All of it is in memory until it is returned, which a thousand labels raise by some 10 MB; a caller who
    has more asks in batches of a few hundred, so that memory stays flat. No file is written.
    """
    made = StampedFile()
    for content in contents:
        with i18n.speaking(content.locale):
            try:
                _stamp(made, content, size, translate)
            except NotPlainError:
                made.add_pages(render_label(content, size, translate))
    return made.close()


def _stamp(made: StampedFile, content: LabelContent, size: Size, translate: Translate) -> None:
    """Add one label.

    Raises:
        NotPlainError: it has to be made by itself; nothing was added.
    """
    own = own_words(content, translate)
    pen = _Pen(i18n.formatting_locale(content.locale).language)
    lay_out = partial(layout, standing(content), translate)
    shape, sender = _fitted(own, pen, partial(lay_out, "4x6"))
    if size == "4x6":
        base = lay_out(size, shape)
        _write_label(pen, base, own, shape, sender)
        codes = draw_codes(own.code, shape.fit.plan)
    else:
        base, cells, from_lines = _slip_fitted(own, pen, partial(lay_out, size), shape)
        _write_label(pen, base, own, shape, sender)
        _write_slip(pen, base, own, cells, from_lines)
        right, top = base.slip_code
        codes = draw_codes(own.code, shape.fit.plan, SHEET_OFFSET)
        codes += draw_slip_code(own.code, right=right, top=top)
    made.add(base.page, pen.written(base.page.height), codes)


class _Pen:
    """Sets text in a language, and keeps what is written on a page."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._lines: list[tuple[Path, float, Line, float, float]] = []

    def broken(self, path: Path, points: float, text: str, blank: Blank) -> list[Line]:
        """The text in lines as wide as the blank."""
        return broken(path, points, text, self._language, blank.right - blank.left)

    def fitting(self, path: Path, points: float, text: str, blank: Blank) -> None:
        """Write a text that has to fit into the blank."""
        self.put(path, points, one_line(path, points, text, self._language, blank.right - blank.left), blank)

    def cut(self, path: Path, points: float, text: str, blank: Blank) -> None:
        """Write as much of a text as fits."""
        self.put(path, points, cut_line(path, points, text, self._language, blank.right - blank.left), blank)

    def centred(self, path: Path, points: float, text: str, blank: Blank) -> None:
        """Write a text around the middle of the blank."""
        line = one_line(path, points, text, self._language, 2 * (blank.right - blank.left))
        self._lines.append((path, points, line, blank.left - line.width * points / 2000, blank.baseline))

    def put(self, path: Path, points: float, line: Line, blank: Blank) -> None:
        """Write a line that was set."""
        self._lines.append((path, points, line, blank.left, blank.baseline))

    def written(self, height: float) -> str:
        """Operators for all that was written, on a page of this height."""
        return "\n".join(
            text_operators(path, points, line, left, height - baseline)
            for path, points, line, left, baseline in self._lines
        )


def _fitted(own: OwnWords, pen: _Pen, lay_out: LayOut) -> tuple[Shape, list[Line]]:
    """The largest type in which both addresses keep within their places, and the sender's address in it."""
    fit = Fit()
    while fit.line_by_line:
        shape = Shape(fit=fit, code_length=len(own.code), order_points=own.order_points)
        base = lay_out(shape)
        places = base.blanks["from"]
        lines = [line for text in own.sender_lines for line in pen.broken(SANS, fit.sender_points, text, places[0])]
        if len(lines) > len(places):
            break
        smaller = fit.after(places[len(lines) - 1].end / POINTS_PER_DOT, base.recipient_end)
        if smaller == fit:
            return shape, lines
        fit = smaller
    raise NotPlainError


def _write_label(pen: _Pen, base: LabelLayout, own: OwnWords, shape: Shape, sender: list[Line]) -> None:
    blanks = base.blanks
    for line, blank in zip(sender, blanks["from"], strict=False):
        pen.put(SANS, shape.fit.sender_points, line, blank)
    pen.centred(MONO_BOLD, shape.code_points, own.code, blanks["code"][0])
    pen.fitting(SANS_BOLD, own.order_points, own.order_number, blanks["order"][0])
    pen.fitting(SANS, _ISSUED, own.issued, blanks["issued"][0])
    for text, blank in zip(own.inside(shape.fit.plan.item_lines), blanks["inside"], strict=False):
        pen.cut(SANS, _INSIDE, text, blank)


def _slip_fitted(
    own: OwnWords, pen: _Pen, lay_out: LayOut, shape: Shape
) -> tuple[LabelLayout, list[list[Line]], list[Line]]:
    """The layout of a sheet, the cells of its table and the sender's line below it."""
    # What few labels have, a line of other returns in the parcel, is in no layout.
    if own.together or len(own.rows) > _MOST_ROWS or set(own.slip_points) != {SLIP_TYPE}:
        raise NotPlainError
    blanks = lay_out(msgspec.structs.replace(shape, rows=((1, 1, 1),))).blanks
    columns = list(zip(_TABLE_FONTS, blanks["td"], strict=True))
    rows = [
        [pen.broken(path, _TABLE, text, blank) for text, (path, blank) in zip(row[1:], columns, strict=True)]
        for row in own.rows
    ]
    from_lines = pen.broken(SANS, _FROM, own.from_line, blanks["from-line"][0])
    counts = tuple(tuple(len(lines) for lines in row) for row in rows)
    base = lay_out(msgspec.structs.replace(shape, rows=counts, from_lines=len(from_lines)))
    if base.pages > 1:
        raise NotPlainError
    return base, [lines for row in rows for lines in row], from_lines


def _write_slip(pen: _Pen, base: LabelLayout, own: OwnWords, cells: list[list[Line]], from_lines: list[Line]) -> None:
    blanks = base.blanks
    pen.fitting(MONO_BOLD, SLIP_TYPE, own.code, blanks["mono"][0])
    for text, blank in zip((own.order_number, own.issued_long, own.pieces), blanks["dd"], strict=False):
        pen.fitting(SANS_BOLD, SLIP_TYPE, text, blank)
    for row, blank in zip(own.rows, blanks.get("number", ()), strict=False):
        pen.fitting(SANS_BOLD, _TABLE, row[0], blank)
    cell_blanks = iter(blanks.get("td", ()))
    for lines, path in zip(cells, cycle(_TABLE_FONTS), strict=False):
        for line in lines:
            pen.put(path, _TABLE, line, next(cell_blanks))
    for line, blank in zip(from_lines, blanks["from-line"], strict=True):
        pen.put(SANS, _FROM, line, blank)

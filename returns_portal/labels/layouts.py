"""Labels laid out without their own words: what all labels of a shop in a language have in common, made once."""

from datetime import date
from functools import lru_cache
from itertools import repeat

import msgspec

from returns_portal.documents.press import BLANK, Blank, blanks, lay_out, write
from returns_portal.documents.stamped import Layout
from returns_portal.labels.content import LabelContent, PostalAddress, Size
from returns_portal.labels.drawing import draw_rules
from returns_portal.labels.fitting import Fit, dots
from returns_portal.labels.render import ROLL, SHEET_OFFSET, lay_out_sheet, values
from returns_portal.labels.wording import SLIP_TYPE, OwnWords, Row, Translate, code_points, standing_words

_SENDER_LINES = 16
"""More than fit into the sender's place in any type."""
_NOBODY = PostalAddress(name="", line1="", line2="", city="", region="", postal_code="", country="")
_KEPT = 64
"""Layouts kept at a time, some 40 kB each."""


class Shape(msgspec.Struct, frozen=True):
    """What of a label's own words decides where things stand; equal for most labels of a batch."""

    fit: Fit
    code_length: int
    order_points: float
    rows: tuple[tuple[int, ...], ...] = ()
    """Of each row of the packing slip, how many lines its title, size and colour take."""
    from_lines: int = 1

    @property
    def code_points(self) -> float:
        """Points in which the number below the bars is set."""
        return code_points("0" * self.code_length, self.fit.plan.code_type)


class LabelLayout(msgspec.Struct, frozen=True):
    """A label without its own words, and where they stand."""

    page: Layout
    blanks: dict[str, list[Blank]]
    recipient_end: float
    """How far down the recipient's address reaches, in dots."""
    slip_code: tuple[int, int]
    """The top right corner of the packing slip's symbol, in dots."""
    pages: int


def standing(content: LabelContent) -> LabelContent:
    """The label without what is its own: equal for labels that share their layout."""
    return msgspec.structs.replace(
        content, code=BLANK, sender=_NOBODY, order_number=BLANK, items=(), issued=date.min, fellows=()
    )


@lru_cache(maxsize=_KEPT)
def layout(common: LabelContent, translate: Translate, size: Size, shape: Shape) -> LabelLayout:
    """The layout of labels of this shape; `common` is what `standing` gave, in whose language `translate` speaks."""
    words = values(standing_words(common, translate), _blank_words(shape), shape.fit)
    words["code_points"] = shape.code_points
    document = lay_out("label/roll.html", ROLL, words) if size == "4x6" else lay_out_sheet(size, words)
    first = document.pages[0]
    recipient_end = dots(first.anchors["recipient"][3])
    _, top, right, _ = first.anchors.get("slip-code", (0, 0, 0, 0))
    found = blanks(document)
    rules = draw_rules(shape.fit.plan, 0 if size == "4x6" else SHEET_OFFSET)
    return LabelLayout(
        page=Layout(pdf=write(document, {0: rules}), width=first.width * 0.75, height=first.height * 0.75),
        blanks=found,
        recipient_end=recipient_end,
        slip_code=(round(dots(right)), round(dots(top))),
        pages=len(document.pages),
    )


def _blank_words(shape: Shape) -> OwnWords:
    """Words that hold the places of a label's own."""
    rows: list[Row] = [(BLANK, *(_lines(count) for count in row)) for row in shape.rows]  # type: ignore[misc]  # Three.
    return OwnWords(
        code=BLANK,
        sender_lines=list(repeat(BLANK, _SENDER_LINES)),
        order_number=BLANK,
        order_points=shape.order_points,
        slip_points=(SLIP_TYPE,) * 3,
        issued=BLANK,
        issued_long=BLANK,
        rows=rows,
        item_lines=list(repeat(BLANK, shape.fit.plan.item_lines)),
        together="",
        more="",
        pieces=BLANK,
        from_line=_lines(shape.from_lines),
    )


def _lines(count: int) -> str:
    return "\n".join(repeat(BLANK, count))

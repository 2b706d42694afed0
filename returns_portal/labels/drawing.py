"""What is drawn on a label besides text: its symbols, frames and the perforation, all on whole dots of 1/203 inch."""

from collections.abc import Iterator

import msgspec

from returns_portal.documents.symbols import CODE_128_QUIET, code_128, pdf_operators, qr

_WIDTH = 812
"""Dots: 4 in."""
_MARGIN = 32
"""Dots: 4 mm, where a label printer may not reach."""
_BAR_HEIGHT = 260
"""Dots: 32.5 mm; carriers ask for 32."""
_BAR_MODULE = 4
_QR_ROOM = 208
_QR_MODULE = 8
_SLIP_QR_MODULE = 5
_PEN = 5
_PERFORATION = 12
"""Dots of a stroke, and of the gap after it."""

Box = tuple[int, int, int, int]
"""Left, top, width and height."""


class Room(msgspec.Struct, frozen=True):
    """From where to where an address may reach, caption included, in dots from the label's top edge."""

    top: int
    end: int


class Plan(msgspec.Struct, frozen=True):
    """Where things stand, in dots from the label's top left corner."""

    paid: Box
    frame: Box
    sender: Room
    recipient: Room
    bars: int
    perforation: int
    square: int
    item_lines: int
    """How many lines of articles there is room for."""
    code_type: float
    """Points in which the number below the bars is set, at most."""


USUAL = Plan(
    paid=(472, 32, 308, 150),
    frame=(32, 202, 748, 274),
    sender=Room(top=29, end=198),
    recipient=Room(top=217, end=468),
    bars=496,
    perforation=868,
    square=896,
    item_lines=5,
    code_type=24,
)
CROWDED = Plan(
    paid=(32, 32, 748, 66),
    frame=(32, 334, 748, 236),
    sender=Room(top=104, end=330),
    recipient=Room(top=344, end=563),
    bars=584,
    perforation=912,
    square=932,
    item_lines=3,
    code_type=20,
)
"""For addresses that do not fit: they take the whole width, and what is below moves down."""


def draw_label(code: str, plan: Plan, offset: int = 0) -> str:
    """Operators for the symbols and rules of a label, its corner `offset` dots from the page's on both axes."""
    return draw_rules(plan, offset) + draw_codes(code, plan, offset)


def draw_rules(plan: Plan, offset: int = 0) -> str:
    """Operators for frames and perforation alone."""
    shapes = (*_frame(plan.paid), *_frame(plan.frame), *_dashes(plan.perforation))
    rules = "".join(f"{left + offset} {top + offset} {width} {height} re\n" for left, top, width, height in shapes)
    return f"{rules}f\n"


def draw_codes(code: str, plan: Plan, offset: int = 0) -> str:
    """Operators for the two symbols alone."""
    return f"{_bars(code, plan, offset)}\n{_square(code, plan, offset)}\n"


def draw_slip_code(code: str, *, right: int, top: int) -> str:
    """The QR symbol once more, on the packing slip, for a parcel whose label is torn; its top right corner is given."""
    symbol, module = qr(code), _SLIP_QR_MODULE
    return pdf_operators(symbol, left=right - symbol.width * module, top=top, module=module, row_height=module)


def _bars(code: str, plan: Plan, offset: int) -> str:
    symbol = code_128(code)
    module = min(_BAR_MODULE, (_WIDTH - 2 * _MARGIN) // (symbol.width + 2 * CODE_128_QUIET))
    left = (_WIDTH - symbol.width * module) // 2
    return pdf_operators(symbol, left=offset + left, top=offset + plan.bars, module=module, row_height=_BAR_HEIGHT)


def _square(code: str, plan: Plan, offset: int) -> str:
    symbol = qr(code)
    module = min(_QR_MODULE, _QR_ROOM // symbol.width)
    return pdf_operators(symbol, left=offset + _MARGIN, top=offset + plan.square, module=module, row_height=module)


def _frame(box: Box) -> tuple[Box, ...]:
    left, top, width, height = box
    return (
        (left, top, width, _PEN),
        (left, top + height - _PEN, width, _PEN),
        (left, top, _PEN, height),
        (left + width - _PEN, top, _PEN, height),
    )


def _dashes(top: int) -> Iterator[Box]:
    for left in range(_MARGIN, _WIDTH - _MARGIN, 2 * _PERFORATION):
        yield left, top, min(_PERFORATION, _WIDTH - _MARGIN - left), _PEN - 1

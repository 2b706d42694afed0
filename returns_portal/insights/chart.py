"""Shares as bars with the bounds that they lie within, drawn on the server as plain SVG.

Lengths are parts of the width, in per cent, so that the words keep their size on a telephone.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from returns_portal.insights.rules import Interval

ROW: Final = 44
"""Pixels of one bar with its words."""
TOP: Final = 4
_TEXT: Final = 14
_BAR: Final = 20
_THICK: Final = 14
MOST: Final = 24
"""As many bars are drawn; the table has all of them."""
_NAME: Final = 24
"""Letters that fit beside the number on the narrowest screen."""
_SCALES: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
"""Shares at which the drawing may end."""


class Item(msgspec.Struct, frozen=True):
    """What is drawn."""

    name: str
    value: str
    """The number, in words."""
    share: float
    interval: Interval
    strong: bool
    """Whether it stands out, which `value` says too."""


class Bar(msgspec.Struct, frozen=True):
    """One bar: `x` and lengths in per cent of the width, `y` in pixels."""

    name: str
    value: str
    title: str
    strong: bool
    text_y: int
    y: int
    middle_y: int
    cap_top: int
    cap_bottom: int
    width: float
    low: float
    high: float


class Chart(msgspec.Struct, frozen=True):
    """The drawing, with the line at which the whole shop stands, where a page shows it."""

    bars: list[Bar]
    height: int
    line: float
    thick: int = _THICK


def chart(items: Sequence[Item], shop: float) -> Chart:
    """Bars from nothing to a little more than the largest; whiskers that would be longer end at the edge."""
    shown = items[:MOST]
    scale = _scale([shop, *(item.share for item in shown)], [item.interval.high for item in shown])
    bars = [_bar(place, item, scale) for place, item in enumerate(shown)]
    return Chart(bars, TOP + ROW * len(bars), _percent(shop, scale))


def _scale(shares: Sequence[float], highs: Sequence[float]) -> float:
    """Enough for every bar, and for the whiskers of those of which something is known."""
    wanted = max([*(1.1 * share for share in shares), *sorted(highs)[: -(-len(highs) // 2)]])
    return next((scale for scale in _SCALES if scale >= min(wanted, 1.0)), 1.0)


def _bar(place: int, item: Item, scale: float) -> Bar:
    top = TOP + place * ROW
    y = top + _BAR
    return Bar(
        name=item.name if len(item.name) <= _NAME else item.name[: _NAME - 1].rstrip() + "…",
        value=item.value,
        title=f"{item.name}: {item.value}",
        strong=item.strong,
        text_y=top + _TEXT,
        y=y,
        middle_y=y + _THICK // 2,
        cap_top=y + 3,
        cap_bottom=y + _THICK - 3,
        width=_percent(item.share, scale),
        low=_percent(item.interval.low, scale),
        high=_percent(item.interval.high, scale),
    )


def _percent(share: float, scale: float) -> float:
    return round(min(share / scale, 1.0) * 100, 2)

"""What was measured, as a table that reads in 100 columns."""

from collections.abc import Iterable
from typing import Final

import msgspec

_WIDTHS: Final = (34, 11, 11, 18, 6, 7, 7)
_HEAD: Final = ("measured", "ours", "beside", "beside is", "ratio", "target", "verdict")


class Row(msgspec.Struct, frozen=True):
    """One measurement, beside the floor that it is compared with in the same run.

    `least` bounds the ratio, `at_most` bounds `ours` itself; without either nothing is promised.
    """

    measured: str
    ours: float
    beside: float | None = None
    beside_is: str = ""
    least: float | None = None
    at_most: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours to the floor's."""
        return self.ours / self.beside if self.beside else None

    @property
    def target(self) -> str:
        """What is promised, in a word."""
        if self.least is not None:
            return f"≥ {self.least:.2f}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        """Whether it holds."""
        if not self.target:
            return ""
        ratio = self.ratio
        kept = self.least is None or (ratio is not None and ratio >= self.least)
        return "meets" if kept and (self.at_most is None or self.ours <= self.at_most) else "below"


def render(rows: Iterable[Row]) -> str:
    """The table."""
    lines = [_line(_HEAD), _line(tuple("-" * width for width in _WIDTHS))]
    for row in rows:
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        beside = _number(row.beside) if row.beside is not None else ""
        lines.append(_line((row.measured, _number(row.ours), beside, row.beside_is, ratio, row.target, row.verdict)))
    return "\n".join(lines)


def _line(cells: tuple[str, ...]) -> str:
    """Numbers stand to the right, words to the left."""
    right = (1, 2, 4)
    return " ".join(
        cell.rjust(width) if index in right else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"

"""The refunds of a period as bars, drawn on the server: plain SVG numbers, so that no script and no style is needed."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from returns_portal.web import formats

WIDTH: Final = 720
HEIGHT: Final = 150
_GROUND: Final = 136
_TALLEST: Final = 126
_MOST_DAYS: Final = 62
_MOST_WEEKS: Final = 400
_LABELS: Final = 16
"""About so many labels fit below the bars."""


class Bar(msgspec.Struct, frozen=True):
    """One bar, in the drawing's units; `title` says in words what it stands for."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    title: str
    quiet: bool
    """Whether it is of a weekend."""


def bars(first: date, last: date, sums: Mapping[date, tuple[int, int]], currency: str) -> list[Bar]:
    """A bar for each day; for each week or month where days would be too many."""
    gathered = _gathered(first, last, sums)
    highest = max((gross for gross, _count in gathered.values()), default=0) or 1
    slot = WIDTH / len(gathered)
    every = -(-len(gathered) // _LABELS)
    daily = _unit(first, last) == "day"
    made = []
    for index, (day, (gross, count)) in enumerate(gathered.items()):
        height = round(gross / highest * _TALLEST, 1)
        made.append(
            Bar(
                x=round(index * slot + slot * 0.15, 1),
                y=round(_GROUND - height, 1),
                width=round(slot * 0.7, 1),
                height=height,
                middle=round((index + 0.5) * slot, 1),
                label=_label(day, daily, index, every),
                title=f"{formats.format_date(day)}: {formats.money(gross, currency)} ({formats.number(count)})",
                quiet=daily and day.isoweekday() > 5,  # noqa: PLR2004 - Saturday and Sunday
            )
        )
    return made


def _label(day: date, daily: bool, index: int, every: int) -> str:
    if index % every:
        return ""
    return str(day.day) if daily else f"{day.day}.{day.month}."


def _unit(first: date, last: date) -> str:
    days = (last - first).days + 1
    return "day" if days <= _MOST_DAYS else "week" if days <= _MOST_WEEKS else "month"


def _gathered(first: date, last: date, sums: Mapping[date, tuple[int, int]]) -> dict[date, tuple[int, int]]:
    """Sums by the first day of each day, week or month of the period, those without refunds too."""
    unit = _unit(first, last)
    gathered: dict[date, tuple[int, int]] = {}
    day = first
    while day <= last:
        begin = _begin(day, unit)
        before = gathered.get(begin, (0, 0))
        added = sums.get(day, (0, 0))
        gathered[begin] = (before[0] + added[0], before[1] + added[1])
        day += timedelta(days=1)
    return gathered


def _begin(day: date, unit: str) -> date:
    if unit == "day":
        return day
    return day - timedelta(days=day.weekday()) if unit == "week" else day.replace(day=1)

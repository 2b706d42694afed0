"""Which days are looked at."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from returns_portal import clock
from returns_portal.errors import InvalidError
from returns_portal.finance.filters import day_begins, next_day, parse_day, today
from returns_portal.i18n import _, mark
from returns_portal.insights.queries import Span

MOST_DAYS: Final = 1100
"""Three years, and a little."""
_YEAR: Final = 12
_SEASON: Final = 3


class Period(msgspec.Struct, frozen=True):
    """Days of the shop, first and last inclusive."""

    first: date
    last: date
    zone: str

    @property
    def span(self) -> Span:
        """The same as moments, with everything that is known by now."""
        return Span(
            day_begins(self.first, self.zone), day_begins(next_day(self.last), self.zone), clock.now(), self.zone
        )

    def query(self, **more: str) -> str:
        """The query string of an address that is about them."""
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat(), **more})


class Preset(msgspec.Struct, frozen=True):
    """Days that are often asked for."""

    text: str
    query: str
    current: bool


def usual(zone: str) -> Period:
    """The last twelve months."""
    last = today(zone)
    return Period(_months_before(last, _YEAR), last, zone)


def read(query: Mapping[str, str], zone: str) -> Period:
    """The days that are asked for; without any, the last twelve months.

    Raises:
        InvalidError: one is no day, the first is after the last, or they are too many.
    """
    last = parse_day(asked, "to") if (asked := query.get("to", "")) else today(zone)
    first = parse_day(asked, "from") if (asked := query.get("from", "")) else _months_before(last, _YEAR)
    if first > last:
        raise InvalidError(mark("The first day is after the last."), field="from")
    if (last - first).days >= MOST_DAYS:
        raise InvalidError(mark("Give at most {days} days."), field="from", days=MOST_DAYS)
    return Period(first, last, zone)


def presets(period: Period) -> list[Preset]:
    """This month, the last three, the last twelve."""
    last = today(period.zone)
    choices = (
        (_("This month"), Period(last.replace(day=1), last, period.zone)),
        (_("Last 3 months"), Period(_months_before(last, _SEASON), last, period.zone)),
        (_("Last 12 months"), usual(period.zone)),
    )
    return [Preset(text, choice.query(), choice == period) for text, choice in choices]


def _months_before(last: date, months: int) -> date:
    """The first of so many whole months that end with a day."""
    index = last.year * 12 + last.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(last.day, monthrange(year, month + 1)[1])) + timedelta(days=1)

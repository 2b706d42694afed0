"""Public holidays, as far as periods of the law end on them: only ever one day more for the customer.

Regulation (EEC, Euratom) 1182/71, Art. 2(1), leaves public holidays to each country. What is here are those of the
whole country; holidays of a region alone, and days that a government declares for one year, are not known. Days that
are holidays nearly everywhere count everywhere: where one is not, the customer has a day more.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

_COMMON: Final = ((1, 1), (1, 2), (1, 6), (5, 1), (8, 15), (11, 1), (12, 24), (12, 25), (12, 26), (12, 31))

_NATIONAL: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "AT": ((10, 26), (12, 8)),
    "BE": ((7, 21), (11, 11)),
    "BG": ((3, 3), (5, 6), (5, 24), (9, 6), (9, 22)),
    "CY": ((3, 25), (4, 1), (10, 1), (10, 28)),
    "CZ": ((5, 8), (7, 5), (7, 6), (9, 28), (10, 28), (11, 17)),
    "DE": ((10, 3),),
    "DK": ((6, 5),),
    "EE": ((2, 24), (6, 23), (6, 24), (8, 20)),
    "ES": ((10, 12), (12, 6), (12, 8)),
    "FI": ((12, 6),),
    "FR": ((5, 8), (7, 14), (11, 11)),
    "GR": ((3, 25), (10, 28)),
    "HR": ((5, 30), (6, 22), (8, 5), (11, 18)),
    "HU": ((3, 15), (8, 20), (10, 23)),
    "IE": ((3, 17),),
    "IS": ((6, 17),),
    "IT": ((4, 25), (6, 2), (12, 8)),
    "LI": ((2, 2), (3, 19), (9, 8), (12, 8)),
    "LT": ((2, 16), (3, 11), (6, 24), (7, 6), (11, 2)),
    "LU": ((5, 9), (6, 23)),
    "LV": ((5, 4), (6, 23), (6, 24), (11, 18)),
    "MT": ((2, 10), (3, 19), (3, 31), (6, 7), (6, 29), (9, 8), (9, 21), (12, 8), (12, 13)),
    "NL": ((4, 27), (5, 5)),
    "NO": ((5, 17),),
    "PL": ((5, 3), (11, 11)),
    "PT": ((4, 25), (6, 10), (10, 5), (12, 1), (12, 8)),
    "RO": ((1, 7), (1, 24), (6, 1), (11, 30), (12, 1)),
    "SE": ((6, 6),),
    "SI": ((2, 8), (4, 27), (5, 2), (6, 25), (10, 31)),
    "SK": ((5, 8), (7, 5), (8, 29), (9, 1), (9, 15), (11, 17)),
    "UA": ((3, 8), (5, 8), (6, 28), (7, 15), (8, 24), (10, 1)),
}
"""Month and day."""

_EASTERN: Final = frozenset({"BG", "CY", "GR", "RO", "UA"})
"""Where Easter is that of the Orthodox churches."""

_AROUND_EASTER: Final = (-3, -2, 1, 39, 49, 50, 60)
"""Days from Easter Sunday: Maundy Thursday, Good Friday, Easter Monday, Ascension, Whit Sunday and Monday, Corpus
Christi."""


@lru_cache(maxsize=512)
def holidays(country: str, year: int) -> frozenset[date]:
    """The days of a year that count as public holidays in a country, by its ISO 3166 code."""
    fixed = {date(year, month, day) for month, day in (*_COMMON, *_NATIONAL.get(country, ()))}
    sunday = eastern_easter(year) if country in _EASTERN else western_easter(year)
    return frozenset(fixed | {sunday + timedelta(days=days) for days in _AROUND_EASTER})


def western_easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Nature 13, 1876)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def eastern_easter(year: int) -> date:
    """Easter Sunday of the Julian calendar, as a day of ours (Meeus, Astronomical Algorithms, chapter 8)."""
    moon = (19 * (year % 19) + 15) % 30
    weekday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
    month, day = divmod(moon + weekday + 114, 31)
    return date(year, month, day + 1) + timedelta(days=year // 100 - year // 400 - 2)

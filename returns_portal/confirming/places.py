"""What is known of the places that parcels go to: how their postcodes look, where houses have numbers, what time it is.

Postcodes: Universal Postal Union, "Postal addressing systems in member countries" (upu.int). Zones: the tz database.
"""

import re
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.core import get_global

_DIGITS: Final = {
    3: "IS",
    4: "AT AU BE BG CH CY DK GE HU LI LU LV MD MK NO NZ SI ZA",
    5: "BA DE EE ES FI FR HR IL IT LT MC ME MX MY RS SM TH TR UA VA",
    6: "BY CN IN RO RU SG",
}
"""Countries whose postcodes are so many digits and nothing else."""
_OTHERS: Final = {
    "CA": "[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]",
    "CZ": "[0-9]{3} ?[0-9]{2}",
    "GB": "[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}",
    "GR": "[0-9]{3} ?[0-9]{2}",
    "IE": "[A-Z][0-9][0-9W] ?[0-9A-Z]{4}",
    "JP": "[0-9]{3}-?[0-9]{4}",
    "KZ": "[0-9]{6}|[A-Z][0-9]{2}[A-Z][0-9][A-Z][0-9]",
    "MT": "[A-Z]{3} ?[0-9]{4}",
    "NL": "[1-9][0-9]{3} ?[A-Z]{2}",
    "PL": "[0-9]{2}[- ]?[0-9]{3}",
    "PT": "[0-9]{4}[- ]?[0-9]{3}",
    "SE": "[0-9]{3} ?[0-9]{2}",
    "SK": "[0-9]{3} ?[0-9]{2}",
    "US": "[0-9]{5}(-[0-9]{4})?",
}
_POSTCODES: Final = {
    country: f"[0-9]{{{count}}}" for count, countries in _DIGITS.items() for country in countries.split()
} | _OTHERS
_PREFIX: Final = {"AT": "A", "BE": "B", "DE": "D", "DK": "DK", "FR": "F", "HU": "H", "IT": "I", "SE": "S|SE"}
"""What people still write before a postcode beside the country's two letters: the signs of cars (ECE R.68)."""

_NUMBERED: Final = (
    "AT BA BE BG BY CH CZ DE DK EE ES FI FR GR HR HU IT LI LT LU LV MD ME MK NL NO PL PT RO RS RU SE SI SK UA"
)
NUMBERED: Final = frozenset(_NUMBERED.split())
"""Countries whose street addresses have a number; in others (GB, IE) a house may have a name alone."""
_WITHOUT: Final = re.compile(
    r"(?<!\w)(?:б\s*/\s*н|без\s+номер|s\s*/\s*n|bb|poste\s+restante|postlagernd|до\s+поискване|до\s+востребования"
    r"|до\s+запитання|офис|office|автомат|автомата|locker|packstation|paczkomat|поштомат|відділення|отделение)(?!\w)",
    re.IGNORECASE,
)
"""Addresses that are whole without a number: that say so, and offices and lockers of post and carriers."""

# Crimea keeps Moscow's time since 2014, and no carrier of ours goes there.
_WHERE_PARCELS_GO: Final = {"UA": ("Europe/Kyiv",)}


def fits_postcode(code: str, country: str) -> bool:
    """Whether a postcode looks like one of its country; where its format is not known here, any does."""
    pattern = _POSTCODES.get(country)
    if pattern is None:
        return True
    prefix = "|".join(filter(None, (country, _PREFIX.get(country, ""))))
    return re.fullmatch(rf"(?:(?:{prefix})[- ]?)?(?:{pattern})", code.strip().upper(), re.ASCII) is not None


def lacks_number(address: dict[str, str]) -> bool:
    """Whether an address has no house number although its country's have one, and is none that needs none."""
    street = f"{address.get('line1', '')} {address.get('line2', '')}"
    if address.get("country", "") not in NUMBERED or any(character.isdigit() for character in street):
        return False
    return _WITHOUT.search(street) is None


def zone_of(country: str, moment: datetime) -> str:
    """The zone that a whole country has at a moment; empty where it has several times, or is not known."""
    zones = _WHERE_PARCELS_GO.get(country) or _zones().get(country, ())
    times = {moment.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}
    return zones[0] if len(times) == 1 else ""


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        found.setdefault(country, []).append(zone)
    return {country: tuple(sorted(zones)) for country, zones in found.items()}

"""How an address is written on a parcel."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from babel import Locale

from returns_portal.documents.coverage import printable
from returns_portal.labels.content import LONGEST_LINE, LONGEST_NAME, PostalAddress

_CODE_LAST = frozenset(
    code for line in ("AU BD CA CO EG GB GG IE IM IN JE", "KE LK NG NZ PK SA SG TH TW US ZA") for code in line.split()
)
"""Where the postal code follows city and region (UPU, postal addressing systems); elsewhere it precedes the city."""
ENGLISH = Locale("en")
_NOT_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})


@lru_cache(maxsize=1024)
def country_name(code: str, locale: Locale) -> str:
    """The country's name in a language; the code itself where there is none."""
    code = code.strip().upper()
    return str(locale.territories.get(code) or ENGLISH.territories.get(code) or code)


def countries(locale: Locale, allowed: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Codes and names of countries, all or those allowed, to choose from in a language."""
    codes = allowed or [str(code) for code in locale.territories if re.fullmatch("[A-Z]{2}", str(code))]
    named = ((code, country_name(code, locale)) for code in codes if code not in _NOT_COUNTRIES)
    return sorted(named, key=lambda pair: pair[1])


def address_lines(address: PostalAddress) -> list[str]:
    """Street, place and the like: what stands between name and country, as printable lines, none empty."""
    region, code = _line(address.region), _line(address.postal_code)
    city = _line(address.city)
    if address.country.upper() in _CODE_LAST:
        place = " ".join(part for part in (", ".join(filter(None, (city, region))), code) if part)
    else:
        place = ", ".join(part for part in (" ".join(filter(None, (code, city))), region) if part)
    return [line for line in (_line(address.line1), _line(address.line2), place) if line]


def address_name(address: PostalAddress) -> str:
    """The name, printable."""
    return shortened(printable(address.name), LONGEST_NAME)


def _line(text: str) -> str:
    return shortened(printable(text), LONGEST_LINE)


def shortened(text: str, length: int) -> str:
    """At most `length` characters of a text, the last of them an ellipsis where it was longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"

"""What a scan says: article numbers, GS1 element strings, badges, and the dock's own control codes. Pure.

GS1 General Specifications: an element string is a row of application identifiers, each with its value; values of
variable length end at a group separator (FNC1, which scanners send as ASCII 29). The check digit is section 7.9.
"""

import re
from enum import StrEnum
from typing import Final

_SYMBOLOGY: Final = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
"""What scanners may send before the data to say which symbol it was (ISO/IEC 15424)."""
_SEPARATOR: Final = "\x1d"
_HUMAN: Final = re.compile(r"\((\d{2,4})\)([^(]*)")

# Section 7.8.5: element strings of these beginnings have a length set beforehand, counted without the identifier.
_FIXED: Final = {
    "00": 18, "01": 14, "02": 14, "03": 14, "11": 6, "12": 6, "13": 6, "14": 6, "15": 6, "16": 6, "17": 6, "18": 6,
    "19": 6, "20": 2, "31": 6, "32": 6, "33": 6, "34": 6, "35": 6, "36": 6, "41": 13,
}  # fmt: skip
_THREE: Final = frozenset({"23", "24", "25", "40", "41", "42", "71"})
_FOUR: Final = frozenset({"31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"})
_PARCEL: Final = ("00", "401", "402", "400", "240", "21", "10", "91", "92", "93", "94", "95", "96", "97", "98", "99")
"""Identifiers under which a carrier or a shop writes which parcel this is, the likeliest first."""


class Control(StrEnum):
    """What a printed control code does at a station; the value is what its bars hold."""

    NEW = "RP-NEW"
    WORN = "RP-WORN"
    DAMAGED = "RP-DAMAGED"
    WRONG = "RP-WRONG"
    MISSING = "RP-MISSING"
    EMPTY = "RP-EMPTY"
    MORE_TO_COME = "RP-LATER"
    DONE = "RP-DONE"
    UNDO = "RP-UNDO"


def is_badge(text: str) -> bool:
    """Whether a scan has the shape of a badge's code."""
    return re.fullmatch(r"RB-?[0-9A-HJKMNP-TV-Z]{16}", text.strip().upper()) is not None


def badge_code(text: str) -> str:
    """A badge's code as it is kept: capitals, with its dash."""
    return re.sub(r"^RB-?", "RB-", text.strip().upper())


def elements(text: str) -> dict[str, str]:
    """The values of an element string by their identifiers; empty where it is none. Brackets may stand around them."""
    data = _SYMBOLOGY.sub("", text.strip())
    if data.startswith("("):
        return {identifier: value.strip() for identifier, value in _HUMAN.findall(data)}
    found: dict[str, str] = {}
    rest = data.lstrip(_SEPARATOR)
    while rest:
        kind = rest[:2]
        digits = 4 if kind in _FOUR else 3 if kind in _THREE else 2
        identifier, rest = rest[:digits], rest[digits:]
        if not (identifier.isascii() and identifier.isdigit() and len(identifier) == digits and rest):
            return {}
        if kind in _FIXED:
            value, rest = rest[: _FIXED[kind]], rest[_FIXED[kind] :].removeprefix(_SEPARATOR)
            if len(value) != _FIXED[kind]:
                return {}
        else:
            value, _separator, rest = rest.partition(_SEPARATOR)
        found[identifier] = value
    return found


def check_digit_fits(number: str) -> bool:
    """Whether the last digit of a GTIN or SSCC is the one that the others lead to (section 7.9)."""
    if not (number.isascii() and number.isdigit() and len(number) > 1):
        return False
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number[:-1])))
    return (10 - weighed % 10) % 10 == int(number[-1])


def eans(text: str) -> list[str]:
    """The article numbers that a scan may mean, as catalogues keep them (13 or 8 digits), the likeliest first.

    An EAN, a UPC (an EAN without its first zero), or the GTIN in an element string; that of a case of several is none.
    """
    plain = _SYMBOLOGY.sub("", text.strip())
    given = elements(text)
    # A plain EAN may read as an element string by chance, whose check digit then seldom fits.
    candidates = [plain, given.get("01", ""), given.get("02", "")]
    return list(dict.fromkeys(ean for ean in map(_as_ean, candidates) if ean))


def _as_ean(number: str) -> str:
    if len(number) == 14 and number.startswith("0"):  # noqa: PLR2004 - a GTIN-14, whose first digit 0 is a single item
        number = number[1:]
    elif len(number) == 12:  # noqa: PLR2004 - a UPC-A
        number = f"0{number}"
    return number if len(number) in {8, 13} and check_digit_fits(number) else ""


def parcel_codes(text: str) -> list[str]:
    """What a scan may say of which parcel it is on: itself, and what stands under the identifiers for that."""
    plain = _SYMBOLOGY.sub("", text.strip())
    given = elements(text) if any(mark in text for mark in (_SEPARATOR, "(", "]")) or plain.startswith("00") else {}
    values = [given[identifier] for identifier in _PARCEL if identifier in given]
    return list(dict.fromkeys([plain, *values]))

"""Cells of exports: text that no spreadsheet takes for a formula, amounts in major units, moments, days.

A cell that begins with `=`, `+`, `-` or `@`, also in their full-width and small forms and after any blank or invisible
characters, and one that begins with a control character, gets an apostrophe before it: spreadsheets show such a cell
as text. Amounts are numbers and stay untouched. PostgreSQL and Python read the pattern alike.
"""

import re
from typing import Final

from babel import Locale

from returns_portal.money import exponent, is_currency

_BLANK: Final = r"\s\u00a0\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
_STARTERS: Final = r"=+@\u2212\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20\-"
FORMULA: Final = rf"^([\u0001-\u001f\u007f]|[{_BLANK}]*[{_STARTERS}])"
"""What a text cell must not begin with; a regular expression of PostgreSQL and of Python. NUL is in no text here."""

_FORMULA: Final = re.compile(FORMULA)


def safe(text: str) -> str:
    """The text of a cell, as text for every spreadsheet."""
    return f"'{text}" if _FORMULA.match(text) else text


def safe_sql(expression: str) -> str:
    """SQL for the text of a cell, as `safe` makes it.

    Nearly every cell begins with a letter or a digit of ASCII, which is told faster than by the pattern.
    """
    first = f"ascii({expression})"
    plain = f"{first} BETWEEN 48 AND 57 OR {first} BETWEEN 65 AND 90 OR {first} BETWEEN 97 AND 122"
    return (
        f"CASE WHEN {plain} THEN {expression} WHEN {expression} ~ '{FORMULA}' THEN chr(39) || {expression}"
        f" ELSE {expression} END"
    )


def moment_sql(expression: str) -> str:
    """SQL for a moment as RFC 3339 writes it, in UTC."""
    return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def serial_sql(expression: str) -> str:
    """SQL for a moment as spreadsheets count it, in the zone %(zone)s: days since the end of 1899, to the second."""
    second = f"date_trunc('second', {expression} AT TIME ZONE %(zone)s)"
    return f"round(extract(epoch FROM {second} - timestamp '1899-12-30') / 86400, 9)"


def scale_sql(currency: str) -> str:
    """SQL for what one minor unit of a currency is worth in major units.

    Whole minor units times 0.01 are a decimal number of two places, exactly, and so on.
    """
    cases = " ".join(
        f"WHEN {currency} IN ({', '.join(map(repr, codes))}) THEN {10**-places:.{places}f}"
        for places, codes in sorted(_CODES.items())
    )
    return f"CASE {cases} ELSE 0.01 END"


def _codes() -> dict[int, list[str]]:
    """The currencies whose minor unit is not a hundredth, by their decimal places; the books' own table decides."""
    found: dict[int, list[str]] = {}
    for code in sorted(filter(is_currency, Locale("en").currencies)):
        places = exponent(code)
        if places != 2:  # noqa: PLR2004 - the ELSE of the expression above
            found.setdefault(places, []).append(code)
    return found


_CODES: Final = _codes()

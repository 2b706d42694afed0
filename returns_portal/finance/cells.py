"""Text cells of exports that no spreadsheet takes for a formula.

A cell that begins with `=`, `+`, `-` or `@`, also in their full-width and small forms and after any blank or invisible
characters, and one that begins with a control character, gets an apostrophe before it: spreadsheets show such a cell
as text. Amounts are numbers and stay untouched. PostgreSQL and Python read the pattern alike.
"""

import re
from typing import Final

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

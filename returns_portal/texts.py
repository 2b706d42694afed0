"""Texts of one line, in any script: trimmed, and free of what no label, page or database can hold."""

import unicodedata
from typing import Final

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

_UNFIT: Final = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters (NUL and line breaks among them), halves of UTF-16 pairs, which UTF-8 cannot carry, separators."""

WITHOUT_NUL: Final = r"^[^\x00]*$"
"""A pattern for texts of whatever lines: the one character that PostgreSQL keeps in none."""


def one_line(value: str | None, field: str, limit: int, *, required: bool = True) -> str:
    """Trim a text of one line.

    Raises:
        InvalidError: it is needed and empty, longer than `limit` characters, or holds what cannot be printed.
    """
    text = (value or "").strip()
    if required and not text:
        raise InvalidError(mark("This is needed."), field=field)
    if len(text) > limit:
        raise InvalidError(mark("This has more than {limit} characters."), field=field, limit=limit)
    if not fit(text):
        raise InvalidError(mark("This contains characters that cannot be printed."), field=field)
    return text


def fit(text: str) -> bool:
    """Whether a line of text holds only what can be printed and kept."""
    return text.isprintable() or not any(unicodedata.category(symbol) in _UNFIT for symbol in text)

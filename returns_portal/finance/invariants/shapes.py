"""What an invariant is, and what is shown where one does not hold."""

from typing import Any, Final

import msgspec

SHOWN: Final = 20
"""How many rows of a breach are kept; their whole number is counted."""


class Breach(msgspec.Struct, frozen=True):
    """An invariant that does not hold: what should be true, how often it is not, and the first rows."""

    invariant: str
    sentence: str
    count: int
    rows: list[dict[str, Any]]


class Invariant(msgspec.Struct, frozen=True):
    """Something that must be true, and the query that returns the rows for which it is not.

    A query may use `:late`, the moment one hour ago.
    """

    name: str
    sentence: str
    sql: str

"""What the shop's warehouses are called."""

import re
from collections.abc import Sequence
from typing import Final

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.texts import one_line

MAX_NAME: Final = 60
MOST: Final = 20
"""A station shows them all beside each other."""
_NAMED: Final = re.compile(r"\w")


def name_of(text: str, field: str = "warehouse") -> str:
    """The name of a warehouse, trimmed.

    Raises:
        InvalidError: it is too long, has nothing to be called by, or cannot be printed.
    """
    name = one_line(text, field, MAX_NAME)
    if not _NAMED.search(name):
        raise InvalidError(mark("A warehouse needs a name with a letter or a digit."), field=field)
    return name


def check_names(names: Sequence[str]) -> None:
    """Make sure that they can be told apart at a station.

    Raises:
        InvalidError: one is no name, stands there twice, or there are too many.
    """
    if len(names) > MOST:
        raise InvalidError(mark("At most {most} warehouses."), field="warehouses", most=MOST)
    known = {name_of(name, "warehouses").casefold() for name in names}
    if len(known) < len(names):
        raise InvalidError(mark("Two warehouses have the same name."), field="warehouses")

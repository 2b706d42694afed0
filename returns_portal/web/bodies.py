"""Bodies of requests that are read to the letter.

Litestar turns `"1000"` into a number and `1` into true where that is what is wanted, as for forms. Where a mistake
would be kept as somebody's price, JSON is taken at its word.
"""

import re
from typing import TypeVar

import msgspec

from returns_portal.errors import InvalidError

Shape = TypeVar("Shape")


def strictly(body: bytes, shape: type[Shape]) -> Shape:
    """Read JSON as this shape, converting nothing.

    Raises:
        InvalidError: something is of another type; names the field at fault.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        path = re.sub(r"^\.|`$", "", place)
        raise InvalidError("{path}: {reason}", field=path, path=path, reason=reason) from error

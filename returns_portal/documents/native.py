"""Libraries of the machine that Pango brings along, called directly where no package for Python offers it."""

import ctypes
from collections.abc import Iterable, Sequence
from typing import Any

Signature = tuple[str, Any, tuple[Any, ...]]
"""A function's name, what it gives, and what it takes, in the types of `ctypes`."""


def loaded(what: str, files: Sequence[str], signatures: Iterable[Signature]) -> ctypes.CDLL:
    """A library under the first of its file names that there is, with the signatures that are used of it.

    Raises:
        OSError: it is not installed.
    """
    library = _first(what, files)
    for name, result, arguments in signatures:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _first(what: str, files: Sequence[str]) -> ctypes.CDLL:
    for name in files:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError(f"{what} is not installed: on Debian, install libpango-1.0-0 and libpangoft2-1.0-0")

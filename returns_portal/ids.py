"""Numbers: UUIDv7 inside (made here; PostgreSQL has them only from 18 on), short check-digited ones for people."""

import re
import secrets
from uuid import UUID

from uuid_utils.compat import uuid7

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that nothing is misread or rude by accident."""

_LENGTH = 7


def new_id() -> UUID:
    """A fresh primary key, ordered by time."""
    return uuid7()


def _check(symbols: str) -> str:
    """The check symbol over the others, weighted by odd primes modulo 31.

    It catches every single wrong symbol but 0 for Z, and nearly every swap of neighbours.
    """
    total = sum(ALPHABET.index(symbol) * weight for symbol, weight in zip(symbols, _WEIGHTS, strict=True))
    return ALPHABET[total % 31]


_WEIGHTS = (3, 5, 7, 11, 13, 17, 19)


def new_rma() -> str:
    """A return number such as `R-7K3M-9QXD`: 35 random bits and a check symbol.

    Random, so that numbers cannot be guessed from one another; the caller retries on the rare collision,
    which a unique index finds.
    """
    return _new_number("R")


def new_trial_number() -> str:
    """A trial's number such as `T-7K3M-9QXD`, made as return numbers are."""
    return _new_number("T")


def new_gift_code() -> str:
    """A gift's code such as `G-7K3M-9QXD`, made as return numbers are."""
    return _new_number("G")


def new_question_number() -> str:
    """A question's number such as `Q-7K3M-9QXD`, made as return numbers are."""
    return _new_number("Q")


def new_points_code() -> str:
    """A code that points are spent by, such as `P-7K3M-9QXD`, made as return numbers are."""
    return _new_number("P")


def new_exchange_number() -> str:
    """An exchange's number such as `E-7K3M-9QXD`, made as return numbers are."""
    return _new_number("E")


def new_replacement_number() -> str:
    """The number of what is sent anew, such as `N-7K3M-9QXD`, made as return numbers are."""
    return _new_number("N")


def _new_number(kind: str) -> str:
    body = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    text = body + _check(body)
    return f"{kind}-{text[:4]}-{text[4:]}"


def parse_rma(text: str) -> str | None:
    """Read a return number as people and scanners give it; None when it is none.

    Forgives case, spaces, missing or other dashes, and Crockford's look-alikes (O for 0, I and L for 1).
    """
    return _parse("R", text)


def parse_trial_number(text: str) -> str | None:
    """Read a trial's number as people give it, with the same leniency; None when it is none."""
    return _parse("T", text)


def parse_gift_code(text: str) -> str | None:
    """Read a gift's code as people give it, with the same leniency; None when it is none."""
    return _parse("G", text)


def parse_points_code(text: str) -> str | None:
    """Read a code that points are spent by, with the same leniency; None when it is none."""
    return _parse("P", text)


def parse_exchange_number(text: str) -> str | None:
    """Read an exchange's number as people give it, with the same leniency; None when it is none."""
    return _parse("E", text)


def parse_replacement_number(text: str) -> str | None:
    """Read the number of what is sent anew as people give it, with the same leniency; None when it is none."""
    return _parse("N", text)


def _parse(kind: str, text: str) -> str | None:
    symbols = re.sub(r"[\s\-–—_.]", "", text).upper()
    symbols = symbols.translate(_LOOKALIKES)
    if len(symbols) != _LENGTH + 2 or symbols[0] != kind:
        return None
    body, check = symbols[1:-1], symbols[-1]
    if not set(body + check) <= set(ALPHABET) or _check(body) != check:
        return None
    return f"{kind}-{symbols[1:5]}-{symbols[5:]}"


_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})

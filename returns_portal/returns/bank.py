"""Account numbers as customers type them."""

import re
from typing import Final

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

_SHAPE: Final = re.compile(r"[0-9A-Z][0-9A-Z /.-]{4,62}[0-9A-Z]")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_FEWEST_DIGITS: Final = 5


def account_number(typed: str) -> str:
    """An account number in one form: upper case, single spaces. Every country's own form is taken.

    An IBAN carries check digits (ISO 13616: the number, turned, leaves 1 modulo 97); they are verified, because a
    transfer to a mistyped account is money that comes back weeks later or never.

    Raises:
        InvalidError: it is no account number, or an IBAN that has a typing error.
    """
    text = " ".join(typed.upper().split())
    if not _SHAPE.fullmatch(text) or sum(symbol.isdigit() for symbol in text) < _FEWEST_DIGITS:
        raise InvalidError(
            mark("This does not look like an account number. An IBAN begins with two letters, such as BG80."),
            code="bad_account",
            field="bank_account",
        )
    compact = text.replace(" ", "")
    if _IBAN.fullmatch(compact) and not _checks(compact):
        raise InvalidError(
            mark("This IBAN has a typing error somewhere. Please compare it with your card or your bank's app."),
            code="bad_iban",
            field="bank_account",
        )
    return text


def _checks(iban: str) -> bool:
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(symbol, 36)) for symbol in turned)) % 97 == 1

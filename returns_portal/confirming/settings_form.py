"""The shop's choices about new orders, as a form has them. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import Money, is_currency, to_minor
from returns_portal.shop.confirming import Confirming

TICKS: Final = (
    "order_received_mail",
    "from_files",
    "call_new_customers",
    "call_unclear_addresses",
    "sms_service_messages",
)


def read(sent: Mapping[str, str]) -> Confirming:
    """The choices that a form says.

    Raises:
        InvalidError: a sum cannot be read.
    """
    ticked = {name: sent.get(name) == "yes" for name in TICKS}
    return Confirming(**ticked, call_from=_sums(sent.get("call_from", "")))


def shown(confirming: Confirming) -> dict[str, str]:
    """The fields of the form, as they stand."""
    sums = sorted(confirming.call_from.items())
    return {name: "yes" for name in TICKS if getattr(confirming, name)} | {
        "call_from": "\n".join(f"{currency} {Money(amount, currency).decimal}" for currency, amount in sums)
    }


def _sums(text: str) -> dict[str, int]:
    """Sums, one a line with its currency, in minor units."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        match = re.fullmatch(r"([A-Za-z]{3})\s+([0-9]{1,9}(?:[.,][0-9]{1,4})?)", line)
        currency = match[1].upper() if match else ""
        if not match or not is_currency(currency) or (amount := _minor(match[2], currency)) <= 0:
            raise InvalidError(
                mark("“{line}” is no sum with its currency. Give one a line, such as EUR 300."),
                field="call_from",
                line=line[:40],
            )
        found[currency] = amount
    return found


def _minor(text: str, currency: str) -> int:
    try:
        return to_minor(text.replace(",", "."), currency)
    except ValueError:
        return 0

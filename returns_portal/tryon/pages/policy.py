"""The form of the shop's limits: each within what the table takes."""

import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final

import msgspec

from returns_portal.i18n import _
from returns_portal.money import Money, is_currency, to_minor
from returns_portal.tryon.rules import Policy
from returns_portal.web import Form

BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "max_items": (1, 50),
    "open_trials": (1, 50),
    "deposit_percent": (0, 100),
    "trial_days": (1, 60),
    "max_trial_days": (1, 60),
    "extension_days": (0, 30),
    "transit_days": (0, 30),
    "delivery_days": (1, 60),
    "grace_days": (1, 60),
}
"""The least and the most of each number."""
_HIGHEST: Final = 10**12
_VALUE: Final = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?")


def policy_fields(rules: Policy) -> dict[str, str]:
    """The rules as fields of the form."""
    fields = {name: str(getattr(rules, name)) for name in BOUNDS}
    fields["max_value"] = f"{Decimal(rules.max_value) / 100:.2f}"
    fields["max_values"] = " ".join(
        f"{currency} {Money(value, currency).decimal:f}" for currency, value in sorted(rules.max_values.items())
    )
    fields["countries"] = " ".join(rules.countries)
    return fields | {name: "yes" for name in ("offered", "silence_keeps") if getattr(rules, name)}


def read_policy(sent: Form) -> tuple[Policy | None, dict[str, str]]:
    """The rules that a form says; None with what is wrong with it, by field."""
    errors: dict[str, str] = {}
    numbers = {name: _number(sent, name, errors) for name in BOUNDS}
    value = _value(sent.get("max_value", ""), errors)
    values = _values(sent.get("max_values", ""), errors)
    countries = _countries(sent.get("countries", ""), errors)
    if not errors and numbers["trial_days"] > numbers["max_trial_days"]:
        errors["trial_days"] = _("A trial cannot be longer than the longest one allowed.")
    if errors:
        return None, errors
    flags = {name: sent.get(name) == "yes" for name in ("offered", "silence_keeps")}
    return msgspec.convert(
        {**numbers, **flags, "max_value": value, "max_values": values, "countries": countries}, Policy
    ), {}


def _number(sent: Form, name: str, errors: dict[str, str]) -> int:
    least, most = BOUNDS[name]
    text = sent.get(name, "")
    if not re.fullmatch(r"[0-9]{1,4}", text) or not least <= int(text) <= most:
        errors[name] = _("A whole number from {least} to {most}.", least=least, most=most)
        return least
    return int(text)


def _value(text: str, errors: dict[str, str]) -> int:
    """An amount in hundredths."""
    found = _VALUE.fullmatch(text)
    value = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else 0
    if value < 1:
        errors["max_value"] = _("An amount such as 1500 or 1500.00.")
    return value


def _values(text: str, errors: dict[str, str]) -> dict[str, int]:
    """Amounts by currency, in minor units: a code and an amount, as often as there are currencies."""
    words = text.upper().split()
    values = {}
    for currency, amount in zip(words[::2], words[1::2], strict=False):
        with suppress(ValueError):
            values[currency] = to_minor(amount.replace(",", "."), currency) if is_currency(currency) else 0
    if len(words) != 2 * len(values) or not all(0 < value <= _HIGHEST for value in values.values()):
        errors["max_values"] = _("Currencies with amounts, such as JPY 240000 GBP 1300; nothing for none.")
    return values


def _countries(text: str, errors: dict[str, str]) -> list[str]:
    codes = text.replace(",", " ").upper().split()
    if not all(re.fullmatch(r"[A-Z]{2}", code) for code in codes):
        errors["countries"] = _("Codes of two letters, such as BG DE RO; nothing for everywhere.")
    return sorted(set(codes))

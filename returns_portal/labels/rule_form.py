"""The forms of the carrier rules and of the shop's patience, read within what the tables take."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from returns_portal.i18n import _
from returns_portal.labels.rules import Policy, Rule
from returns_portal.money import Money, is_currency, to_minor
from returns_portal.web import Form

BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "void_days": (1, 365),
    "label_days": (14, 1000),
    "stuck_days": (1, 60),
    "lost_days": (2, 120),
    "transit_days": (1, 60),
    "item_grams": (1, 30000),
}
"""The least and the most of each number."""
_HEAVIEST: Final = 200_000
_LONGEST_SERVICE: Final = 60


def policy_fields(policy: Policy) -> dict[str, str]:
    """The shop's patience as fields of the form."""
    return {name: str(getattr(policy, name)) for name in BOUNDS} | (
        {"own_courier": "yes"} if policy.own_courier else {}
    )


def read_policy(sent: Form) -> tuple[Policy | None, dict[str, str]]:
    """What a form says; None with what is wrong with it, by field."""
    errors: dict[str, str] = {}
    numbers = {name: _whole(sent, name, *bounds, errors) for name, bounds in BOUNDS.items()}
    if not errors and numbers["stuck_days"] >= numbers["lost_days"]:
        errors["lost_days"] = _("A parcel is stuck before it is lost.")
    if errors:
        return None, errors
    return msgspec.convert({**numbers, "own_courier": sent.get("own_courier") == "yes"}, Policy), {}


def rule_fields(rule: Rule) -> dict[str, str]:
    """A rule as fields of the form."""
    fields = {
        "carrier": rule.carrier,
        "service": rule.service,
        "countries": " ".join(rule.countries),
        "max_weight_grams": str(rule.max_weight_grams or ""),
        "currency": rule.currency,
        "min_value": _amount(rule.min_value, rule.currency) if rule.min_value else "",
        "max_value": _amount(rule.max_value, rule.currency) if rule.max_value is not None else "",
    }
    return fields | ({"enabled": "yes"} if rule.enabled else {})


def _amount(minor: int, currency: str) -> str:
    return str(Money(minor, currency).decimal)


def read_rule(sent: Form, rule_id: UUID) -> tuple[Rule | None, dict[str, str]]:
    """The rule that a form says; None with what is wrong with it, by field."""
    errors: dict[str, str] = {}
    grams = _whole(sent, "max_weight_grams", 1, _HEAVIEST, errors) if sent.get("max_weight_grams") else None
    values: dict[str, Any] = {
        "id": rule_id,
        "position": 0,
        "carrier": sent.get("carrier", ""),
        "service": _service(sent, errors),
        "countries": _countries(sent.get("countries", ""), errors),
        "max_weight_grams": grams,
        "enabled": sent.get("enabled") == "yes",
        **_values(sent, errors),
    }
    return (None, errors) if errors else (msgspec.convert(values, Rule), {})


def _service(sent: Form, errors: dict[str, str]) -> str:
    service = sent.get("service", "")
    if len(service) > _LONGEST_SERVICE or not service.isprintable():
        errors["service"] = _("This is longer than {limit} characters.", limit=_LONGEST_SERVICE)
    return service


def _values(sent: Form, errors: dict[str, str]) -> dict[str, Any]:
    """The two values and their currency, which they need."""
    currency = sent.get("currency", "").upper()
    typed = {name: sent.get(name, "").replace(",", ".") for name in ("min_value", "max_value")}
    if not any(typed.values()):
        return {"min_value": 0, "max_value": None, "currency": ""}
    if not is_currency(currency):
        errors["currency"] = _("The currency of the values, in three letters, such as EUR.")
        return {}
    found: dict[str, int | None] = {"min_value": 0, "max_value": None}
    for name, text in typed.items():
        if text:
            found[name] = _minor(text, currency, name, errors)
    least, most = found["min_value"] or 0, found["max_value"]
    if most is not None and most < least:
        errors["max_value"] = _("This is less than the least value.")
    return {"min_value": least, "max_value": most, "currency": currency}


def _minor(text: str, currency: str, name: str, errors: dict[str, str]) -> int:
    try:
        minor = to_minor(text, currency)
    except ValueError:
        minor = -1
    if not 0 <= minor < 10**12:
        errors[name] = _("An amount such as 1500 or 1500.00.")
        return 0
    return minor


def _whole(sent: Form, name: str, least: int, most: int, errors: dict[str, str]) -> int:
    text = sent.get(name, "")
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        errors[name] = _("A whole number from {least} to {most}.", least=least, most=most)
        return least
    return int(text)


def _countries(text: str, errors: dict[str, str]) -> list[str]:
    codes = text.replace(",", " ").upper().split()
    if len(codes) > 250 or not all(re.fullmatch(r"[A-Z]{2}", code) for code in codes):  # noqa: PLR2004 - all there are
        errors["countries"] = _("Codes of two letters, such as BG DE RO; nothing for everywhere.")
    return sorted(set(codes))

"""The programme as the admin types it, and as it is shown to be changed. Pure but for the sentences of its errors."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from returns_portal.errors import InvalidError
from returns_portal.i18n import available, mark
from returns_portal.loyalty.card import NAME
from returns_portal.loyalty.models import SurpriseKind
from returns_portal.loyalty.rules import MOST_DAYS, MOST_LEVELS, MOST_MONTHS, Level, Programme, hides
from returns_portal.money import Money, is_currency, to_minor

MAX_NAME: Final = 60
MAX_AMOUNTS: Final = 200
MAX_CARD: Final = 260
MAX_CARD_LINES: Final = 5
"""More does not fit on one page with a long name."""
MOST_CONTROL: Final = 50
MOST_ORDERS: Final = 1000
MOST_THANKS: Final = 100_000
_MOST_MINOR: Final = 10**12
"""More than anything costs in any currency, and far below what 64 bits hold."""
_AMOUNT: Final = re.compile(r"(\d{1,12}(?:[.,]\d{1,4})?)\s*([A-Za-z]{3})|([A-Za-z]{3})\s*(\d{1,12}(?:[.,]\d{1,4})?)")


def read_levels(sent: Mapping[str, str]) -> tuple[Level, ...]:
    """The levels of a form, from the first to the highest; a row without a name is none.

    Raises:
        InvalidError: something cannot be read, or a level asks for nothing, or for no more than one before it; its
            `field` is that of the form.
    """
    places = [place for place in range(MOST_LEVELS) if _typed(sent, place)]
    levels = tuple(_level(sent, place) for place in places)
    for number, place in enumerate(places):
        # The highest that is reached counts, so that one which asks for no more takes those before it away.
        if hidden := next((lower for lower in levels[:number] if hides(levels[number], lower)), None):
            raise InvalidError(
                mark("Whoever reaches {name} has this one already. Let each level ask for more than those before it."),
                field=f"name-{place}",
                name=hidden.name,
            )
    return levels


def _typed(sent: Mapping[str, str], place: int) -> bool:
    return any(sent.get(f"{part}-{place}", "").strip() for part in ("name", "orders", "values"))


def _level(sent: Mapping[str, str], place: int) -> Level:
    name = sent.get(f"name-{place}", "").strip()
    if not name or len(name) > MAX_NAME:
        raise InvalidError(
            mark("Give the level a name of at most {limit} characters."), field=f"name-{place}", limit=MAX_NAME
        )
    orders = whole(sent, f"orders-{place}", least=0, most=10_000)
    values = amounts(sent.get(f"values-{place}", ""), f"values-{place}")
    both = sent.get(f"both-{place}") == "yes"
    if not (orders and values if both else orders or values):
        raise InvalidError(
            mark("Say what is needed for this level: a number of orders, a value, or both where you ticked both."),
            field=f"orders-{place}",
        )
    return Level(name, orders, values, both)


def read_terms(sent: Mapping[str, str]) -> dict[str, int]:
    """For how long orders count, and when.

    Raises:
        InvalidError: as `read_levels`.
    """
    return {
        "months": whole(sent, "months", least=1, most=MOST_MONTHS),
        "wait_days": whole(sent, "wait_days", least=0, most=MOST_DAYS),
    }


def whole(sent: Mapping[str, str], field: str, *, least: int, most: int) -> int:
    """A whole number within limits; where nothing is typed, 0 if that is within them.

    Raises:
        InvalidError: it is no such number.
    """
    text = sent.get(field, "").strip() or ("0" if least == 0 else "")
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        raise InvalidError(mark("Give a whole number from {least} to {most}."), field=field, least=least, most=most)
    return int(text)


def read_surprises(sent: Mapping[str, str]) -> dict[str, Any]:
    """What the form of surprises says, as fields of a programme. A kind without a cost is not offered.

    Raises:
        InvalidError: as `read_levels`.
    """
    budget = amounts(sent.get("budget", ""), "budget")
    if len(budget) != 1:
        raise InvalidError(mark("Give one amount, such as 100 EUR."), field="budget")
    [(currency, most)] = budget.items()
    costs = {kind.value: _cost(sent, kind, currency) for kind in SurpriseKind if sent.get(f"cost-{kind}", "").strip()}
    surprises = sent.get("surprises") == "yes"
    if surprises and not costs:
        raise InvalidError(mark("Say what at least one surprise costs you."), field=f"cost-{SurpriseKind.FASTER}")
    return {
        "surprises": surprises,
        "currency": currency,
        "budget": most,
        "costs": costs,
        "from_level": whole(sent, "from_level", least=0, most=MOST_LEVELS),
        "first_order": sent.get("first_order") == "yes",
        "every_orders": whole(sent, "every_orders", least=0, most=MOST_ORDERS),
        "anniversary": sent.get("anniversary") == "yes",
        "every_days": whole(sent, "every_days", least=1, most=MOST_DAYS),
        "control_percent": whole(sent, "control_percent", least=0, most=MOST_CONTROL),
        "cards": {language: words for language in available() if (words := _card(sent, language))},
    }


def _cost(sent: Mapping[str, str], kind: SurpriseKind, currency: str) -> int:
    try:
        minor = to_minor(sent[f"cost-{kind}"].replace(",", "."), currency)
    except ValueError:
        minor = -1
    if not 0 <= minor <= _MOST_MINOR:
        raise InvalidError(
            mark("Give an amount in {currency}, such as 2.50; 0 where it costs nothing."),
            field=f"cost-{kind}",
            currency=currency,
        )
    return minor


def _card(sent: Mapping[str, str], language: str) -> str:
    words = sent.get(f"card-{language}", "").replace("\r", "").strip()
    if len(words) > MAX_CARD or len(words.splitlines()) > MAX_CARD_LINES:
        raise InvalidError(
            mark("The card has room for {limit} characters on {lines} lines."),
            field=f"card-{language}",
            limit=MAX_CARD,
            lines=MAX_CARD_LINES,
        )
    for place in re.findall(r"\{[^{}\n]*\}", words):
        # Nobody looks at a card again before a customer does.
        if place != NAME:
            raise InvalidError(
                mark("Nothing is known of {variable}. There are: {names}."),
                field=f"card-{language}",
                variable=place,
                names=NAME,
            )
    return words


def shown_surprises(rules: Programme) -> dict[str, str]:
    """The fields of the form of surprises, as they stand."""
    costs = {f"cost-{kind}": f"{Money(cost, rules.currency).decimal:f}" for kind, cost in rules.costs.items()}
    return {
        "surprises": "yes" if rules.surprises else "",
        "budget": f"{Money(rules.budget, rules.currency).decimal:f} {rules.currency}" if rules.budget else "",
        "from_level": str(rules.from_level),
        "first_order": "yes" if rules.first_order else "",
        "every_orders": str(rules.every_orders or ""),
        "anniversary": "yes" if rules.anniversary else "",
        "every_days": str(rules.every_days),
        "control_percent": str(rules.control_percent),
        **costs,
        **{f"card-{language}": words for language, words in rules.cards.items()},
    }


def read_thanks(sent: Mapping[str, str], before: Programme, now: datetime) -> dict[str, Any]:
    """What the form of points says, as fields of a programme; from `now` on where none were given before.

    Raises:
        InvalidError: as `read_levels`.
    """
    points = whole(sent, "thanks_points", least=0, most=MOST_THANKS)
    least = amounts(sent.get("thanks_from", ""), "thanks_from")
    if points and not least:
        raise InvalidError(mark("Say how much of an order must be kept, such as 300 EUR."), field="thanks_from")
    since = (before.thanks_since or now) if points else None
    return {"thanks_points": points, "thanks_from": least, "thanks_since": since}


def shown_thanks(rules: Programme) -> dict[str, str]:
    """The fields of the form of points, as they stand."""
    return {"thanks_points": str(rules.thanks_points), "thanks_from": written(rules.thanks_from)}


def amounts(text: str, field: str) -> dict[str, int]:
    """Amounts of several currencies, such as `300 EUR, 600 BGN`, in minor units.

    Raises:
        InvalidError: something is no amount, or there are two of one currency.
    """
    found: dict[str, int] = {}
    # A comma parts amounts only where no digit follows it: 49,90 EUR is one.
    for part in filter(str.strip, re.split(r"[;\n]|,(?!\d)", text[:MAX_AMOUNTS])):
        match = _AMOUNT.fullmatch(part.strip())
        number, currency = ("", "") if match is None else (match[1] or match[4], (match[2] or match[3]).upper())
        minor = _minor(number, currency)
        if minor is None or currency in found:
            raise InvalidError(
                mark("Give amounts such as 300 EUR, one for each currency, with commas between them."), field=field
            )
        found[currency] = minor
    return found


def _minor(number: str, currency: str) -> int | None:
    if not is_currency(currency):
        return None
    try:
        minor = to_minor(number.replace(",", "."), currency)
    except ValueError:
        return None
    return minor if 0 < minor <= _MOST_MINOR else None


def shown_levels(rules: Programme) -> dict[str, str]:
    """The fields of the form of levels, as they stand."""
    fields = {"months": str(rules.months), "wait_days": str(rules.wait_days)}
    for place, level in enumerate(rules.levels):
        fields |= {
            f"name-{place}": level.name,
            f"orders-{place}": str(level.orders or ""),
            f"values-{place}": written(level.values),
            f"both-{place}": "yes" if level.both else "",
        }
    return fields


def written(values: Mapping[str, int]) -> str:
    """Amounts as `amounts` reads them."""
    return ", ".join(f"{Money(minor, currency).decimal:f} {currency}" for currency, minor in sorted(values.items()))

"""What a policy says: what holds for everything, and rules in their order for some of it. Pure."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec
from babel import Locale

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.money import is_currency

Outcome = Literal["original", "points"]
Exception_ = Literal["", "personalised", "hygiene"]

MOST_RULES: Final = 20
MAX_NAME: Final = 80
_MOST_WORDS: Final = 500
"""How many SKUs, products or tags a condition names at most."""
_LONGEST_WORD: Final = 100
_DAYS: Final = (14, 3650)
_MOST_MONEY: Final = 10**12
_MOST_EXCHANGE_DAYS: Final = 60


class Postage(StrEnum):
    """Who pays for sending goods back."""

    SHOP = "shop"
    CUSTOMER = "customer"
    """The shop's label, whose fee is kept back from the refund."""
    OWN_LABEL = "own_label"
    """The customer sends it with a label of their own, and shows proof of sending."""


class Conditions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When a rule applies: where everything that is given here fits. Amounts in minor units of `currency`."""

    countries: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    """Articles, or with a final `*` those that begin so."""
    products: tuple[str, ...] = ()
    """Handles."""
    tags: tuple[str, ...] = ()
    currency: str = ""
    price_from: int | None = None
    price_to: int | None = None
    """What one unit cost, at most."""
    days_from: int | None = None
    days_to: int | None = None
    """Days since delivery; goods that are not known to be delivered have none, and fit no such condition."""
    faulty: bool | None = None
    """Whether the customer says that the item is faulty, damaged or not what was ordered."""


class Effects(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a rule says; what it leaves out, later rules or the policy's defaults say."""

    final_sale: bool | None = None
    exception: Exception_ = ""
    """Why the right of withdrawal does not apply (Directive 2011/83/EU, Art. 16(c) and (e)); for final sale alone."""
    return_days: int | None = None
    bonus_percent: int | None = None
    outcomes: tuple[Outcome, ...] | None = None
    postage: Postage | None = None
    fees: dict[str, int] = {}
    """The fee by currency, where this rule lets the customer pay; without any, the policy's."""
    keep_it: bool | None = None
    """Whether the customer keeps the goods and gets the money all the same."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A named rule; the name is shown to customers and programs as the reason of an outcome."""

    name: str
    when: Conditions = Conditions()
    then: Effects = Effects()


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy. Of several rules that fit, the first that says something about an aspect decides it."""

    return_days: int = 90
    bonus_percent: int = 10
    outcomes: tuple[Outcome, ...] = ("original", "points")
    postage: Postage = Postage.SHOP
    fees: dict[str, int] = {}
    """What the customer pays for the shop's label, by currency, in its minor units; elsewhere it costs nothing."""
    rules: tuple[Rule, ...] = ()
    exchange_days: int = 14
    """Within how many days the goods are to be back for what is sent at once in exchange; 0 where nothing is."""

    @property
    def longest_window(self) -> int:
        """The days in which anything at all can be sent back."""
        return max(self.return_days, *(rule.then.return_days or 0 for rule in self.rules), 0)


DEFAULT: Final = Content()
"""The policy of a fresh installation."""


def read(raw: object) -> Content:
    """A policy from JSON, checked.

    Raises:
        InvalidError: something in it is impossible; its `field` says where.
    """
    try:
        content = msgspec.convert(raw, Content)
    except msgspec.ValidationError as error:
        place = re.search(r"`\$\.?([^`]*)`", str(error))
        reason = str(error).partition(" - at ")[0]
        raise InvalidError(
            mark("This cannot be read as a policy: {reason}."), field=place[1] if place else None, reason=reason
        ) from error
    check(content)
    return content


def written(content: Content) -> dict[str, Any]:
    """A policy as JSON."""
    found: dict[str, Any] = msgspec.to_builtins(content)
    return found


def check(content: Content) -> None:
    """Refuse a policy that cannot hold.

    Raises:
        InvalidError: its `field` says what is wrong.
    """
    _defaults(content)
    if len(content.rules) > MOST_RULES:
        raise InvalidError(mark("A policy has at most {most} rules."), field="rules", most=MOST_RULES)
    names = set()
    for place, rule in enumerate(content.rules):
        _rule(rule, f"rules[{place}]")
        if rule.then.postage is Postage.CUSTOMER and not (rule.then.fees or content.fees):
            raise InvalidError(mark("Say what the customer pays, such as EUR 4.90."), field=f"rules[{place}].fees")
        if rule.name in names:
            raise InvalidError(mark("Two rules have this name."), field=f"rules[{place}].name")
        names.add(rule.name)


def _defaults(content: Content) -> None:
    _between("return_days", content.return_days, *_DAYS)
    _between("bonus_percent", content.bonus_percent, 0, 100)
    _outcomes("outcomes", content.outcomes)
    _between("exchange_days", content.exchange_days, 0, _MOST_EXCHANGE_DAYS)
    _fees("fees", content.fees)
    if content.postage is Postage.CUSTOMER and not content.fees:
        raise InvalidError(mark("Say what the customer pays, such as EUR 4.90."), field="fees")


def _rule(rule: Rule, at: str) -> None:
    if not rule.name.strip() or not rule.name.isprintable() or len(rule.name) > MAX_NAME:
        raise InvalidError(
            mark("Give the rule a name of one line: customers read it as the reason."), field=f"{at}.name"
        )
    _conditions(rule.when, at)
    then = rule.then
    if then == Effects():
        raise InvalidError(mark("This rule says nothing: choose what it changes."), field=f"{at}.name")
    if then.exception and not then.final_sale:
        raise InvalidError(mark("Only a final sale can be an exception."), field=f"{at}.exception")
    if then.return_days is not None:
        _between(f"{at}.return_days", then.return_days, *_DAYS)
    if then.bonus_percent is not None:
        _between(f"{at}.bonus_percent", then.bonus_percent, 0, 100)
    if then.outcomes is not None:
        _outcomes(f"{at}.outcomes", then.outcomes)
    _fees(f"{at}.fees", then.fees)


def _conditions(when: Conditions, at: str) -> None:
    known = Locale("en").territories
    if not all(re.fullmatch(r"[A-Z]{2}", country) and country in known for country in when.countries):
        raise InvalidError(mark("Give countries as two letters each, such as BG DE."), field=f"{at}.countries")
    for name, words in _words(when):
        if len(words) > _MOST_WORDS or not all(word.isprintable() and len(word) <= _LONGEST_WORD for word in words):
            raise InvalidError(mark("These are too many, or one of them is too long."), field=f"{at}.{name}")
    if when.price_from is not None or when.price_to is not None:
        if not is_currency(when.currency):
            raise InvalidError(mark("Say in which currency the prices are, such as EUR."), field=f"{at}.currency")
        _ordered(f"{at}.price_to", when.price_from, when.price_to, _MOST_MONEY)
    _ordered(f"{at}.days_to", when.days_from, when.days_to, _DAYS[1])


def _words(when: Conditions) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (("skus", when.skus), ("products", when.products), ("tags", when.tags))


def _ordered(field: str, least: int | None, most: int | None, limit: int) -> None:
    for value in (least, most):
        if value is not None and not 0 <= value <= limit:
            raise InvalidError(mark("This is less than nothing, or more than can be."), field=field)
    if least is not None and most is not None and most < least:
        raise InvalidError(mark("This is less than where it begins."), field=field)


def _between(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidError(mark("A whole number from {least} to {most}."), field=field, least=least, most=most)


def _outcomes(field: str, outcomes: tuple[Outcome, ...]) -> None:
    if not outcomes or len(set(outcomes)) != len(outcomes):
        raise InvalidError(mark("Choose where the money can go."), field=field)


def _fees(field: str, fees: Mapping[str, int]) -> None:
    for currency, fee in fees.items():
        if not is_currency(currency) or not 0 < fee < _MOST_MONEY:
            raise InvalidError(mark("Give fees as a currency and an amount, such as EUR 4.90."), field=field)

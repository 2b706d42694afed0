"""What a policy says of one item, and which of its rules says so. Pure; above every rule stands the law.

For consumers of the countries in `PROTECTED`, on the day of the statement:

- within 14 days of delivery a final sale refuses nothing, but for the exceptions of Directive 2011/83/EU, Art. 16;
- within these days the money can go back the way it came (Art. 13(1));
- a final sale is no answer to faulty goods (Directive (EU) 2019/771, Art. 13).

Everywhere, faulty goods are sent back at the shop's expense (2019/771, Art. 16(3)(a)). A fee is charged only because
the version of the order's day says so: the consumer bears the cost of returning only if told before (2011/83,
Art. 14(1)).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from returns_portal.i18n import mark
from returns_portal.policies.content import Conditions, Content, Effects, Outcome, Postage

T = TypeVar("T")

STATUTORY_DAYS: Final = 14
"""Directive 2011/83/EU, Art. 9(1); Consumer Contracts Regulations 2013 (UK), reg. 30; the Law of Ukraine on the
Protection of Consumer Rights, Art. 13."""

PROTECTED: Final = frozenset({
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
    "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB", "UA",
})  # fmt: skip
"""The EU, the EEA, the United Kingdom and Ukraine: every country for which `returns.periods` knows a period."""

LAW: Final = {
    "withdrawal": mark("the law gives you 14 days to withdraw"),
    "same_way_back": mark("within 14 days the law lets you have the money back the way you paid"),
    "faulty": mark("faulty goods go back at our expense"),
}
"""Why a rule of the shop's does not hold, in words."""


class Facts(msgspec.Struct, frozen=True):
    """What the rules ask of an item, on the day on which it is to go back. The price is of one unit, in minor units."""

    country: str
    currency: str
    sku: str
    price: int
    product: str = ""
    tags: frozenset[str] = frozenset()
    days: int | None = None
    """Days since delivery in the shop's zone; None while it is not known."""
    faulty: bool = False
    in_period: bool = False
    """Whether the law's period still runs, which is longer than its days where it would end on a holiday."""

    @property
    def protected(self) -> bool:
        """Whether the law of such a country protects its buyer; one whose country is not known is taken to be."""
        return not self.country or self.country in PROTECTED

    @property
    def statutory(self) -> bool:
        """Whether its buyer may withdraw by law."""
        return self.protected and (self.days is None or self.days <= STATUTORY_DAYS or self.in_period)


class Because(msgspec.Struct, frozen=True):
    """Why an aspect of a verdict is as it is: the rule's name (empty: the policy's default), and the law above it."""

    rule: str = ""
    law: str = ""
    """A key of `LAW`."""


class Verdict(msgspec.Struct, frozen=True):
    """What holds for an item; `because` has a reason for each of the other fields. The fee is in minor units."""

    final_sale: bool
    return_days: int
    bonus_percent: int
    outcomes: tuple[Outcome, ...]
    postage: Postage
    fee: int
    keep_it: bool
    because: dict[str, Because]


def judge(content: Content, facts: Facts) -> Verdict:
    """What a policy says of an item."""
    fitting = [(rule.name, rule.then) for rule in content.rules if matches(rule.when, facts)]
    final_sale, sold = _final_sale(fitting, facts)
    days, days_by = _first(fitting, lambda then: then.return_days, content.return_days)
    bonus, bonus_by = _first(fitting, lambda then: then.bonus_percent, content.bonus_percent)
    outcomes, outcomes_by = _outcomes(fitting, content, facts)
    postage, fee, postage_by = _postage(fitting, content, facts)
    keep, keep_by = _keep(fitting, facts)
    keep = keep and not final_sale
    if keep:
        postage, fee, postage_by = Postage.SHOP, 0, keep_by
    because = {
        "final_sale": sold,
        "return_days": days_by,
        "bonus_percent": bonus_by,
        "outcomes": outcomes_by,
        "postage": postage_by,
        "keep_it": keep_by,
    }
    return Verdict(
        final_sale, max(days, STATUTORY_DAYS), bonus, outcomes, postage, fee, keep and not final_sale, because
    )


def matches(when: Conditions, facts: Facts) -> bool:
    """Whether everything that a rule asks for fits."""
    return all(
        (
            not when.countries or facts.country in when.countries,
            not when.skus or any(_names(word, facts.sku) for word in when.skus),
            not when.products or facts.product in when.products,
            not when.tags or any(tag.casefold() in facts.tags for tag in when.tags),
            not when.currency or facts.currency == when.currency,
            _inside(facts.price, when.price_from, when.price_to),
            _inside(facts.days, when.days_from, when.days_to),
            when.faulty is None or facts.faulty is when.faulty,
        )
    )


def _names(word: str, sku: str) -> bool:
    return sku.startswith(word[:-1]) if word.endswith("*") else sku == word


def _inside(value: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


def _first(
    fitting: Iterable[tuple[str, Effects]], said: Callable[[Effects], T | None], otherwise: T
) -> tuple[T, Because]:
    """What the first rule that says something says, and which one that is."""
    for name, then in fitting:
        value = said(then)
        if value is not None:
            return value, Because(name)
    return otherwise, Because()


def _final_sale(fitting: Sequence[tuple[str, Effects]], facts: Facts) -> tuple[bool, Because]:
    said, by = _first(fitting, lambda then: then if then.final_sale is not None else None, Effects(final_sale=False))
    if not said.final_sale:
        return False, by
    if facts.faulty and facts.protected:
        return False, Because(by.rule, "faulty")
    if facts.statutory and not said.exception:
        return False, Because(by.rule, "withdrawal")
    return True, by


def _keep(fitting: Sequence[tuple[str, Effects]], facts: Facts) -> tuple[bool, Because]:
    """Whether the goods are kept; only what is known to be with the customer can be."""
    said, by = _first(fitting, lambda then: then.keep_it, otherwise=False)
    return said and facts.days is not None, by


def _outcomes(
    fitting: Sequence[tuple[str, Effects]], content: Content, facts: Facts
) -> tuple[tuple[Outcome, ...], Because]:
    outcomes, by = _first(fitting, lambda then: then.outcomes, content.outcomes)
    owed = facts.statutory or (facts.faulty and facts.protected)
    if owed and "original" not in outcomes:
        return ("original", *outcomes), Because(by.rule, "same_way_back")
    return outcomes, by


def _postage(fitting: Sequence[tuple[str, Effects]], content: Content, facts: Facts) -> tuple[Postage, int, Because]:
    said, by = _first(
        fitting,
        lambda then: then if then.postage is not None else None,
        Effects(postage=content.postage, fees=content.fees),
    )
    postage = said.postage or Postage.SHOP
    if facts.faulty and postage is not Postage.SHOP:
        return Postage.SHOP, 0, Because(by.rule, "faulty")
    fee = (said.fees or content.fees).get(facts.currency, 0) if postage is Postage.CUSTOMER else 0
    # What no price was told for costs nothing.
    return (Postage.SHOP if postage is Postage.CUSTOMER and not fee else postage), fee, by


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """What holds for items that go back in one parcel: one refund, one way of sending.

    Where anything in it travels at the shop's expense (a faulty item, by law), all of it does; of several fees the
    lowest is meant. The bonus is the lowest, and an outcome is open where it is for each item. The goods are kept where
    none of them has to travel; beside others that do, they go along, and change nothing about the postage.

    Raises:
        ValueError: there are no items.
    """
    if not verdicts:
        raise ValueError("there are no items to judge")
    travelling = [verdict for verdict in verdicts if not verdict.keep_it] or verdicts
    cheapest = min(travelling, key=lambda verdict: (_WAYS.index(verdict.postage), verdict.fee))
    least = min(verdicts, key=lambda verdict: verdict.bonus_percent)
    shortest = min(verdicts, key=lambda verdict: verdict.return_days)
    common, narrowest = _common(verdicts)
    keeps = next((verdict for verdict in verdicts if not verdict.keep_it), verdicts[0])
    sold = next((verdict for verdict in verdicts if verdict.final_sale), verdicts[0])
    deciding = {
        "final_sale": sold,
        "return_days": shortest,
        "bonus_percent": least,
        "outcomes": narrowest,
        "postage": cheapest,
        "keep_it": keeps,
    }
    because = {aspect: verdict.because[aspect] for aspect, verdict in deciding.items()}
    return Verdict(
        sold.final_sale,
        shortest.return_days,
        least.bonus_percent,
        common,
        cheapest.postage,
        cheapest.fee,
        keeps.keep_it,
        because,
    )


_WAYS: Final = (Postage.SHOP, Postage.CUSTOMER, Postage.OWN_LABEL)
"""From what is best for the customer on."""


def _common(verdicts: Sequence[Verdict]) -> tuple[tuple[Outcome, ...], Verdict]:
    """The outcomes that are open to every item, and the item that narrows them most."""
    narrowest = min(verdicts, key=lambda verdict: len(verdict.outcomes))
    common = tuple(
        outcome for outcome in narrowest.outcomes if all(outcome in verdict.outcomes for verdict in verdicts)
    )
    # Where one item gives points alone and another money alone, money is what takes nothing from anybody.
    return common or ("original",), narrowest

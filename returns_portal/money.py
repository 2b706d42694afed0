"""Money as whole minor units, and how an amount is shared without losing a unit.

Minor units follow ISO 4217: a euro has 100, a yen has none, a Bahraini dinar has 1000. Nothing here rounds.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from functools import cache, total_ordering
from typing import Final, Self

import msgspec
from babel import Locale
from babel.numbers import NumberPattern, format_currency, get_currency_symbol, parse_pattern


class CurrencyMismatchError(TypeError):
    """Two amounts of different currencies were combined; a wrong sum cannot exist."""


# ISO 4217, list one: the currencies whose minor unit is not a hundredth. CLDR's digits are for display and
# differ where coins fell out of use (HUF), so they cannot serve the books.
# Codes of the same list that name metals, funds, tests and nothing at all.
_METALS_AND_FUNDS = "XAU XAG XPT XPD XBA XBB XBC XBD XDR XSU XUA XEU XFO XFU XRE XTS XXX"
_NOT_MONEY = frozenset(_METALS_AND_FUNDS.split())
_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_EXPONENTS = (
    dict.fromkeys(_NO_MINOR_UNIT.split(), 0)
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)


def exponent(currency: str) -> int:
    """Return how many decimal places the currency's minor unit has (ISO 4217).

    Raises:
        ValueError: the code is not a currency.
    """
    if not is_currency(currency):
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code")
    return _EXPONENTS.get(currency, 2)


@cache
def _currency_codes() -> frozenset[str]:
    return frozenset(Locale("en").currencies)


def is_currency(code: str) -> bool:
    """Tell whether the three upper-case letters name a currency."""
    return len(code) == 3 and code.isupper() and code in _currency_codes() and code not in _NOT_MONEY  # noqa: PLR2004 - ISO 4217


@total_ordering
class Money(msgspec.Struct, frozen=True):
    """An amount in minor units of one currency. Mixing currencies raises."""

    minor: int
    currency: str

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be combined")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a decimal amount in major units, as spreadsheets write it (`1034.90`).

        Raises:
            ValueError: not a number, or it has more decimal places than the currency.
        """
        return cls(to_minor(text, currency), currency)

    def format(self, locale: str) -> str:
        """Write the amount for people, in the manner of the locale, with every minor unit that the books hold."""
        pattern = _pattern(locale, self.currency)
        return format_currency(self.decimal, self.currency, pattern, locale=_locale(locale), currency_digits=False)


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name.replace("-", "_"))


@cache
def _pattern(locale: str, currency: str) -> NumberPattern:
    """The locale's pattern for amounts, with as many places as the currency's books have.

    Where letters would touch the digits, a no-break space stands between them (Unicode TR 35, part 3, "Currency
    Spacing", which Babel leaves to its caller): `€6.80`, but `UAH 6.80`.
    """
    name = get_currency_symbol(currency, _locale(locale))
    pattern = parse_pattern(_locale(locale).currency_formats["standard"].pattern)
    if not _is_sign(name[-1]):
        positive, negative = pattern.prefix
        pattern.prefix = (_spaced(positive, _BEFORE), _spaced(negative, _BEFORE))
    if not _is_sign(name[0]):
        positive, negative = pattern.suffix
        pattern.suffix = (_spaced(positive, _AFTER), _spaced(negative, _AFTER))
    pattern.frac_prec = (exponent(currency),) * 2
    return pattern


_BEFORE: Final = re.compile("¤$")
_AFTER: Final = re.compile("^(?=¤)")


def _spaced(affix: str, touching: re.Pattern[str]) -> str:
    """What stands before or after the digits, with a space where the currency's name touches them."""
    return touching.sub(lambda found: f"{found[0]}\xa0", affix)


def _is_sign(character: str) -> bool:
    """Whether it is a symbol or a space, which digits may touch."""
    return unicodedata.category(character)[0] in "SZ"


def to_minor(text: str, currency: str) -> int:
    """Turn a decimal text in major units into minor units, exactly.

    Raises:
        ValueError: not a finite number, or more decimal places than the currency has.
    """
    try:
        value = Decimal(text.strip())
    except ArithmeticError as error:
        raise ValueError(f"{text!r} is not an amount") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not an amount")
    scaled = value.scaleb(exponent(currency))
    whole = scaled.to_integral_value()
    if scaled != whole:
        raise ValueError(f"{text!r} has more decimal places than {currency} has")
    return int(whole)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` minor units in proportion to the weights, by largest remainder; the shares sum to it exactly.

    Every share is floored, then the units left over go one each to the largest remainders, the earlier
    first among equals. Equal shares where all weights are zero. A negative total is shared as its
    positive, negated, so that a discount and its reversal are shared alike.

    Raises:
        ValueError: there are no weights for a total that is not zero, or a weight is negative.
    """
    if total < 0:
        return [-share for share in allocate(-total, weights)]
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if not weights:
        if total:
            raise ValueError("nothing to share the amount among")
        return []
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    remainders = [total * weight % whole for weight in weights]
    left = total - sum(shares)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:left]:
        shares[index] += 1
    return shares

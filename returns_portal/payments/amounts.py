"""Stripe's way of counting: ISO 4217 minor units on our side, Stripe's units on the other."""

from returns_portal.money import exponent
from returns_portal.payments.gateway import GatewayRefusedError, GatewayUnknownError

# https://docs.stripe.com/currencies: what Stripe counts differently from ISO 4217.
_ZERO_DECIMAL = frozenset(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF"])
_ZERO_DECIMAL |= {"VND", "VUV", "XAF", "XOF", "XPF"}
_THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
WHOLE_ONLY = frozenset(["ISK", "UGX"])
"""Stripe counts hundredths of these, which no longer exist: only fees and what is left after them have any."""

UNPAYABLE = "amount_not_representable"
"""The code of a failure that no other try by card can mend."""

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in ISO minor units.
_LEAST = {"AED": 200, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30}
_LEAST |= {"HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200}
_LEAST |= {"RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50}


def chargeable(amount: int, currency: str) -> int:
    """The least amount of at least this much that Stripe can charge, in ISO minor units; nothing stays nothing."""
    if amount <= 0:
        return 0
    step = 10 if currency in _THREE_DECIMAL else 1
    return -(-max(amount, _LEAST.get(currency, 1)) // step) * step


def step_of(currency: str) -> int:
    """What every amount by card is a multiple of, in ISO minor units."""
    places = exponent(currency) - _exponent(currency)
    return 10 if currency in _THREE_DECIMAL else _units(places) if places > 0 else 1


def to_stripe(amount: int, currency: str) -> int:
    """Say an amount of ISO minor units in Stripe's units.

    Raises:
        GatewayRefusedError: Stripe cannot be told this amount; a refund of it has to go another way.
    """
    whole, rest = divmod(amount * _units(_exponent(currency)), _units(exponent(currency)))
    step = 100 if currency in WHOLE_ONLY else 10 if currency in _THREE_DECIMAL else 1
    if rest or whole % step:
        raise GatewayRefusedError(
            f"{amount} minor units of {currency} cannot be paid through Stripe.",
            code=UNPAYABLE,
        )
    return whole


def from_stripe(amount: int, currency: str) -> int:
    """Read an amount in Stripe's units as ISO minor units.

    Raises:
        GatewayUnknownError: the amount has a fraction that the currency no longer has (a króna's of old).
    """
    whole, rest = divmod(amount * _units(exponent(currency)), _units(_exponent(currency)))
    if rest:
        raise GatewayUnknownError(f"Stripe names {amount}, which is no whole amount of {currency}.")
    return whole


def whole_from_stripe(amount: int, currency: str) -> int:
    """Read an amount in Stripe's units as the ISO minor units that are whole in it, rounded down."""
    return amount * _units(exponent(currency)) // _units(_exponent(currency))


def _exponent(currency: str) -> int:
    """Return how many decimal places Stripe's unit of the currency stands for."""
    return 0 if currency in _ZERO_DECIMAL else 3 if currency in _THREE_DECIMAL else 2


def _units(places: int) -> int:
    return int(10**places)

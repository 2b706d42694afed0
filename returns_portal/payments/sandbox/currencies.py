"""How Stripe counts currencies: https://docs.stripe.com/currencies. Amounts here are in Stripe's units."""

from decimal import Decimal

from babel.numbers import format_currency

from returns_portal.payments.sandbox.errors import ApiError


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
THREE_DECIMAL = _codes("bhd jod kwd omr tnd")
WHOLE_ONLY = _codes("isk ugx")
"""Counted in hundredths for the sake of old integrations, although only whole units can be charged."""

_TWO_DECIMAL = _codes("""
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf
    chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr
    ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn
    nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd
    std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd yer zar zmw
""")
SUPPORTED = _TWO_DECIMAL | ZERO_DECIMAL | THREE_DECIMAL | WHOLE_ONLY

# Stripe states a minimum for the currencies in which it settles; the others must convert to it, which a
# sandbox without exchange rates cannot say, so they only need to be positive.
_MINIMUM = {
    "usd": 50,
    "aed": 200,
    "aud": 50,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
}
_MINIMUM |= {"gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300}
_MINIMUM |= {"nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000}
_MAXIMUM = 99_999_999


def format_amount(amount: int, currency: str) -> str:
    """Write an amount as Stripe's sentences do: `$20.00`, `¥500`."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return format_currency(Decimal(amount).scaleb(-digits), currency.upper(), locale="en_US")


def check_currency(currency: str) -> str:
    """Return the currency in lower case.

    Raises:
        ApiError: Stripe does not know it.
    """
    lower = currency.lower()
    if lower not in SUPPORTED:
        known = ", ".join(sorted(SUPPORTED))
        raise ApiError(
            400,
            f"Invalid currency: {currency}. Stripe currently supports these currencies: {known}",
            param="currency",
        )
    return lower


def check_step(amount: int, currency: str, param: str = "amount") -> None:
    """Refuse fractions that the card networks do not take: of a króna, or the last digit of a dinar.

    The sentence for dinars is ours.

    Raises:
        ApiError: the amount is not a multiple of the currency's step.
    """
    if currency in WHOLE_ONLY and amount % 100:
        raise ApiError(
            400,
            f"Invalid amount. Currency {currency.upper()} has become effectively zero-decimal and charged "
            "amounts must be evenly divisible by 100. See https://stripe.com/docs/currencies#special-cases for "
            "more information.",
            code="invalid_charge_amount_no_decimal_compatible",
            param=param,
        )
    if currency in THREE_DECIMAL and amount % 10:
        raise ApiError(
            400,
            f"Invalid amount. Amounts in {currency.upper()} must be evenly divisible by 10.",
            code="parameter_invalid_integer",
            param=param,
        )


def check_payment_amount(amount: int, currency: str) -> None:
    """Check the amount of a payment against the currency's limits.

    Raises:
        ApiError: too small, too large, or a fraction that cannot be charged.
    """
    if amount < 1:
        raise ApiError(
            400,
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    least = _MINIMUM.get(currency, 1)
    if amount < least:
        shown = format_amount(least, currency)
        raise ApiError(400, f"Amount must be at least {shown} {currency}", code="amount_too_small", param="amount")
    if amount > _MAXIMUM:
        shown = format_amount(_MAXIMUM, currency)
        raise ApiError(400, f"Amount must be no more than {shown}", code="amount_too_large", param="amount")
    check_step(amount, currency)


def fee_of(amount: int, currency: str) -> int:
    """Return the fee of a card payment: 1.5 % rounded up, and 25 cents in currencies with hundredths."""
    fixed = 25 if currency in _TWO_DECIMAL else 0
    return min(amount, -(-amount * 15 // 1000) + fixed)


def dispute_fee_of(currency: str) -> int:
    """Return the fee of a chargeback: 20 euros or pounds, 15 units of most others (https://stripe.com/pricing)."""
    if currency in {"eur", "gbp"}:
        return 2000
    return 1500

"""Money: exact, of one currency, shared without a remainder."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.money import CurrencyMismatchError, Money, allocate, exponent, is_currency, to_minor


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_shares_sum_and_stay_within_one_unit_of_exact(total: int, weights: list[int]) -> None:
    shares = allocate(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        exact = Fraction(total * weight, whole) if whole else Fraction(total, len(weights))
        assert abs(share - exact) < 1


def test_equal_shares_where_all_weights_are_zero() -> None:
    assert allocate(100, [0, 0, 0]) == [34, 33, 33]


def test_nothing_to_share_among() -> None:
    assert allocate(0, []) == []
    with pytest.raises(ValueError, match="nothing"):
        allocate(1, [])
    with pytest.raises(ValueError, match="negative"):
        allocate(1, [-1, 2])


@pytest.mark.parametrize(("code", "digits"), [("EUR", 2), ("JPY", 0), ("BHD", 3), ("UAH", 2), ("HUF", 2), ("CLF", 4)])
def test_the_exponent_is_of_iso_4217(code: str, digits: int) -> None:
    assert exponent(code) == digits


@pytest.mark.parametrize("code", ["EURO", "eur", "XQZ", ""])
def test_what_is_not_a_currency(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValueError, match="ISO 4217"):
        exponent(code)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1034.90", "EUR", 103490),
        ("13184.00", "JPY", 13184),
        ("0.005", "BHD", 5),
        ("-1.5", "EUR", -150),
        ("1e3", "EUR", 100000),
    ],
)
def test_reading_amounts(text: str, currency: str, minor: int) -> None:
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1.005", "EUR"), ("0.5", "JPY"), ("x", "EUR"), ("", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR")],
)
def test_amounts_that_are_none(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimal"):
        to_minor(text, currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatchError):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatchError):
        assert Money(1, "EUR") < Money(1, "USD")
    assert Money(3, "EUR") - Money(1, "EUR") == Money(2, "EUR")


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(11691, "EUR"), "en", "€116.91"),
        (Money(11691, "EUR"), "de", "116,91\xa0€"),
        (Money(123456, "UAH"), "uk", "1\xa0234,56\xa0₴"),
        (Money(5000, "JPY"), "en", "¥5,000"),
        (Money(5000, "HUF"), "en", "HUF\xa050.00"),
        (Money(-250, "EUR"), "en", "-€2.50"),
    ],
)
def test_writing_amounts(money: Money, locale: str, text: str) -> None:
    assert money.format(locale) == text


@pytest.mark.parametrize(
    ("currency", "locale", "text"),
    [
        ("EUR", "en", "€6,868.80"),
        ("UAH", "en", "UAH\xa06,868.80"),
        ("JPY", "en", "¥686,880"),
        ("BHD", "en", "BHD\xa0686.880"),
        ("EUR", "uk", "6\xa0868,80\xa0EUR"),
        ("UAH", "uk", "6\xa0868,80\xa0₴"),
        ("JPY", "uk", "686\xa0880\xa0¥"),
        ("BHD", "uk", "686,880\xa0BHD"),
        ("EUR", "bg", "6\xa0868,80\xa0€"),
        ("UAH", "bg", "6\xa0868,80\xa0UAH"),
        ("JPY", "bg", "686\xa0880\xa0JPY"),
        ("BHD", "bg", "686,880\xa0BHD"),
        ("EUR", "ru", "6\xa0868,80\xa0€"),
        ("UAH", "ru", "6\xa0868,80\xa0₴"),
        ("JPY", "ru", "686\xa0880\xa0¥"),
        ("BHD", "ru", "686,880\xa0BHD"),
        ("EUR", "de", "6.868,80\xa0€"),
        ("UAH", "de", "6.868,80\xa0UAH"),
        ("JPY", "de", "686.880\xa0¥"),
        ("BHD", "de", "686,880\xa0BHD"),
        # Bengali has no space of its own before the currency.
        ("EUR", "bn", "6,868.80€"),
        ("UAH", "bn", "6,868.80\xa0UAH"),
    ],
)
def test_letters_never_touch_digits(currency: str, locale: str, text: str) -> None:
    assert Money(686880, currency).format(locale) == text
    assert Money(-686880, currency).format(locale) == f"-{text}"

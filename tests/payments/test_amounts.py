"""Amounts between ISO 4217 and Stripe's way of counting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.payments.amounts import from_stripe, to_stripe
from returns_portal.payments.gateway import GatewayRefusedError, GatewayUnknownError


@pytest.mark.parametrize(
    ("currency", "iso", "theirs"),
    [
        ("EUR", 1234, 1234),
        ("JPY", 500, 500),
        ("ISK", 5, 500),
        ("UGX", 5, 500),
        ("MGA", 50000, 500),
        ("KWD", 5120, 5120),
        ("HUF", 1045, 1045),
        ("TWD", 80045, 80045),
    ],
)
def test_currencies_are_counted_as_stripe_documents_them(currency: str, iso: int, theirs: int) -> None:
    assert to_stripe(iso, currency) == theirs
    assert from_stripe(theirs, currency) == iso


@pytest.mark.parametrize(("currency", "iso"), [("MGA", 50050), ("KWD", 5124), ("BHD", 1)])
def test_what_stripe_cannot_be_told_is_refused_before_it_is_sent(currency: str, iso: int) -> None:
    with pytest.raises(GatewayRefusedError) as caught:
        to_stripe(iso, currency)
    assert caught.value.code == "amount_not_representable"


def test_a_fraction_of_a_krona_is_never_rounded() -> None:
    with pytest.raises(GatewayUnknownError):
        from_stripe(4010, "ISK")


@given(st.integers(0, 10**10), st.sampled_from(["EUR", "JPY", "ISK", "UGX", "MGA", "KWD", "BHD", "USD", "UAH", "BGN"]))
def test_an_amount_that_goes_there_comes_back_the_same(amount: int, currency: str) -> None:
    try:
        theirs = to_stripe(amount, currency)
    except GatewayRefusedError:
        assert currency in {"MGA", "KWD", "BHD"}
    else:
        assert from_stripe(theirs, currency) == amount

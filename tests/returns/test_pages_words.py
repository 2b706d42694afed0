"""Words and small rules of the customer's pages."""

from datetime import date

import pytest

from returns_portal.errors import InvalidError
from returns_portal.refunds.models import Destination
from returns_portal.refunds.rules import PlannedLeg
from returns_portal.returns.bank import account_number
from returns_portal.returns.pages.words import business_days_after, item_words, total_words, where_words


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("bg80 bnbg 9661  1020 3456 78", "BG80 BNBG 9661 1020 3456 78"),
        ("UA213223130000026007233566001", "UA213223130000026007233566001"),
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("40817810099910004312", "40817810099910004312"),
        ("12-3456 7890123", "12-3456 7890123"),
    ],
)
def test_account_numbers_of_every_country_are_taken(typed: str, kept: str) -> None:
    assert account_number(typed) == kept


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("BG80 BNBG 9661 1020 3456 87", "bad_iban"),
        ("DE89370400440532013001", "bad_iban"),
        ("", "bad_account"),
        ("my bank", "bad_account"),
        ("=cmd|' /C calc'!A0 12345", "bad_account"),
        ("1" * 80, "bad_account"),
    ],
)
def test_what_is_no_account_number_is_refused(typed: str, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        account_number(typed)
    assert (caught.value.code, caught.value.field) == (code, "bank_account")


@pytest.mark.parametrize(
    ("day", "count", "after"),
    [
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2026, 11, 21), 1, date(2026, 11, 23)),
        (date(2026, 11, 23), 10, date(2026, 12, 7)),
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
    ],
)
def test_business_days_leave_the_weekend_out(day: date, count: int, after: date) -> None:
    assert business_days_after(day, count) == after


def _leg(destination: Destination, amount: int, bonus: int = 0) -> PlannedLeg:
    return PlannedLeg(payment_id=None, destination=destination, amount=amount, bonus=bonus, tax=0, shipping=0)  # type: ignore[arg-type]  # whose payment it is does not matter here


def test_money_and_points_are_never_added_up() -> None:
    legs = [_leg(Destination.CARD, 20171), _leg(Destination.POINTS, 5000)]
    assert total_words(legs, "EUR") == "€201.71 + 5,000 points"
    assert total_words([_leg(Destination.POINTS, 5000, 500)], "EUR") == "5,500 points"
    assert total_words([_leg(Destination.TRANSFER, 990)], "JPY") == "¥990"
    assert total_words([], "EUR") == "€0.00"


def test_items_and_places_in_words() -> None:
    assert item_words("Derby", "42", "", 2) == "2 × Derby, 42"
    assert item_words("Scarf", "", "Red") == "Scarf, Red"
    assert where_words("original", "4242") == "back to your card ending 4242"
    assert where_words("original", "") == "back to the card you paid with"

"""Return numbers: short, readable over the telephone, and a misreading is noticed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from returns_portal.ids import ALPHABET, new_rma, parse_rma


def test_numbers_look_as_promised_and_differ() -> None:
    numbers = {new_rma() for _ in range(2000)}
    assert len(numbers) == 2000
    for number in numbers:
        assert len(number) == 11
        assert parse_rma(number) == number


@given(st.integers(2, 10), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_noticed(place: int, other: str) -> None:
    number = new_rma()
    assume(number[place] not in {"-", other})
    # The check is modulo 31 over 32 symbols: 0 and Z are the one pair that it cannot tell apart.
    assume({number[place], other} != {"0", "Z"})
    wrong = number[:place] + other + number[place + 1 :]
    assert parse_rma(wrong) is None


@pytest.mark.parametrize(
    "shape", [str.lower, lambda n: n.replace("-", ""), lambda n: n.replace("-", " "), lambda n: f" {n}\n"]
)
def test_ways_of_typing_it(shape: object) -> None:
    number = new_rma()
    assert callable(shape)
    assert parse_rma(shape(number)) == number


def test_look_alikes_are_forgiven() -> None:
    number = next(number for number in iter(new_rma, None) if "0" in number and "1" in number)
    assert parse_rma(number.replace("0", "O").replace("1", "l")) == number


@pytest.mark.parametrize(
    "text", ["", "R", "R-", "hello", "R-0000-000", "R-0000-00000", "Q-0000-0000", "1" * 500, "R-ÄÄÄÄ-ÄÄÄÄ"]
)
def test_what_is_no_number(text: str) -> None:
    assert parse_rma(text) is None

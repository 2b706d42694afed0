"""The arithmetic of points."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.points.rules import clawed, earned, expiry, last_day, restored_expiry

SOFIA = "Europe/Sofia"


@pytest.mark.parametrize(
    ("paid", "rate", "points"), [(10_000, 30, 300), (33, 30, 0), (34, 30, 1), (0, 30, 0), (99, 0, 0)]
)
def test_a_purchase_earns_whole_points(paid: int, rate: int, points: int) -> None:
    assert earned(paid, rate) == points


@given(st.integers(1, 10**9), st.integers(1, 1000), st.lists(st.integers(1, 10**6), min_size=1, max_size=12))
def test_refunds_one_by_one_take_back_what_all_at_once_would(basis: int, rate: int, parts: list[int]) -> None:
    points = earned(basis, rate)
    refunded = done = 0
    for part in parts:
        refunded += part
        due = clawed(points, basis, refunded, done)
        assert due >= 0
        done += due
    assert done == clawed(points, basis, sum(parts), 0) <= points
    assert done + clawed(points, basis, basis, done) == points


@pytest.mark.parametrize(
    ("given_at", "months", "day"),
    [
        ("2026-11-22T09:00Z", 1, "2026-12-22"),
        # Late in the evening of UTC it is the next day in Sofia already.
        ("2026-11-22T22:30Z", 1, "2026-12-23"),
        ("2026-10-31T09:00Z", 1, "2026-11-30"),
        ("2028-01-31T09:00Z", 1, "2028-02-29"),
        ("2026-12-31T09:00Z", 24, "2028-12-31"),
        ("2026-12-15T09:00Z", 12, "2027-12-15"),
    ],
)
def test_points_are_good_until_the_end_of_a_day_of_the_shop(given_at: str, months: int, day: str) -> None:
    expires_at = expiry(datetime.fromisoformat(given_at), months, SOFIA)
    assert expires_at is not None
    assert last_day(expires_at, SOFIA).isoformat() == day
    assert last_day(expires_at + timedelta(microseconds=1), SOFIA).isoformat() > day


def test_a_day_ends_at_midnight_on_both_sides_of_a_change_of_clocks() -> None:
    # Sofia is two hours ahead until 29 March 2026, three from then on.
    assert expiry(datetime(2026, 2, 27, 9, tzinfo=UTC), 1, SOFIA) == datetime(2026, 3, 27, 22, tzinfo=UTC)
    assert expiry(datetime(2026, 2, 28, 22, 30, tzinfo=UTC), 1, SOFIA) == datetime(2026, 4, 1, 21, tzinfo=UTC)


def test_nothing_expires_where_the_shop_says_never() -> None:
    assert expiry(datetime.now(UTC), 0, SOFIA) is None


def test_what_comes_back_lasts_as_it_would_have_or_a_month() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert restored_expiry(None, now) is None
    assert restored_expiry(now + timedelta(days=2), now) == now + timedelta(days=2)
    assert restored_expiry(now - timedelta(days=2), now) == now + timedelta(days=30)

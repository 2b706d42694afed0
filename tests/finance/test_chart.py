"""The bars: one a day, a week or a month, and never outside of the drawing."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from returns_portal.finance.chart import HEIGHT, WIDTH, bars

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_a_month_has_a_bar_a_day() -> None:
    made = bars(date(2026, 11, 1), date(2026, 11, 30), {date(2026, 11, 2): (11691, 2)}, "EUR")
    assert len(made) == 30
    assert [bar.height > 0 for bar in made].index(True) == 1
    assert made[1].title == "2 November 2026: €116.91 (2)"
    assert [bar.quiet for bar in made[:8]] == [True, False, False, False, False, False, True, True]


def test_long_periods_are_gathered() -> None:
    assert len(bars(date(2026, 1, 1), date(2026, 12, 31), {}, "EUR")) == 53
    assert len(bars(date(2024, 1, 1), date(2026, 12, 31), {}, "EUR")) == 36


@given(
    first=DAYS, length=st.integers(0, 900), sums=st.dictionaries(DAYS, st.tuples(st.integers(0, 10**12), st.just(1)))
)
def test_every_bar_stands_inside(first: date, length: int, sums: dict[date, tuple[int, int]]) -> None:
    for bar in bars(first, first + timedelta(days=length), sums, "JPY"):
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT

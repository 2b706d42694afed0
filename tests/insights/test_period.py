"""The days that are looked at, and the two months that are compared."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal import clock
from returns_portal.errors import InvalidError
from returns_portal.insights.changing import spans
from returns_portal.insights.pages.period import Period, presets, read, usual

SOFIA = "Europe/Sofia"
NOON = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_without_days_it_is_the_last_twelve_months() -> None:
    with clock.at(NOON):
        assert read({}, SOFIA) == usual(SOFIA) == Period(date(2025, 11, 24), date(2026, 11, 23), SOFIA)
        found = {preset.text: (preset.query, preset.current) for preset in presets(usual(SOFIA))}
    assert found == {
        "This month": ("from=2026-11-01&to=2026-11-23", False),
        "Last 3 months": ("from=2026-08-24&to=2026-11-23", False),
        "Last 12 months": ("from=2025-11-24&to=2026-11-23", True),
    }


@given(st.dates(date(2001, 1, 1), date(2100, 1, 1)))
def test_twelve_months_are_a_year_whatever_the_day(last: date) -> None:
    period = read({"to": last.isoformat()}, SOFIA)
    assert 365 <= (period.last - period.first).days + 1 <= 366
    assert read({"from": period.first.isoformat(), "to": last.isoformat()}, SOFIA) == period


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "soon"}, "from"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "from"),
        ({"from": "2020-01-01", "to": "2026-03-01"}, "from"),
    ],
)
def test_days_that_cannot_be_are_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read(query, SOFIA)
    assert refused.value.field == field


def test_a_period_is_whole_days_of_the_shop() -> None:
    with clock.at(NOON):
        span = Period(date(2026, 10, 25), date(2026, 10, 25), SOFIA).span
    # The day on which clocks are put back has twenty-five hours.
    assert (span.start, span.end - span.start) == (datetime(2026, 10, 24, 21, tzinfo=UTC), timedelta(hours=25))
    assert span.seen == NOON


@given(st.integers(0, 10 * 365 * 24 * 60).map(lambda minutes: NOON - timedelta(minutes=minutes)))
def test_months_that_are_compared_are_as_old_as_each_other(now: datetime) -> None:
    recent, earlier = spans(now, SOFIA)
    assert recent.seen == recent.end == now
    assert earlier.seen == earlier.end == now - timedelta(days=30)
    assert timedelta(days=29) - timedelta(hours=1) <= recent.end - recent.start <= timedelta(days=30, hours=1)
    # Where clocks are changed, one of them begins an hour earlier or later.
    assert abs((recent.end - recent.start) - (earlier.end - earlier.start)) <= timedelta(hours=1)
    assert earlier.end <= recent.start + timedelta(days=1)

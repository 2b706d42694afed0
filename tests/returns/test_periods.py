"""How long the law gives, against an independent way of counting: hour by hour, on a calendar of one's own."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.returns.holidays import eastern_easter, holidays, western_easter
from returns_portal.returns.periods import PERIODS, last_received, period_over
from returns_portal.returns.rules import Line, OrderFacts, Policy, last_day, refusal, returns_over, withdrawal_over
from tests.returns.test_rules import LINE

# Written by hand from the laws and a printed calendar, not from the code: country, received (UTC), shop's zone,
# the first moment after the last day (UTC).
TABLE = [
    # An ordinary Tuesday; the 14th day is a Tuesday. Winter and summer.
    ("DE", "2026-02-03T10:00", "Europe/Berlin", "2026-02-17T23:00"),
    ("DE", "2026-06-09T10:00", "Europe/Berlin", "2026-06-23T22:00"),
    # Both changes of the clocks lie within the period.
    ("DE", "2026-03-17T10:00", "Europe/Berlin", "2026-03-31T22:00"),
    ("DE", "2026-10-13T10:00", "Europe/Berlin", "2026-10-27T23:00"),
    # The 14th day is a Saturday, a Sunday: the next working day is Monday.
    ("FR", "2026-06-06T10:00", "Europe/Paris", "2026-06-22T22:00"),
    ("FR", "2026-06-07T10:00", "Europe/Paris", "2026-06-22T22:00"),
    # Easter Monday 2026 is 6 April: a period that would end on Good Friday ends on Tuesday.
    ("SE", "2026-03-20T10:00", "Europe/Stockholm", "2026-04-07T22:00"),
    # Orthodox Easter 2026 is 12 April: the Sunday of the 14th day is followed by a holiday.
    ("BG", "2026-03-29T10:00", "Europe/Sofia", "2026-04-14T21:00"),
    # A national holiday: 3 October 2025 is a Friday in Germany, and an ordinary one in France.
    ("DE", "2025-09-19T10:00", "Europe/Berlin", "2025-10-06T22:00"),
    ("FR", "2025-09-19T10:00", "Europe/Paris", "2025-10-03T22:00"),
    # A leap year has its 29 February, and the next year has not.
    ("NO", "2028-02-15T10:00", "Europe/Oslo", "2028-02-29T23:00"),
    ("NO", "2027-02-15T10:00", "Europe/Oslo", "2027-03-01T23:00"),
    # Britain counts calendar days: a Saturday ends it.
    ("GB", "2026-06-06T10:00", "Europe/London", "2026-06-20T23:00"),
    # A customer in London has the end of the day there, also from a shop in Sofia; one in Sofia from a shop in London.
    ("GB", "2026-06-09T10:00", "Europe/Sofia", "2026-06-23T23:00"),
    ("BG", "2026-06-09T10:00", "Europe/London", "2026-06-23T23:00"),
    # Late in the evening: in Sofia it was the next day already.
    ("IE", "2026-06-09T22:30", "Europe/Sofia", "2026-06-24T21:00"),
    # Spain reaches to the Canaries, Portugal to the Azores.
    ("ES", "2026-06-09T10:00", "Europe/Madrid", "2026-06-23T23:00"),
    ("PT", "2026-06-09T10:00", "Europe/Lisbon", "2026-06-24T00:00"),
    ("UA", "2026-06-09T10:00", "Europe/Kyiv", "2026-06-23T21:00"),
]

_FIRST, _LAST = datetime(2020, 1, 1), datetime(2040, 12, 31)  # noqa: DTZ001 - the strategy adds the zone itself
MOMENTS = st.datetimes(_FIRST, _LAST, timezones=st.just(UTC))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("country", "received", "zone", "over"), TABLE)
def test_the_table(country: str, received: str, zone: str, over: str) -> None:
    assert period_over(country, moment(received), zone) == moment(over)


def test_who_has_a_period_and_who_has_none() -> None:
    assert len(PERIODS) == 27 + 3 + 2
    assert {"DE", "BG", "NO", "IS", "LI", "GB", "UA"} <= PERIODS.keys()
    assert not {"CH", "US", "RU", ""} & PERIODS.keys()
    assert {period.days for period in PERIODS.values()} == {14}


ZONES = {
    "DE": ["Europe/Berlin"],
    "ES": ["Europe/Madrid", "Atlantic/Canary"],
    "PT": ["Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"],
    "GB": ["Europe/London"],
    "UA": ["Europe/Kyiv"],
    "BG": ["Europe/Sofia"],
    "IS": ["Atlantic/Reykjavik"],
}


def by_counting(country: str, received: datetime, zones: list[str]) -> datetime:
    """Walk from hour to hour, striking off days whole, until none is left: the first hour that is past, anywhere."""
    ends = []
    for zone in zones:
        hour, seen = received.replace(minute=0, second=0, microsecond=0), []
        while True:
            day = hour.astimezone(ZoneInfo(zone)).date()
            if day not in seen:
                seen.append(day)
            # `seen[0]` is the day of receipt; fourteen more, and then none of rest as the last.
            if len(seen) > 15 and (country == "GB" or any(_works(country, past) for past in seen[14:-1])):
                break
            hour += timedelta(hours=1)
        ends.append(hour)
    return max(ends)


def _works(country: str, day: date) -> bool:
    return f"{day:%a}" not in {"Sat", "Sun"} and day not in holidays(country, day.year)


@given(
    received=MOMENTS,
    country=st.sampled_from(sorted(ZONES)),
    shop=st.sampled_from(["Europe/Sofia", "Europe/London", "UTC", "America/New_York", "Asia/Tokyo"]),
)
def test_it_agrees_with_counting_hour_by_hour(received: datetime, country: str, shop: str) -> None:
    assert period_over(country, received, shop) == by_counting(country, received, [*ZONES[country], shop])


@given(
    received=MOMENTS,
    country=st.sampled_from([*sorted(PERIODS), "CH", "US", ""]),
    window=st.integers(0, 400),
    shop=st.sampled_from(["Europe/Sofia", "UTC", "America/New_York"]),
)
def test_neither_window_shortens_the_other(received: datetime, country: str, window: int, shop: str) -> None:
    order, policy = OrderFacts(None, received, country=country), Policy(window, shop)
    over, by_law = returns_over(order, policy), withdrawal_over(order, policy)
    assert over is not None
    assert by_law is not None
    here = ZoneInfo(shop)
    whole_days = (over.astimezone(here).date() - received.astimezone(here).date()).days
    assert over >= by_law
    assert whole_days > max(window, 14) or over.astimezone(here).time() > datetime.min.time()
    assert over - received >= timedelta(days=14) - timedelta(hours=1)
    just_before, at = over - timedelta(microseconds=1), over
    assert refusal(order, LINE, policy, just_before) is None
    refused = refusal(order, LINE, policy, at)
    assert refused is not None
    assert refused.values == {"day": last_day(over, policy)}


def test_unknown_delivery_and_parcels_still_to_come_never_close() -> None:
    policy, late = Policy(14, "Europe/Sofia"), moment("2040-01-01T00:00")
    assert refusal(OrderFacts(None, None, country="DE"), LINE, policy, late) is None
    assert refusal(OrderFacts(None, moment("2026-01-01T00:00"), True, "DE", True), LINE, policy, late) is None
    assert refusal(OrderFacts(None, moment("2026-01-01T00:00"), True, "CH", True), LINE, policy, late) is None
    assert withdrawal_over(OrderFacts(None, None, country="CH"), policy) is None


def test_the_last_of_several_parcels_begins_it() -> None:
    first, second = moment("2026-01-01T10:00"), moment("2026-01-05T10:00")
    assert last_received([second, first]) == second
    assert last_received([first, None]) is None
    assert last_received([]) is None


def test_a_line_that_is_back_is_refused_whatever_the_day() -> None:
    order = OrderFacts(None, moment("2026-01-01T10:00"), country="DE")
    refused = refusal(order, Line(LINE.line_id, 1, 1), Policy(14, "UTC"), moment("2026-01-02T00:00"))
    assert refused is not None
    assert refused.code == "already_returned"


@pytest.mark.parametrize(
    ("western", "eastern"),
    [
        ("2000-04-23", "2000-04-30"),
        ("2008-03-23", "2008-04-27"),
        ("2016-03-27", "2016-05-01"),
        ("2021-04-04", "2021-05-02"),
        ("2024-03-31", "2024-05-05"),
        ("2025-04-20", "2025-04-20"),
        ("2026-04-05", "2026-04-12"),
        ("2027-03-28", "2027-05-02"),
        ("2028-04-16", "2028-04-16"),
        ("2030-04-21", "2030-04-28"),
    ],
)
def test_easter(western: str, eastern: str) -> None:
    year = int(western[:4])
    assert (str(western_easter(year)), str(eastern_easter(year))) == (western, eastern)

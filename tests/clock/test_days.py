"""Days are the shop's: on the nights when clocks change, at the ends of months, and on the leap day."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.db import Begin, raw_connection
from returns_portal.finance.exports import stream_refunds
from returns_portal.finance.filters import Filters, day_begins, period
from returns_portal.finance.report import sums_by_day
from returns_portal.points.rules import expiry, last_day
from returns_portal.returns.rules import Line, OrderFacts, Policy, refund_deadline, refusal
from tests.finance.seed import CURRENCIES, stories

pytestmark = pytest.mark.anyio

SOFIA, LOS_ANGELES = "Europe/Sofia", "America/Los_Angeles"
HALF_HOUR = timedelta(minutes=30)
NIGHTS = pytest.mark.parametrize(
    ("night", "zone", "hours"),
    [
        (date(2026, 3, 29), SOFIA, 23),
        (date(2026, 10, 25), SOFIA, 25),
        (date(2026, 3, 8), LOS_ANGELES, 23),
        (date(2026, 11, 1), LOS_ANGELES, 25),
    ],
)


def here(zone: str, text: str) -> datetime:
    """A moment as the clock on the shop's wall shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("stated", "zone", "due"),
    [
        # Over the night when the clocks go forward 14 × 24 hours would end a day too late, at half past midnight.
        ("2026-03-20T23:30", SOFIA, "2026-04-03T23:30"),
        ("2026-10-20T00:30", SOFIA, "2026-11-03T00:30"),
        ("2026-03-01T23:30", LOS_ANGELES, "2026-03-15T23:30"),
        ("2026-10-25T00:15", LOS_ANGELES, "2026-11-08T00:15"),
        ("2028-02-15T12:00", SOFIA, "2028-02-29T12:00"),
        ("2028-02-29T12:00", SOFIA, "2028-03-14T12:00"),
        ("2026-12-31T23:59", SOFIA, "2027-01-14T23:59"),
        # Half past three does not exist on that morning: an hour later is the same moment.
        ("2026-03-15T03:30", SOFIA, "2026-03-29T04:30"),
    ],
)
def test_the_money_is_due_on_the_fourteenth_day(stated: str, zone: str, due: str) -> None:
    assert refund_deadline(here(zone, stated), zone) == here(zone, due)


@pytest.mark.parametrize("zone", [SOFIA, LOS_ANGELES])
@pytest.mark.parametrize(
    ("received", "last"),
    [
        ("2026-03-15", "2026-03-29"),
        ("2026-10-11", "2026-10-25"),
        ("2026-02-22", "2026-03-08"),
        ("2026-10-18", "2026-11-01"),
        ("2027-02-15", "2027-03-01"),
        ("2028-02-15", "2028-02-29"),
        ("2028-02-29", "2028-03-14"),
        ("2026-12-17", "2026-12-31"),
    ],
)
def test_a_window_closes_at_midnight_after_its_last_day(zone: str, received: str, last: str) -> None:
    policy = Policy(return_days=14, timezone=zone)
    midnight = day_begins(date.fromisoformat(last) + timedelta(days=1), zone)
    for hour in ("00:00", "23:59"):
        order = OrderFacts(None, here(zone, f"{received}T{hour}"))
        line = Line(UUID(int=1), 1, 0)
        assert refusal(order, line, policy, midnight - timedelta(microseconds=1)) is None
        refused = refusal(order, line, policy, midnight)
        assert refused is not None
        assert (refused.code, refused.values) == ("window_closed", {"day": date.fromisoformat(last)})


@pytest.mark.parametrize(
    ("given", "zone", "months", "day"),
    [
        ("2028-02-29T23:59", SOFIA, 12, "2029-02-28"),
        ("2028-02-29T00:00", LOS_ANGELES, 48, "2032-02-29"),
        ("2027-11-30T12:00", LOS_ANGELES, 3, "2028-02-29"),
        ("2026-02-28T23:30", SOFIA, 1, "2026-03-28"),
        ("2026-03-29T02:30", SOFIA, 7, "2026-10-29"),
        ("2026-09-25T23:59", SOFIA, 1, "2026-10-25"),
        ("2026-10-01T00:01", LOS_ANGELES, 1, "2026-11-01"),
        ("2026-02-08T23:59", LOS_ANGELES, 1, "2026-03-08"),
    ],
)
def test_points_are_good_to_the_last_minute_of_their_day(given: str, zone: str, months: int, day: str) -> None:
    ends = expiry(here(zone, given), months, zone)
    assert ends == day_begins(date.fromisoformat(day) + timedelta(days=1), zone)
    assert last_day(ends, zone) == date.fromisoformat(day)


@NIGHTS
async def test_a_report_counts_the_hours_of_each_day(begin: Begin, night: date, zone: str, hours: int) -> None:
    before, after = night - timedelta(days=1), night + timedelta(days=1)
    begins = day_begins(before, zone)
    count = 2 * (48 + hours)
    days = Filters(first=before, last=after, zone=zone)
    assert days.ends - days.begins == count * HALF_HOUR
    sums: dict[date, int] = {}
    async with begin() as db:
        # One as each half hour begins, so that a refund stands on every midnight.
        await stories(db, 0, count - 1, start=begins, step=HALF_HOUR)
        for currency in CURRENCIES:
            for day, (_, refunds) in (await sums_by_day(await raw_connection(db), days, currency)).items():
                sums[day] = sums.get(day, 0) + refunds
    assert sums == {before: 48, night: 2 * hours, after: 48}
    exported = b"".join([chunk async for chunk in stream_refunds(begin, Filters(first=night, last=night, zone=zone))])
    assert exported.count(b"\n") - 1 == 2 * hours


@NIGHTS
def test_today_is_the_shops_own_all_through_the_night(night: date, zone: str, hours: int) -> None:
    begins = day_begins(night, zone)
    for half in range(2 * hours):
        with clock.at(begins + half * HALF_HOUR):
            assert period(None, None, zone) == (night.replace(day=1), night)
    with clock.at(begins + hours * 2 * HALF_HOUR):
        assert period(None, None, zone)[1] == night + timedelta(days=1)

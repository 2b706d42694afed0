"""Opening hours against a clock on the wall: a second program that looks at it once a minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_portal.errors import InvalidError
from returns_portal.shop.hours import Channel, Hours, Schedule, check
from returns_portal.shop.hours_form import read, shown, times

ZONES = (
    "Europe/Sofia", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "Asia/Kathmandu",
)  # fmt: skip
# Days around which the clocks of these zones are changed; Samoa has no 30 December 2011 at all.
CHANGES = (
    date(2026, 3, 28), date(2026, 10, 24), date(2026, 3, 7), date(2026, 10, 31), date(2026, 4, 4), date(2026, 10, 3),
    date(2011, 12, 29), date(2026, 6, 15),
)  # fmt: skip
MINUTE = timedelta(minutes=1)
NEAR_CHANGES = st.sampled_from(range(0, 271, 15))
"""Times of a day at which clocks are changed somewhere, and those around them."""


@st.composite
def spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    found, earlier = [], 0
    for _each in range(draw(st.integers(0, 3))):
        opens = draw(st.one_of(st.integers(earlier, 1439), NEAR_CHANGES.filter(lambda minute: minute >= earlier)))  # noqa: B023 - drawn at once
        closes = draw(
            st.one_of(
                st.integers(opens + 1, opens + 500),
                st.just(opens + 1440),
                NEAR_CHANGES.map(lambda minute: minute if minute > opens else minute + 1440),  # noqa: B023 - as above
            )
        )
        found.append((opens, closes))
        earlier = closes
        if earlier >= 1440:
            break
    return tuple(found)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, date]:
    about = draw(st.sampled_from(CHANGES))
    near = st.integers(-2, 4).map(lambda days: about + timedelta(days=days))
    return Schedule(
        zone=draw(st.sampled_from(ZONES)),
        week=tuple(draw(spans()) for _day in range(7)),
        extra=draw(st.dictionaries(near, spans(), max_size=2)),
        closed=draw(st.dictionaries(near, st.just("holiday"), max_size=2)),
    ), about


def on_the_wall(schedule: Schedule, start: datetime, minutes: int) -> list[bool]:
    """For each minute whether it is open: doors turn when the clock first shows their time, or a later one."""
    zone = ZoneInfo(schedule.zone)
    # Far enough before that every door of these days was still to turn.
    moment = start - timedelta(days=5)
    first = moment.astimezone(zone).date()
    doors: list[tuple[datetime, datetime]] = []
    for offset in range(minutes // 1440 + 9):
        day = first + timedelta(days=offset)
        special = schedule.extra.get(day)
        closed = () if day in schedule.closed else schedule.week[day.weekday()]
        for opens, closes in closed if special is None else special:
            midnight = datetime.combine(day, time())
            doors.append((midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)))
    opened, shut, seen = set[int](), set[int](), []
    while moment < start + minutes * MINUTE:
        shows = moment.astimezone(zone).replace(tzinfo=None)
        opened |= {place for place, (opens, _closes) in enumerate(doors) if shows >= opens}
        shut |= {place for place, (_opens, closes) in enumerate(doors) if shows >= closes}
        if moment >= start:
            seen.append(bool(opened - shut))
        moment += MINUTE
    return seen


@settings(max_examples=150)
@given(schedules(), st.integers(0, 2880), st.integers(1, 1800))
def test_it_is_open_when_the_clock_on_the_wall_says_so(made: tuple[Schedule, date], late: int, minutes: int) -> None:
    schedule, about = made
    start = datetime.combine(about, time(), UTC) + late * MINUTE
    seen = on_the_wall(schedule, start, minutes)
    for step in range(0, minutes, 7):
        assert schedule.is_open(start + step * MINUTE) == seen[step], step
    if schedule.known:
        assert schedule.business_seconds(start, start + minutes * MINUTE) == sum(seen) * 60
    coming = schedule.opens_next(start)
    if seen[0]:
        assert coming is None
    elif True in seen:
        assert coming == start + seen.index(True) * MINUTE
    elif coming is not None:
        assert coming >= start + minutes * MINUTE
    until = schedule.standing(start).changes
    if seen[0] and False in seen:
        assert until == start + seen.index(False) * MINUTE


@given(schedules(), st.integers(0, 2880), st.integers(1, 40_000))
def test_after_so_much_service_so_much_service_has_passed(made: tuple[Schedule, date], late: int, seconds: int) -> None:
    schedule, about = made
    start = datetime.combine(about, time(), UTC) + late * MINUTE
    ends = schedule.after(start, seconds)
    if schedule.known and any(schedule.week):
        assert schedule.business_seconds(start, ends) == seconds
        assert schedule.business_seconds(start, ends - timedelta(seconds=1)) == seconds - 1
    elif not schedule.known:
        assert ends == start + timedelta(seconds=seconds)


WEEK = ((540, 750), (810, 1080))
SHOP = Schedule("Europe/Sofia", (*(WEEK,) * 5, ((1320, 1560),), ()), {date(2026, 12, 27): ((600, 840),)}, {})


@pytest.mark.parametrize(
    ("local", "open_", "changes"),
    [
        ("2026-11-23T10:00", True, "2026-11-23T12:30"),
        ("2026-11-23T12:30", False, "2026-11-23T13:30"),
        ("2026-11-27T18:00", False, "2026-11-28T22:00"),
        ("2026-11-29T01:00", True, "2026-11-29T02:00"),
        ("2026-11-29T02:00", False, "2026-11-30T09:00"),
        ("2026-12-27T08:00", False, "2026-12-27T10:00"),
    ],
)
def test_a_week_of_a_shop(local: str, open_: bool, changes: str) -> None:
    zone = ZoneInfo("Europe/Sofia")
    found = SHOP.standing(datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC))
    assert found.open is open_
    assert found.changes == datetime.fromisoformat(changes).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("zone", "day", "spans", "opens", "closes"),
    [
        # Three o'clock becomes four: what opens or closes in between does so then.
        ("Europe/Sofia", date(2026, 3, 29), ((210, 300),), "2026-03-29T01:00Z", "2026-03-29T02:00Z"),
        ("Europe/Sofia", date(2026, 3, 29), ((60, 210),), "2026-03-28T23:00Z", "2026-03-29T01:00Z"),
        ("Europe/Sofia", date(2026, 3, 28), ((1380, 1650),), "2026-03-28T21:00Z", "2026-03-29T01:00Z"),
        # Four becomes three: the clock shows half past three twice, and the first time counts.
        ("Europe/Sofia", date(2026, 10, 25), ((210, 300),), "2026-10-25T00:30Z", "2026-10-25T03:00Z"),
        ("Europe/Sofia", date(2026, 10, 25), ((60, 210),), "2026-10-24T22:00Z", "2026-10-25T00:30Z"),
        # Half an hour only, and a whole day.
        ("Australia/Lord_Howe", date(2026, 10, 4), ((135, 180),), "2026-10-03T15:30Z", "2026-10-03T16:00Z"),
        ("Pacific/Apia", date(2011, 12, 29), ((1200, 1500),), "2011-12-30T06:00Z", "2011-12-30T10:00Z"),
    ],
)
def test_where_clocks_are_changed(
    zone: str, day: date, spans: tuple[tuple[int, int], ...], opens: str, closes: str
) -> None:
    schedule = Schedule(zone, ((),) * 7, {day: spans})
    begins, ends = datetime.fromisoformat(opens), datetime.fromisoformat(closes)
    before = begins - timedelta(hours=6)
    assert schedule.opens_next(before) == begins
    assert schedule.standing(begins).changes == ends
    assert schedule.business_seconds(before, ends + timedelta(hours=6)) == (ends - begins).total_seconds()


def test_who_is_always_there_never_closes_and_who_is_never_there_never_opens() -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    always = Schedule("Europe/Sofia", (((0, 1440),),) * 7).standing(now)
    assert (always.open, always.changes) == (True, None)
    never = Schedule("Europe/Sofia", ((),) * 7)
    assert (never.standing(now).open, never.opens_next(now), never.known) == (False, None, False)
    assert never.business_seconds(now, now + timedelta(hours=1)) == 3600


def test_nobody_there_just_now_closes_it_until_they_are_back_or_the_day_ends() -> None:
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    for minutes, back in ((30, now + timedelta(minutes=30)), (180, datetime(2026, 11, 23, 11, 30, tzinfo=UTC))):
        paused = msgspec.structs.replace(SHOP, paused_until=now + timedelta(minutes=minutes))
        assert paused.standing(now).open is False
        assert paused.opens_next(now) == back
    assert msgspec.structs.replace(SHOP, paused_until=now).is_open(now)
    assert msgspec.structs.replace(SHOP, paused_until=now + timedelta(hours=1)).frozen().is_open(now)


def form(**fields: str) -> dict[str, str]:
    return {**shown(Hours()), **fields}


def test_what_is_typed_is_read_and_shown_again() -> None:
    hours = read(
        form(
            **{
                "phone-0": "9-12.30; 13:30 – 18",
                "written-5": "22:00–2:00",
                "written-6": "0:00-24:00",
                "phone-extra": "19.12.2026 10:00-16:00",
                "closed": "2026-12-24 – 2026-12-26  Christmas\n\n1.1.2027",
                "goal": "1,5",
            }
        ),
        Hours(),
    )
    check(hours)
    assert hours.phone.week[0] == ((540, 750), (810, 1080))
    assert (hours.written.week[5], hours.written.week[6]) == (((1320, 1560),), ((0, 1440),))
    assert hours.phone.extra == {date(2026, 12, 19): ((600, 960),)}
    assert sorted(hours.closed) == [date(2026, 12, day) for day in (24, 25, 26)] + [date(2027, 1, 1)]
    assert hours.goal_minutes == 90
    assert times(hours.phone.week[0]) == "9:00–12:30, 13:30–18:00"
    assert read(shown(hours), Hours()) == hours
    # What is kept comes back as it was.
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(hours)), Hours) == hours


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("phone-0", "nine to five"),
        ("phone-0", "9:60-10:00"),
        ("phone-0", "9:00-25:00"),
        ("phone-0", "24:00-1:00"),
        ("written-3", "9:00-12:00, 11:00-13:00"),
        ("written-3", ",".join(f"{hour}-{hour + 1}" for hour in range(7))),
        ("closed", "Christmas"),
        ("closed", "2026-02-30"),
        ("closed", "2026-12-26–2026-12-24"),
        ("closed", "2026-01-01–2027-12-31"),
        ("closed", f"2026-12-24 {'x' * 81}"),
        ("written-extra", "2026-12-24 all day"),
        ("goal", "soon"),
        ("goal", "0"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field: str, typed: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        check(read(form(**{field: typed}), Hours()))
    assert refusal.value.field == field


def test_a_channel_has_its_own_times_and_the_closed_days_of_all() -> None:
    hours = Hours(phone=Channel(week=SHOP.week), closed={date(2026, 11, 23): "Inventory"})
    day = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert not hours.schedule("phone", "Europe/Sofia").is_open(day)
    assert hours.schedule("phone", "Europe/Sofia").is_open(day + timedelta(days=1))
    assert not hours.schedule("written", "Europe/Sofia").known

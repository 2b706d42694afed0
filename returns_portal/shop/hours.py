"""When somebody serves a channel: hours of the week in the shop's zone, closed days, days with other hours. Pure.

A door opens at the first moment at which the shop's clock shows the time, or a later one, and closes in the same way:
where clocks are put forward over it, at that moment; where they are put back and show it twice, at the first.
"""

import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import mark

ChannelName = Literal["phone", "written"]
DAY: Final = 1440
"""Minutes."""
MOST_SPANS: Final = 6
MOST_DAYS: Final = 400
LONGEST_REASON: Final = 80
_AHEAD: Final = 400
"""Days within which the next opening is looked for."""
_ALWAYS: Final = timedelta(days=8)
"""What is open for longer than a week and a day has no closing time that anybody should be told."""

Span = tuple[int, int]
"""From and to in minutes after midnight of its day; beyond 1440 it is the day after."""
Spans = tuple[Span, ...]
Moments = tuple[datetime, datetime]


class Channel(msgspec.Struct, frozen=True):
    """When one channel is served: by day of the week, Monday first, and on days of their own."""

    week: tuple[Spans, ...] = ((),) * 7
    extra: dict[date, Spans] = {}
    """Days with hours of their own, whatever day of the week, and also where the shop is closed."""
    paused_until: datetime | None = None
    """Nobody is there until then, although it is a time of service."""


class Hours(msgspec.Struct, frozen=True):
    """What the shop has set; without any times, nothing is said about when somebody is there."""

    phone: Channel = Channel()
    written: Channel = Channel()
    closed: dict[date, str] = {}
    """Days on which nobody is there, with the reason, which may be empty."""
    goal_minutes: int = 480
    """Within how much time of service a written question is to be answered: the shop's own aim, told to nobody else."""

    def schedule(self, name: ChannelName, zone: str) -> "Schedule":
        """One channel's times."""
        channel: Channel = getattr(self, name)
        return Schedule(zone, channel.week, channel.extra, self.closed, channel.paused_until)


class Standing(msgspec.Struct, frozen=True):
    """How a channel stands at a moment: until when it is open, or from when; None where that is not near."""

    open: bool
    changes: datetime | None


class Schedule(msgspec.Struct, frozen=True):
    """The times of service of one channel. A day's own hours count before its being closed, both before the week's."""

    zone: str
    week: tuple[Spans, ...]
    extra: dict[date, Spans] = {}
    closed: dict[date, str] = {}
    paused_until: datetime | None = None

    @property
    def known(self) -> bool:
        """Whether any time is set."""
        return any(self.week) or any(self.extra.values())

    def frozen(self) -> "Schedule":
        """The times as they are promised, without what came up today."""
        return msgspec.structs.replace(self, paused_until=None)

    def of_day(self, day: date) -> Spans:
        """The times that begin on a day."""
        if day in self.extra:
            return self.extra[day]
        return () if day in self.closed else self.week[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Whether it is a time of service, and nobody said otherwise."""
        return self.standing(at).open

    def opens_next(self, at: datetime) -> datetime | None:
        """When service begins next; None while it goes on, and where it does not begin within a year."""
        standing = self.standing(at)
        return None if standing.open else standing.changes

    def standing(self, at: datetime) -> Standing:
        """Whether it is open, and when that changes."""
        here = max(at, self.paused_until) if self.paused_until else at
        for begins, ends in self.intervals(here, _AHEAD):
            if begins > at or here > at:
                return Standing(open=False, changes=max(begins, here))
            return Standing(open=True, changes=None if ends - at > _ALWAYS else ends)
        return Standing(open=False, changes=None)

    def business_seconds(self, start: datetime, end: datetime) -> int:
        """How many seconds of service lie between two moments. Where no times are set, all time counts."""
        if not self.known:
            return max(0, int((end - start).total_seconds()))
        total = timedelta()
        for begins, ends in self.intervals(start, (end - start).days + 2):
            if begins >= end:
                break
            total += min(ends, end) - max(begins, start)
        return int(total.total_seconds())

    def after(self, start: datetime, seconds: int) -> datetime:
        """When so many seconds of service have passed; where no times are set, or too few, when so much time has."""
        left = timedelta(seconds=seconds)
        for begins, ends in self.intervals(start, _AHEAD):
            begun = max(begins, start)
            if ends - begun >= left:
                return begun + left
            left -= ends - begun
        return start + timedelta(seconds=seconds)

    def intervals(self, start: datetime, days: int) -> Iterator[Moments]:
        """The times of service that end after a moment and begin within so many days, in UTC; what touches is one."""
        zone = _zone(self.zone)
        first = start.astimezone(zone).date() - timedelta(days=2)
        held: Moments | None = None
        for number in range(days + 4):
            day = first + timedelta(days=number)
            for opens, closes in self.of_day(day):
                begins, ends = _moment(zone, day, opens), _moment(zone, day, closes)
                if ends <= start or begins == ends:
                    continue
                if held and begins <= held[1] and held[1] - held[0] <= _ALWAYS:
                    held = held[0], max(held[1], ends)
                    continue
                if held:
                    yield held
                held = begins, ends
        if held:
            yield held


def _moment(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The first moment at which a clock of the zone shows this time of this day, or a later one; in UTC."""
    shown = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = shown.replace(tzinfo=zone).astimezone(UTC)
    if _shows(zone, first) == shown:
        return first
    # The clocks skip it. It lies between the two readings of such a time, at the moment of the change itself.
    start = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    skipped = int((first - start).total_seconds()) // 60
    return start + timedelta(
        minutes=bisect.bisect_left(
            range(skipped), True, key=lambda late: _shows(zone, start + timedelta(minutes=late)) >= shown
        )
    )


def _shows(zone: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


@lru_cache(64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def check(hours: Hours) -> None:
    """Refuse times that cannot be.

    Raises:
        InvalidError: its `field` is that of the form: `phone-0` for Mondays, `phone-extra`, `closed`, `goal`.
    """
    for name, channel in (("phone", hours.phone), ("written", hours.written)):
        if len(channel.week) != 7:  # noqa: PLR2004 - a week
            raise InvalidError(mark("A week has seven days."), field="hours")
        for weekday, spans in enumerate(channel.week):
            _check_spans(f"{name}-{weekday}", spans)
        _check_days(f"{name}-extra", len(channel.extra))
        for spans in channel.extra.values():
            _check_spans(f"{name}-extra", spans)
    _check_days("closed", len(hours.closed))
    for reason in hours.closed.values():
        if len(reason) > LONGEST_REASON or not reason.isprintable():
            raise InvalidError(
                mark("A reason is one line of at most {most} letters."), field="closed", most=LONGEST_REASON
            )
    if not 5 <= hours.goal_minutes <= 100 * DAY:  # noqa: PLR2004 - minutes
        raise InvalidError(mark("Give at least five minutes, and at most a hundred days."), field="goal")


def _check_spans(field: str, spans: Spans) -> None:
    if len(spans) > MOST_SPANS:
        raise InvalidError(mark("A day is opened at most {most} times."), field=field, most=MOST_SPANS)
    earlier = 0
    for opens, closes in spans:
        if not 0 <= opens < DAY or not opens < closes <= opens + DAY:
            raise InvalidError(mark("A day has the times from 0:00 to 24:00."), field=field)
        if opens < earlier:
            raise InvalidError(mark("These times overlap, or are not in order."), field=field)
        earlier = closes


def _check_days(field: str, count: int) -> None:
    if count > MOST_DAYS:
        raise InvalidError(mark("There can be at most {most} such days."), field=field, most=MOST_DAYS)

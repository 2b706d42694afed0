"""Whether somebody is there now, in the reader's words. Nothing of it is kept: each page says it of its own moment."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from babel import dates

from returns_portal import clock, i18n
from returns_portal.i18n import _
from returns_portal.shop.hours import ChannelName, Hours, Schedule
from returns_portal.shop.hours_form import times
from returns_portal.web import formats
from returns_portal.web.site import Presence


class Day(msgspec.Struct, frozen=True):
    """A day and when a channel is served on it, both in words; `note` is why it differs from the week's."""

    name: str
    times: str
    note: str = ""


def presence(hours: Hours, name: ChannelName, zone: str) -> Presence | None:
    """Whether a channel is open and until when, or from when; None where the shop has set no times for it."""
    schedule, now = hours.schedule(name, zone), clock.now()
    if not schedule.known:
        return None
    standing = schedule.standing(now)
    if standing.changes is None:
        return Presence(standing.open, _("Open around the clock") if standing.open else _("Closed for now"))
    local, today = standing.changes.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    at = _time(local)
    if standing.open:
        return Presence(open=True, text=_("Open now, until {time}", time=at))
    if local.date() == today:
        return Presence(open=False, text=_("Opens today at {time}", time=at))
    if local.date() == today + timedelta(days=1):
        return Presence(open=False, text=_("Opens tomorrow at {time}", time=at))
    return Presence(open=False, text=_("Opens {day}, {time}", day=formats.format_date(local.date(), "day"), time=at))


def _time(moment: datetime) -> str:
    return dates.format_time(moment.replace(tzinfo=None), "HH:mm", locale=i18n.formatting_locale(i18n.current()))


def week_in_words(schedule: Schedule) -> list[Day]:
    """The times of each day of the week, in the reader's language."""
    names = weekdays()
    return [Day(name, times(spans) or _("not open")) for name, spans in zip(names, schedule.week, strict=True)]


def weekdays() -> list[str]:
    """The days of the week, Monday first."""
    named = dates.get_day_names("wide", "stand-alone", locale=i18n.formatting_locale(i18n.current()))
    return [named[weekday] for weekday in range(7)]


def special_days(schedule: Schedule, days: int = 60) -> list[Day]:
    """The coming days that are not like those of the week."""
    today = clock.now().astimezone(ZoneInfo(schedule.zone)).date()
    coming = sorted(day for day in schedule.closed.keys() | schedule.extra.keys() if 0 <= (day - today).days <= days)
    return [
        Day(formats.format_date(day, "day"), times(schedule.of_day(day)) or _("not open"), schedule.closed.get(day, ""))
        for day in coming
    ]


def zone_in_words(zone: str) -> str:
    """The shop's zone and how far it is from UTC now: `Eastern European Standard Time, UTC+02:00`."""
    now = clock.now().astimezone(ZoneInfo(zone))
    offset = now.strftime("%z")
    name = dates.get_timezone_name(now, width="long", locale=i18n.formatting_locale(i18n.current()))
    return f"{name}, UTC{offset[:3]}:{offset[3:]}"

"""When a courier comes, in the reader's language and the time of the place: for the e-mail, and short for an SMS."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from babel import dates

from returns_portal import i18n
from returns_portal.confirming.windows import Window
from returns_portal.i18n import _, ngettext
from returns_portal.notifications.segments import segments
from returns_portal.web import formats

MOST_PARTS: Final = 2
_SOON: Final = timedelta(minutes=45)
"""Below this nobody counts in hours."""


def sentence(window: Window, courier: str, zone: str, now: datetime) -> str:
    """Who comes and when, as one would say it on the telephone."""
    who = _("Your courier {name}", name=courier) if courier else _("Your courier")
    place = ZoneInfo(zone)
    begins, ends = (_time(moment.astimezone(place)) for moment in (window.begins_at, window.ends_at))
    # What ends at midnight ends on the day that it was.
    last = window.ends_at.astimezone(place) - timedelta(seconds=1)
    other_day = last.date() != now.astimezone(place).date()
    day = formats.format_date(last.date(), "date")
    if not window.timed:
        return _("{who} comes on {day}.", who=who, day=day) if other_day else _("{who} comes today.", who=who)
    if other_day:
        return _("{who} comes on {day}, between {begins} and {ends}.", who=who, day=day, begins=begins, ends=ends)
    left = window.begins_at - now
    if left >= _SOON:
        return ngettext(
            "{who} will be with you in about {n} hour, between {begins} and {ends}.",
            "{who} will be with you in about {n} hours, between {begins} and {ends}.",
            max(1, round(left / timedelta(hours=1))),
            who=who,
            begins=begins,
            ends=ends,
        )
    if left > timedelta():
        return _("{who} will be with you soon, between {begins} and {ends}.", who=who, begins=begins, ends=ends)
    return _("{who} is on the way and should be with you by {ends}.", who=who, ends=ends)


def _time(moment: datetime) -> str:
    language = i18n.formatting_locale(i18n.current())
    return dates.format_time(moment.replace(tzinfo=None), "HH:mm", locale=language)


def short(shop: str, window: Window, courier: str, zone: str, now: datetime) -> str:
    """The same as an SMS of two parts at most: names are left out before anything of the time is."""
    named, nameless = (sentence(window, name, zone, now) for name in (courier, ""))
    versions = (f"{shop}: {named}", named, f"{shop}: {nameless}", nameless)
    return next((text for text in versions if segments(text) <= MOST_PARTS), nameless)

"""Numbers, amounts and dates as people of the current language write them, in the shop's time zone."""

from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

from returns_portal import clock, i18n
from returns_portal.money import Money

zone: ContextVar[str] = ContextVar("zone", default="UTC")
"""The IANA name of the time zone that days and times are shown in."""

Style = Literal["short", "medium", "long", "full", "day", "date"]
_SKELETONS: Final = {"day": "EEEEdMMMM", "date": "dMMMM"}


def money(minor: int, currency: str) -> str:
    """An amount of minor units, with its currency."""
    return _money(minor, currency, i18n.current())


@lru_cache(4096)
def _money(minor: int, currency: str, locale: str) -> str:
    return Money(minor, currency).format(locale)


def number(value: float) -> str:
    """A number with the separators of the language."""
    return numbers.format_decimal(value, locale=i18n.formatting_locale(i18n.current()))


def language(tag: str) -> str:
    """The name of a language: `Ukrainian`; where nobody knows it, its tag as it is."""
    try:
        known = Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return tag
    return known.get_language_name(i18n.formatting_locale(i18n.current())) or tag


def format_date(value: date | datetime, style: Style = "long") -> str:
    """A day: `17 November 2026`; with the style `day`, `Tuesday, 17 November`, with `date`, `17 November`.

    A moment is shown as the day that it is in the shop's zone.
    """
    day = local_day(value) if isinstance(value, datetime) else value
    return _date(day, style, i18n.current())


@lru_cache(4096)
def _date(day: date, style: Style, locale: str) -> str:
    language = i18n.formatting_locale(_dates_like(locale))
    if style in _SKELETONS:
        return dates.format_skeleton(_SKELETONS[style], datetime(day.year, day.month, day.day), locale=language)  # noqa: DTZ001 - Babel's skeletons take no dates, and a day has no zone
    return dates.format_date(day, style, locale=language)


def format_datetime(value: datetime, style: Style = "long") -> str:
    """A moment, in the shop's zone: `17 November 2026, 09:12`."""
    here = value.astimezone(_zone(zone.get()))
    time = dates.format_time(here, "HH:mm", locale=i18n.formatting_locale(_dates_like(i18n.current())))
    return f"{_date(here.date(), style, i18n.current())}, {time}"


def format_lately(value: datetime) -> str:
    """A moment that is mostly of today, in the shop's zone: `09:12`; of any other day, with the day."""
    if local_day(value) != today():
        return format_datetime(value, "medium")
    here = value.astimezone(_zone(zone.get()))
    return dates.format_time(here, "HH:mm", locale=i18n.formatting_locale(_dates_like(i18n.current())))


def _dates_like(locale: str) -> str:
    """Plain English writes days as most of its readers in the shop's part of the world do: day before month."""
    return "en-GB" if locale == i18n.DEFAULT else locale


def today() -> date:
    """The day that it is now in the shop's zone."""
    return clock.now().astimezone(_zone(zone.get())).date()


def local_day(moment: datetime) -> date:
    """The day of a moment in the shop's zone."""
    return moment.astimezone(_zone(zone.get())).date()


@lru_cache(64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

"""Which refunds a report is of: a period of the shop's own days, and what else was asked for."""

import re
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from returns_portal import clock
from returns_portal.errors import InvalidError
from returns_portal.i18n import mark
from returns_portal.refunds.models import Destination, RefundStatus

YEARS: Final = range(2000, 2200)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Basis(StrEnum):
    """By which day a refund belongs to a period."""

    SUCCESS = "success"
    """The day on which it succeeded."""
    REQUESTED = "requested"
    """The day on which its return was filed."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which refunds: of days in the shop's zone, first and last inclusive; None takes all.

    By day of success and without a status, only what has succeeded counts: a refund that failed later no longer does.
    """

    first: date
    last: date
    zone: str
    basis: Basis = Basis.SUCCESS
    status: RefundStatus | None = None
    destination: Destination | None = None
    currency: str | None = None

    @property
    def begins(self) -> datetime:
        """The first moment of the first day, in UTC."""
        return day_begins(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The moment after the last day, in UTC."""
        return day_begins(next_day(self.last), self.zone)


def day_begins(day: date, zone: str) -> datetime:
    """When a day begins in a zone, in UTC; where its midnight is skipped or doubled, at the change or the first one."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def next_day(day: date) -> date:
    """The day after."""
    return day + timedelta(days=1)


def today(zone: str) -> date:
    """The day that it is in a zone."""
    return clock.now().astimezone(ZoneInfo(zone)).date()


def parse_day(text: str, field: str) -> date:
    """Read a day as YYYY-MM-DD.

    Raises:
        InvalidError: it is none, or in a year of no order.
    """
    try:
        # Python reads weeks and other forms of ISO 8601 as well, which are not promised.
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise InvalidError(mark("Give a day as YYYY-MM-DD."), code="bad_day", field=field)
    return day


def parse_month(text: str, field: str) -> date:
    """Read a month as YYYY-MM; its first day.

    Raises:
        InvalidError: it is none, or in a year of no order.
    """
    try:
        return parse_day(f"{text}-01", field)
    except InvalidError:
        raise InvalidError(mark("Give a month as YYYY-MM."), code="bad_month", field=field) from None


def period(first: str | None, last: str | None, zone: str) -> tuple[date, date]:
    """The days that were asked for; without a last one until today, without a first from the beginning of its month.

    Raises:
        InvalidError: one of them is no day, or the first is after the last.
    """
    end = parse_day(last, "to") if last else today(zone)
    begin = parse_day(first, "from") if first else end.replace(day=1)
    if begin > end:
        raise InvalidError(mark("The first day is after the last."), code="bad_period", field="from")
    return begin, end

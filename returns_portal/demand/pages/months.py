"""The months that a report is of, as its address names them."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State

from returns_portal.errors import InvalidError
from returns_portal.finance.filters import day_begins, parse_month, today
from returns_portal.i18n import mark

_MOST: Final = 24


class Months(msgspec.Struct, frozen=True):
    """The first and the last of some months, and when they begin and end by the shop's clock."""

    first: date
    last: date
    start: datetime
    end: datetime


def months_of(request: Request[Any, Any, State], zone: str) -> Months:
    """The months that are asked for; without any, the last three, since the present one may just have begun.

    Raises:
        InvalidError: one is no month, the first is after the last, or they are more than two years.
    """
    asked = request.query_params
    if not asked.get("from") and not asked.get("to"):
        return usual(zone)
    last = parse_month(asked["to"], "to") if asked.get("to") else today(zone).replace(day=1)
    first = parse_month(asked["from"], "from") if asked.get("from") else last
    if first > last:
        raise InvalidError(mark("The first month is after the last."), field="from")
    if (last.year - first.year) * 12 + last.month - first.month >= _MOST:
        raise InvalidError(mark("Give at most {months} months."), field="from", months=_MOST)
    return of(first, last, zone)


def usual(zone: str) -> Months:
    """The present month with the two before it."""
    last = today(zone).replace(day=1)
    return of((last - timedelta(days=40)).replace(day=1), last, zone)


def of(first: date, last: date, zone: str) -> Months:
    """These months, by the first day of each."""
    after = (last + timedelta(days=31)).replace(day=1)
    return Months(first, last, day_begins(first, zone), day_begins(after, zone))

"""How long a consumer may withdraw by law, by country: pure arithmetic of days.

Directive 2011/83/EU, Art. 9 (the EU, and Norway, Iceland and Liechtenstein by the EEA agreement), the Consumer
Contracts Regulations 2013, reg. 30 (United Kingdom), and the Law of Ukraine on consumer protection, Art. 13: 14 days
from the receipt of the last good. The day of receipt is not counted, and the last day counts whole (Regulation 1182/71,
Art. 3). A period that would end on a Saturday, a Sunday or a public holiday ends with the next working day: by
Regulation 1182/71, Art. 3(4), which recital 41 of the Directive applies to it, and by the Civil Code of Ukraine,
Art. 254(5). Holidays within the period change nothing. British law knows no such rule.

A purchase on approval is one only once it is approved (BGH VIII ZR 265/03): what is kept of a trial counts as received
when it is settled, which the trial's order says itself.

Days are those of the consumer's country or of the shop, whichever gives the consumer more: a country may have several
zones, and the hour of receipt may lie on two days.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from babel.core import get_global

from returns_portal.returns.holidays import holidays

_SATURDAY: Final = 5


class Period(msgspec.Struct, frozen=True):
    """A country's period of withdrawal."""

    days: int
    ends_on_working_day: bool
    """Whether one that would end on a day of rest ends with the next working day."""


_EU: Final = (
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
)
_EEA: Final = ("IS", "LI", "NO")

PERIODS: Final = {
    **dict.fromkeys([*_EU, *_EEA], Period(14, ends_on_working_day=True)),
    "UA": Period(14, ends_on_working_day=True),
    "GB": Period(14, ends_on_working_day=False),
}
"""By ISO 3166 code. Other countries, Switzerland among them, have none: there the shop's own window is all."""


def last_received(receipts: Sequence[datetime | None]) -> datetime | None:
    """When the last good was received (Art. 9(2)(b)); None while the receipt of one of them is not known."""
    known = [moment for moment in receipts if moment is not None]
    return max(known) if known and len(known) == len(receipts) else None


def period_over(country: str, begin: datetime | None, shop_zone: str) -> datetime | None:
    """The first moment, in UTC, at which the consumer of a country can no longer withdraw.

    None where it never comes: while the receipt is not known. A country without such a right has no period to be over,
    which is the caller's to ask (`PERIODS`).

    Raises:
        KeyError: the country has no such right.
    """
    period = PERIODS[country]
    if begin is None:
        return None
    return max(_midnight_after(last_day(period, country, begin, zone), zone) for zone in _zones(country, shop_zone))


def last_day(period: Period, country: str, begin: datetime, zone: str) -> date:
    """The last day of a period in one zone."""
    day = begin.astimezone(ZoneInfo(zone)).date() + timedelta(days=period.days)
    while period.ends_on_working_day and _is_of_rest(country, day):
        day += timedelta(days=1)
    return day


def _is_of_rest(country: str, day: date) -> bool:
    return day.weekday() >= _SATURDAY or day in holidays(country, day.year)


def _midnight_after(day: date, zone: str) -> datetime:
    """The end of a day. Where the clocks go forward at midnight, the first moment that there is."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def _zones(country: str, shop_zone: str) -> Iterable[str]:
    return {shop_zone, *_zones_of(country)}


@cache
def _zones_of(country: str) -> frozenset[str]:
    # By the law of Ukraine, all of it has the time of Kyiv; the database of zones tells what clocks show.
    return frozenset({"Europe/Kyiv"} if country == "UA" else get_global("territory_zones").get(country, ()))

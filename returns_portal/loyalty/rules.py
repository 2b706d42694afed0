"""Levels by what a customer kept. Pure.

Whether something counts as kept is decided once for each order, when the shop's days of waiting after its delivery are
over: what was asked back until then is simply not counted, and what comes back later is not taken away any more. So a
return never lowers a level: a customer who returns everything keeps the level that they had reached. Only time ends
it, as an order counts for so many months.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec

from returns_portal.loyalty.models import Occasion

MOST_LEVELS: Final = 5
MOST_MONTHS: Final = 120
MOST_DAYS: Final = 366
YEAR_LASTS: Final = timedelta(days=30)
"""So long after the day of the first order, in each later year, an order is one that celebrates it."""


class Level(msgspec.Struct, frozen=True):
    """What somebody must have kept to reach a level. What it does not ask for is empty."""

    name: str
    orders: int = 0
    values: dict[str, int] = {}
    """Minor units by currency; amounts of different currencies are never added, so that one of them must suffice."""
    both: bool = False
    """Whether both the number and the value are needed, rather than one of them."""


class Programme(msgspec.Struct, frozen=True):
    """How the shop thanks loyal customers: what its row keeps. Without levels, nobody is on any."""

    months: int = 12
    """For how long an order counts."""
    wait_days: int = 30
    """How long after its delivery it is settled what of an order was kept."""
    levels: tuple[Level, ...] = ()
    """From the first to the highest."""
    surprises: bool = False
    """Whether the packing table is told of any."""
    currency: str = "EUR"
    """That of the budget and the costs, which are minor units of it."""
    budget: int = 0
    """For a month."""
    costs: dict[str, int] = {}
    """By kind (`models.SurpriseKind`); what is not named is not offered."""
    from_level: int = 1
    """The lowest level that is surprised; 0 is everybody."""
    first_order: bool = False
    """Whether a first order is an occasion: reason enough on whatever level, as the next two are."""
    every_orders: int = 0
    """Whether each so many-th order is one; 0 for none."""
    anniversary: bool = False
    """Whether an order around the day of the first one, a year or several later, is one."""
    every_days: int = 90
    """How long nobody is surprised again."""
    control_percent: int = 10
    """The share that is left out by lot."""
    cards: dict[str, str] = {}
    """The words of the card by language; `{name}` is the customer's."""
    thanks_points: int = 0
    """What is given for an order of which at least `thanks_from` was kept; 0 for nothing."""
    thanks_from: dict[str, int] = {}
    """Minor units by currency; an order in another one brings none."""
    thanks_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """Orders that were settled before bring none: it is set when this is turned on, so that no history is paid for."""


class KeptOrder(msgspec.Struct, frozen=True):
    """What was kept of an order, in minor units."""

    currency: str
    value: int
    counted_at: datetime
    """When it was settled that it counts."""


class Standing(msgspec.Struct, frozen=True):
    """What a customer kept within the time that counts, and the level that this reaches: 0 for none."""

    orders: int = 0
    values: dict[str, int] = {}
    level: int = 0


def affordable(costs: Mapping[str, int], left: int) -> list[str]:
    """The kinds that so much of the budget still pays for, in the order of their names."""
    return sorted(kind for kind, cost in costs.items() if cost <= left)


def occasion_of(rules: Programme, nth: int, first: date, placed: date) -> Occasion | None:
    """What an order is an occasion for, of those that the shop celebrates: the customer's so many-th, on these days.

    What was sent back of their orders is no matter: each of them is one.
    """
    if rules.first_order and nth == 1:
        return Occasion.FIRST
    if rules.every_orders and nth % rules.every_orders == 0:
        return Occasion.ROUND
    if rules.anniversary and any(
        timedelta() <= placed - _years_later(first, year) <= YEAR_LASTS
        for year in (placed.year - 1, placed.year)
        if year > first.year
    ):
        return Occasion.YEAR
    return None


def _years_later(day: date, year: int) -> date:
    """The same day of another year; who began on 29 February celebrates on 1 March where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def month_of(moment: datetime, zone: str) -> date:
    """The first day of the month, by the shop's clock."""
    return moment.astimezone(ZoneInfo(zone)).date().replace(day=1)


def standing(levels: Sequence[Level], kept: Iterable[KeptOrder]) -> Standing:
    """What all that was kept comes to. An order of which nothing was kept, or that cost nothing, is none."""
    counted = [order for order in kept if order.value > 0]
    values: dict[str, int] = {}
    for order in counted:
        values[order.currency] = values.get(order.currency, 0) + order.value
    return Standing(len(counted), values, level_of(levels, len(counted), values))


def level_of(levels: Sequence[Level], orders: int, values: Mapping[str, int]) -> int:
    """The highest level that is reached, counted from 1; 0 where none is."""
    reached = [place for place, level in enumerate(levels, 1) if _reached(level, orders, values)]
    return max(reached, default=0)


def hides(higher: Level, lower: Level) -> bool:
    """Whether whoever reaches the lower level, in whatever way, has reached the higher one with it."""
    with_value = lower.orders if lower.both else 1
    least = [(with_value, {currency: value}) for currency, value in lower.values.items()]
    if lower.orders and not lower.both:
        least.append((lower.orders, {}))
    return all(_reached(higher, orders, values) for orders, values in least)


def _reached(level: Level, orders: int, values: Mapping[str, int]) -> bool:
    enough_orders = level.orders > 0 and orders >= level.orders
    enough_value = any(values.get(currency, 0) >= least for currency, least in level.values.items())
    if level.both:
        return enough_orders and enough_value
    return enough_orders or enough_value

"""The model's own arithmetic, written from the rules of the field and not from the product's code."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share whole units in proportion to weights: floors first, then one each to the largest fractions lost."""
    if total and not weights:
        raise ValueError("nobody to share among")
    whole = sum(weights)
    exact = [Fraction(total * weight, whole) if whole else Fraction(total, len(weights)) for weight in weights]
    shares = [int(share) for share in exact]
    while sum(shares) < total:
        behind = [share - given for share, given in zip(exact, shares, strict=True)]
        shares[behind.index(max(behind))] += 1
    return shares


def unit_prices(paid: int, units: int, step: int = 1) -> list[int]:
    """What each unit of a line cost: the first k units together cost the whole steps in their share."""
    upto = [*(int(Fraction(paid * k, units * step)) * step for k in range(units)), paid]
    return [upto[k + 1] - upto[k] for k in range(units)]


def unit_taxes(tax: int, prices: Sequence[int], list_price: int | None) -> list[int]:
    """The tax in what each unit cost, in proportion to that: the first k units hold the whole part of their share.

    Where tax comes on top of a `list_price`, a unit's price without it is at most that.
    """
    taxes: list[int] = []
    for k, price in enumerate(prices, 1):
        upto = tax * sum(prices[:k]) // sum(prices) if sum(prices) else 0
        least = 0 if list_price is None else max(0, price - list_price)
        taxes.append(max(upto - sum(taxes), least))
    return taxes


def runs(units: Sequence[int]) -> list[list[int]]:
    """Neighbouring units, together."""
    found: list[list[int]] = []
    for unit in units:
        if found and found[-1][-1] == unit - 1:
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


def day_of(moment: datetime, zone: str) -> date:
    """The shop's day."""
    return moment.astimezone(ZoneInfo(zone)).date()


def end_of_day_after(moment: datetime, months: int, zone: str) -> datetime | None:
    """The end of the same day so many months later, or of that month's last; never, for no months."""
    if not months:
        return None
    began = day_of(moment, zone)
    year, month = began.year, began.month + months
    while month > 12:
        year, month = year + 1, month - 12
    day = began.day
    while True:
        try:
            last = date(year, month, day)
        except ValueError:
            day -= 1
        else:
            break
    return datetime.combine(last + timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)

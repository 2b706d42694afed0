"""Two groups compared: how many of each ordered again, and how far chance alone could have made the difference. Pure.

Newcombe's interval from those of Wilson (Statistics in Medicine 17, 1998, 873-890, method 10): it holds for small
groups and for shares near none and all, where the textbook's goes astray.
"""

from math import sqrt
from typing import Final

import msgspec

_Z: Final = 1.959963984540054
"""The normal distribution's quantile of 97.5 %: 95 % lie between it and its negative."""


class Group(msgspec.Struct, frozen=True):
    """So many customers, of whom so many ordered again."""

    customers: int
    again: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None of nobody."""
        return self.again / self.customers if self.customers else None


class Difference(msgspec.Struct, frozen=True):
    """By how much the share of the first group is higher, and between what it lies with 95 % certainty."""

    value: float
    least: float
    most: float

    @property
    def certain(self) -> bool:
        """Whether the interval does not cover zero."""
        return self.least > 0 or self.most < 0


def wilson(group: Group) -> tuple[float, float]:
    """Between what the true share lies with 95 % certainty. The group is not empty."""
    n, share = group.customers, group.again / group.customers
    middle = share + _Z * _Z / (2 * n)
    reach = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    whole = 1 + _Z * _Z / n
    # At the ends the formula comes to exactly none and all, but for what floating numbers lose.
    least = (middle - reach) / whole if group.again else 0.0
    most = (middle + reach) / whole if group.again < n else 1.0
    return least, most


def difference(first: Group, second: Group) -> Difference | None:
    """The difference of the shares with its interval; None where a group is empty."""
    if first.share is None or second.share is None:
        return None
    (first_least, first_most), (second_least, second_most) = wilson(first), wilson(second)
    value = first.share - second.share
    below = sqrt((first.share - first_least) ** 2 + (second_most - second.share) ** 2)
    above = sqrt((first_most - first.share) ** 2 + (second.share - second_least) ** 2)
    return Difference(value, value - below, value + above)


def cost_of_one_more(cost: int, first: Group, found: Difference | None) -> int | None:
    """What each additional order cost, in minor units; None unless it is certain that there were any."""
    if found is None or found.least <= 0:
        return None
    return round(cost / (found.value * first.customers))

"""How sure a share is, and whether a group differs from the others: exact sums, no library and no rounding in between.

Three of the same, bought at once, come back together for one reason: they are one observation and not three. So groups
are compared by purchases (lines of orders), and the bounds of a share of units heed how many purchases these were
(`effective`).
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

SURE: Final = 0.05
"""Of what is said to stand out, one in twenty at most is expected to be chance (`adjusted`)."""
_Z: Final = 1.959963984540054
"""The normal quantile that leaves 2.5 % on either side: intervals hold for 95 %."""
_SLACK: Final = 1e-7
"""Two outcomes are equally likely where their probabilities differ by less, relatively: as R's `fisher.test` has it."""


class Interval(NamedTuple):
    """Within which bounds a share lies, from 0 to 1."""

    low: float
    high: float


def effective(whole: int, squares: int) -> float:
    """How many independent observations so many units are worth, of which those of one purchase share their fate.

    `squares` is the sum of the squares of what was bought at once (L. Kish, "Survey sampling" (1965), §8.2: the design
    effect of clusters whose members are all alike). Each bought by itself, they are worth their number.
    """
    return whole * whole / squares if squares else 0.0


def wilson(events: float, whole: float) -> Interval:
    """The 95 % score interval of a share.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212. It
    stays within 0 and 1 and is honest for small numbers, which the plain one is not; of nothing, anything can be.
    """
    if not whole:
        return Interval(0.0, 1.0)
    share, weight = events / whole, _Z * _Z / whole
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * math.sqrt(share * (1 - share) / whole + weight / (4 * whole))
    return Interval(0.0 if not events else max(0.0, middle - half), 1.0 if events >= whole else min(1.0, middle + half))


def differs(events: int, whole: int, other_events: int, other_whole: int) -> float:
    """How likely two groups look at least this different by chance: the p-value of Fisher's exact test, two-sided.

    R. A. Fisher, "Statistical methods for research workers" (1934), §21.02; two-sided as the sum of all tables that are
    no likelier than the one seen (A. Agresti, "Categorical data analysis", 3rd ed. (2013), §3.5.2). It is exact for
    few units, where approximations cry wolf, and rather too careful than not.
    """
    total, hits = whole + other_whole, events + other_events
    if not whole or not other_whole or hits in {0, total}:
        return 1.0
    low, high = max(0, hits - other_whole), min(whole, hits)
    here = _log_table(events, whole, other_whole, hits)
    # Each way out from the table seen, by the ratio of neighbours: the probability of the table seen itself is 1 here.
    below = [1.0]
    for k in range(events, low, -1):
        below.append(below[-1] * k * (other_whole - hits + k) / ((whole - k + 1) * (hits - k + 1)))
    above = [1.0]
    for k in range(events, high):
        above.append(above[-1] * (whole - k) * (hits - k) / ((k + 1) * (other_whole - hits + k + 1)))
    rare = math.fsum(each for each in (*below[1:], *above) if each <= 1 + _SLACK)
    return min(1.0, rare * math.exp(here))


def _log_table(events: int, whole: int, other_whole: int, hits: int) -> float:
    """The logarithm of the hypergeometric probability."""
    return _log_choose(whole, events) + _log_choose(other_whole, hits - events) - _log_choose(whole + other_whole, hits)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def leans(first: int, second: int) -> float:
    """How likely one of two is named at least this much oftener by chance: the exact sign test, two-sided.

    W. J. Conover, "Practical nonparametric statistics", 3rd ed. (1999), §3.4: under chance either is named half of the
    time, so that it is twice the smaller tail of the binomial distribution.
    """
    whole, least = first + second, min(first, second)
    if first == second:
        return 1.0
    return min(1.0, 2 * math.fsum(_halves(whole, least)))


def _halves(whole: int, least: int) -> Iterator[float]:
    log_half = whole * math.log(0.5)
    return (math.exp(_log_choose(whole, k) + log_half) for k in range(least + 1))


def adjusted(chances: Sequence[float]) -> list[float]:
    """Chances that heed how many were looked at, in their order: of those below `SURE`, that part at most is chance.

    Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", J. R. Statist. Soc. B 57 (1995), 289-300, as
    adjusted p-values: without it, of a list of a hundred products five would always stand out.
    """
    found = [1.0] * len(chances)
    least, count = 1.0, len(chances)
    for rank, place in sorted(enumerate(sorted(range(count), key=lambda at: chances[at]), start=1), reverse=True):
        least = min(least, max(chances[place], chances[place] * count / rank))
        found[place] = least
    return found

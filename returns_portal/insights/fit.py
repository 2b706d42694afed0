"""Whether a product runs small or large, and how sure that is.

A buyer says so by the words of a return, or by exchanging it for another size of the same product. Who says nothing is
counted among all buyers: they are the reason why the share is told beside the verdict.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from returns_portal.insights.rules import SURE, Interval, adjusted, leans, wilson


class Verdict(StrEnum):
    """What can be said of how a product is cut."""

    SMALL = "small"
    LARGE = "large"
    AS_EXPECTED = "as_expected"
    UNKNOWN = "unknown"
    """Too little is known, or people disagree."""


class Confidence(StrEnum):
    """How sure that is, in words."""

    VERY = "very"
    SURE = "sure"
    FAIRLY = "fairly"


LEAST_BUYERS: Final = 20
"""Below so many, nothing is said of a product or a size."""
LEAST_VOICES: Final = 5
"""So many have to say small or large, before a direction is told."""
LEAST_SHARE: Final = 0.05
"""At least one buyer in twenty (the lower bound of the interval) has to say so: what is rarer helps nobody."""
MOST_SHARE: Final = 0.15
"""Fits as expected what fewer than about one in seven (the upper bound) find too small, and as few too large."""


class Evidence(msgspec.Struct, frozen=True):
    """What buyers said of a product, or of one of its sizes: each buyer is counted once."""

    buyers: int
    small: int
    """How many of them found it too small, by words or by an exchange for a larger size."""
    large: int

    @property
    def said(self) -> int:
        """How many of them say what the most say."""
        return max(self.small, self.large)

    @property
    def small_share(self) -> Interval:
        """Within which bounds the share of those lies who find it too small."""
        return wilson(self.small, self.buyers)

    @property
    def large_share(self) -> Interval:
        """Likewise of those who find it too large."""
        return wilson(self.large, self.buyers)


class Judged(msgspec.Struct, frozen=True):
    """A verdict, with the chance of seeing as much without a reason, adjusted for all that were looked at."""

    verdict: Verdict
    chance: float

    @property
    def confidence(self) -> Confidence:
        """How sure a direction is, in words; a verdict without one has no such word."""
        return Confidence.VERY if self.chance < 0.001 else Confidence.SURE if self.chance < 0.01 else Confidence.FAIRLY  # noqa: PLR2004 - one in a thousand, one in a hundred


def judged(all_of_them: Sequence[Evidence]) -> list[Judged]:
    """The verdicts on everything that is looked at together, in its order.

    A direction is told where enough buyers bought it and said something, one direction is named clearly oftener than
    the other (exact sign test, with the false discovery rate of all of them held), and enough buyers named it.
    """
    heard = [place for place, one in enumerate(all_of_them) if _is_heard(one)]
    chances = adjusted([leans(all_of_them[place].small, all_of_them[place].large) for place in heard])
    known = dict(zip(heard, chances, strict=True))
    return [
        Judged(_verdict(one, known.get(place, 1.0)), known.get(place, 1.0)) for place, one in enumerate(all_of_them)
    ]


def _is_heard(one: Evidence) -> bool:
    return one.buyers >= LEAST_BUYERS and one.small + one.large >= LEAST_VOICES


def _verdict(one: Evidence, chance: float) -> Verdict:
    if one.buyers < LEAST_BUYERS:
        return Verdict.UNKNOWN
    if chance < SURE and one.small > one.large and one.small_share.low >= LEAST_SHARE:
        return Verdict.SMALL
    if chance < SURE and one.large > one.small and one.large_share.low >= LEAST_SHARE:
        return Verdict.LARGE
    if max(one.small_share.high, one.large_share.high) < MOST_SHARE:
        return Verdict.AS_EXPECTED
    return Verdict.UNKNOWN

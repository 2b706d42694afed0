"""What is counted of a group of units, and which share of what it is."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from returns_portal.claims.models import Kind
from returns_portal.insights.reading import Theme
from returns_portal.insights.rules import Interval, effective, wilson
from returns_portal.warehouse.models import Condition


class Measure(StrEnum):
    """What can be counted. Those of claims and conditions are named as these are, with `claim_` and `came_` before."""

    SOLD = "sold"
    SHIPPED = "shipped"
    RETURNED = "returned"
    TOO_SMALL = Theme.TOO_SMALL.value
    TOO_LARGE = Theme.TOO_LARGE.value
    FAULTY = Theme.FAULTY.value
    LOOKS = Theme.LOOKS.value
    LATE = Theme.LATE.value
    UNLIKED = Theme.UNLIKED.value
    OTHER = Theme.OTHER.value
    CLAIMED = "claimed"
    CLAIM_DAMAGED = "claim_damaged"
    CLAIM_FAULTY = "claim_faulty"
    CLAIM_MISSING = "claim_missing"
    CLAIM_WRONG = "claim_wrong"
    CHECKED = "checked"
    """Units that were looked at when they came."""
    CAME_RESELLABLE = "came_resellable"
    CAME_WORN = "came_worn"
    CAME_DAMAGED = "came_damaged"
    CAME_WRONG_ITEM = "came_wrong_item"
    ASKED = "asked"


M = Measure
REASONS: Final[Mapping[Measure, Theme]] = {M(theme.value): theme for theme in Theme}
CLAIMS: Final[Mapping[Measure, Kind]] = {M(f"claim_{kind.value}"): kind for kind in Kind}
CONDITIONS: Final[Mapping[Measure, Condition]] = {
    M(f"came_{condition.value}"): condition for condition in Condition if not condition.absent
}
SHARES: Final = (M.RETURNED, *REASONS, M.CLAIMED, *CLAIMS, *CONDITIONS)
"""What is told as a share, in the order in which pages offer it."""
SHOWN: Final[Mapping[Measure, tuple[Measure, ...]]] = {
    M.RETURNED: tuple(REASONS),
    M.CLAIMED: tuple(CLAIMS),
    M.CHECKED: tuple(CONDITIONS),
}
"""What each is made up of. Of reasons few are given, so that they do not add up to what came back."""


ADDED: Final[tuple[Measure, ...]] = tuple(measure for measure in M if measure is not M.ASKED)
"""What can be added up. One question may be about several groups."""


BASES: Final = (M.SHIPPED, M.CHECKED)
"""What shares are of."""


def base_of(measure: Measure) -> Measure:
    """Of what it is a share: of units that were sent, or, how they looked, of those that were looked at."""
    return M.CHECKED if measure in CONDITIONS else M.SHIPPED


class Group(msgspec.Struct, frozen=True):
    """Units that have something in common, counted."""

    key: str
    name: str
    counts: dict[Measure, int]
    purchases: dict[Measure, int] = {}
    """How many lines of orders have at least one such unit."""
    squares: dict[Measure, int] = {}
    """Of what shares are made of: the sum of the squares of what was bought, or came back, at once."""

    def __getitem__(self, measure: Measure) -> int:
        """How many units; of `ASKED`, how many questions."""
        return self.counts.get(measure, 0)

    def interval(self, measure: Measure) -> Interval:
        """Within which bounds the share lies."""
        base = base_of(measure)
        worth = effective(self[base], self.squares.get(base, 0))
        return wilson(worth * self[measure] / self[base] if self[base] else 0, worth)

    def tried(self, measure: Measure) -> tuple[int, int]:
        """Of how many purchases it is, and how many those were: what groups are compared by."""
        return self.purchases.get(measure, 0), self.purchases.get(base_of(measure), 0)


def added(groups: list[Group]) -> Group:
    """All of them together, but for what cannot be added up."""
    sums = {measure: sum(group[measure] for group in groups) for measure in ADDED}
    purchases = {measure: sum(group.purchases.get(measure, 0) for group in groups) for measure in ADDED}
    squares = {base: sum(group.squares.get(base, 0) for group in groups) for base in BASES}
    return Group("", "", sums, purchases, squares)

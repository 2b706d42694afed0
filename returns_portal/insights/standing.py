"""Which groups stand out from the others, and what is another than it was."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import Group, Measure, added, base_of
from returns_portal.insights.rules import SURE, Interval, adjusted, differs

LEAST: Final = 20
"""Of fewer purchases nothing is said, unless even so few leave no doubt."""


class Stands(StrEnum):
    """How a group stands beside the rest of the shop."""

    MORE = "more"
    LESS = "less"
    ALIKE = "alike"
    UNKNOWN = "unknown"
    """Too little is known of it, or there is nothing beside it."""


class Standing(msgspec.Struct, frozen=True):
    """A group beside the rest, by one measure."""

    group: Group
    measure: Measure
    chance: float
    """The chance of differing so much without a reason, adjusted for all groups that are looked at together."""
    stands: Stands

    @property
    def events(self) -> int:
        """How many units."""
        return self.group[self.measure]

    @property
    def whole(self) -> int:
        """Of how many."""
        return self.group[base_of(self.measure)]

    @property
    def share(self) -> float:
        """Which part; of nothing, nothing."""
        return self.events / self.whole if self.whole else 0.0

    @property
    def interval(self) -> Interval:
        """Within which bounds it lies."""
        return self.group.interval(self.measure)


def standings(groups: Sequence[Group], measure: Measure) -> list[Standing]:
    """Every group beside all the others together, in their order; those without a single unit are left out."""
    whole = added(list(groups)).tried(measure)
    known = [group for group in groups if group[base_of(measure)]]
    rests = [_rest(whole, group.tried(measure)) for group in known]
    chances = adjusted([differs(*group.tried(measure), *rest) for group, rest in zip(known, rests, strict=True)])
    return [
        Standing(group, measure, chance, _stands(group.tried(measure), rest, chance))
        for group, rest, chance in zip(known, rests, chances, strict=True)
    ]


def by_month(groups: Sequence[Group], measure: Measure, open_from: str) -> list[Standing]:
    """Months beside each other, but for those from `open_from` on (`2026-11`): nothing is said of these yet.

    What was bought lately has not had the time to come back: beside the others it would always look better, and the
    others beside it worse.
    """
    told = {one.group.key: one for one in standings([group for group in groups if group.key < open_from], measure)}
    known = [group for group in groups if group[base_of(measure)]]
    return [told.get(group.key) or Standing(group, measure, 1.0, Stands.UNKNOWN) for group in known]


_Tried = tuple[int, int]
"""Of how many purchases something is true, and how many those are."""


def _rest(whole: _Tried, part: _Tried) -> _Tried:
    return whole[0] - part[0], whole[1] - part[1]


def _stands(here: _Tried, there: _Tried, chance: float) -> Stands:
    (events, whole), (other_events, other_whole) = here, there
    if chance < SURE:
        return Stands.MORE if events * other_whole > other_events * whole else Stands.LESS
    return Stands.ALIKE if whole >= LEAST and other_whole >= LEAST else Stands.UNKNOWN


class Found(msgspec.Struct, frozen=True):
    """A group of some dimension."""

    dimension: Dimension
    standing: Standing


def weakest(tables: Mapping[Dimension, Sequence[Group]], measures: Sequence[Measure]) -> list[Found]:
    """What is clearly more than with the rest, the surest first: all tables and measures are looked at together."""
    looked = []
    for dimension, groups in tables.items():
        whole = added(list(groups))
        looked += [
            (dimension, group, measure, _rest(whole.tried(measure), group.tried(measure)))
            for measure in measures
            for group in groups
            if group[base_of(measure)] and group.key
        ]
    chances = adjusted([differs(*group.tried(m), *rest) for _dimension, group, m, rest in looked])
    found = [
        Found(dimension, Standing(group, m, chance, _stands(group.tried(m), rest, chance)))
        for (dimension, group, m, rest), chance in zip(looked, chances, strict=True)
    ]
    worse = [each for each in found if each.standing.stands is Stands.MORE]
    return sorted(worse, key=lambda each: each.standing.chance)


def by_doubt(found: Iterable[Standing]) -> list[Standing]:
    """Those that stand out as worse first, the surest at the head; then the others as they were."""
    return sorted(
        found, key=lambda one: (one.stands is not Stands.MORE, one.chance if one.stands is Stands.MORE else 0)
    )


class Change(msgspec.Struct, frozen=True):
    """A share that is clearly another than before."""

    dimension: Dimension
    now: Standing
    before: Standing


class Compared(msgspec.Struct, frozen=True):
    """The groups of a dimension in two spans."""

    dimension: Dimension
    now: Sequence[Group]
    before: Sequence[Group]


def changes(compared: Sequence[Compared], measures: Sequence[Measure]) -> list[Change]:
    """What differs clearly between the spans, the surest first: all groups and measures are looked at together."""
    pairs = []
    for each in compared:
        earlier = {group.key: group for group in each.before}
        pairs += [
            (each.dimension, group, earlier[group.key], measure)
            for group in each.now
            for measure in measures
            if group.key in earlier and group[base_of(measure)] and earlier[group.key][base_of(measure)]
        ]
    chances = adjusted([differs(*now.tried(m), *before.tried(m)) for _dimension, now, before, m in pairs])
    found = []
    for (dimension, now, before, measure), chance in zip(pairs, chances, strict=True):
        if chance < SURE:
            stands = _stands(now.tried(measure), before.tried(measure), chance)
            there = Standing(before, measure, chance, Stands.UNKNOWN)
            found.append(Change(dimension, Standing(now, measure, chance, stands), there))
    return sorted(found, key=lambda change: change.now.chance)

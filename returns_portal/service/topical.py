"""Questions by what they are about: how many, how often they came back, and whether people were helped. Pure.

No share is told without the number that it is of.
"""

from collections.abc import Iterable, Sequence

import msgspec

from returns_portal.service.measuring import Case, Figure, figure
from returns_portal.service.models import Topic


class Share(msgspec.Struct, frozen=True):
    """So many of so many."""

    count: int
    of: int


class Topical(msgspec.Struct, frozen=True):
    """What is known of the questions about one thing; None for those of which nobody has said it."""

    topic: Topic | None
    asked: int
    first: Figure
    reopened: Share
    """Those that their customer opened again, of all that were closed once."""
    helped: Share
    """Those whose customer was helped, of all who said."""


def by_topic(cases: Sequence[Case]) -> list[Topical]:
    """Each topic that was asked about, the most frequent first; those without one come last."""
    groups: dict[Topic | None, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.topic, []).append(case)
    found = [summed(topic, group) for topic, group in groups.items()]
    return sorted(found, key=lambda one: (one.topic is None, -one.asked, one.topic or ""))


def summed(topic: Topic | None, cases: Iterable[Case]) -> Topical:
    """Count questions together."""
    group = list(cases)
    closed = [case for case in group if case.was_closed]
    rated = [case for case in group if case.helped is not None]
    return Topical(
        topic,
        len(group),
        figure(times[0] for case in group if (times := case.first_seconds)),
        Share(sum(case.reopened for case in closed), len(closed)),
        Share(sum(case.helped is True for case in rated), len(rated)),
    )

"""Where staff can go from every page, by what they may do."""

from typing import Final

import msgspec

from returns_portal.actor import Actor
from returns_portal.i18n import mark, translate

FEW: Final = 6
"""Up to so many places stand side by side, for hands in gloves and small screens; more of them are in groups."""


class Place(msgspec.Struct, frozen=True):
    """A page, and by which words it is gone to."""

    words: str
    path: str


class Group(msgspec.Struct, frozen=True):
    """Places that belong together; without words they stand side by side."""

    words: str
    places: list[Place]


# The same words may stand for several pages: each person is led to the first of them that they may see.
_GROUPS: Final = (
    (
        mark("Warehouse"),
        (
            (mark("Station"), "/station", ("warehouse",)),
            (mark("Packing"), "/station/packing", ("warehouse",)),
            (mark("Exchanges"), "/station/exchanges", ("warehouse",)),
            (mark("Labels"), "/staff/labels", ("warehouse", "finance", "support")),
            (mark("Courier"), "/staff/announce", ("warehouse", "support")),
        ),
    ),
    (
        mark("Customers"),
        (
            (mark("Questions"), "/staff/questions", ("support",)),
            (mark("Calls"), "/staff/calls", ("support",)),
            (mark("Wanted"), "/staff/requests", ("support",)),
            (mark("Orders"), "/staff/orders", ("finance", "support")),
            (mark("Claims"), "/claims", ("finance", "support")),
            (mark("Exchanges"), "/staff/exchanges", ("finance", "support")),
            (mark("Trials"), "/finance/trials", ("finance", "support")),
        ),
    ),
    (
        mark("Money"),
        (
            (mark("Decisions"), "/finance/decisions", ("finance", "support")),
            (mark("Approvals"), "/finance/approvals", ("finance", "support")),
            (mark("Refunds"), "/finance", ("finance",)),
            (mark("Points"), "/finance/points", ("finance", "support")),
        ),
    ),
    (
        mark("The shop"),
        (
            (mark("Products"), "/shop-admin", ("support", "warehouse")),
            (mark("Weak points"), "/insights", ("finance", "support")),
            (mark("Loyalty"), "/staff/loyalty", ("admin",)),
            (mark("Loyalty"), "/staff/loyalty/customers", ("support",)),
            (mark("Loyalty"), "/staff/loyalty/report", ("finance",)),
            (mark("Hours"), "/staff/hours", ("support",)),
            (mark("New orders"), "/staff/confirming", ("admin",)),
            (mark("Looks"), "/staff/looks", ("admin",)),
        ),
    ),
)


def menu(actor: Actor) -> list[Group]:
    """The places of a member of staff, in the language of the request; nothing for anybody else."""
    if actor.kind != "staff":
        return []
    seen: set[str] = set()
    groups: list[Group] = []
    for words, places in _GROUPS:
        own: list[Place] = []
        for name, path, roles in places:
            if actor.has(*roles) and name not in seen:
                seen.add(name)
                own.append(Place(translate(name), path))
        if own:
            groups.append(Group(translate(words), own))
    if len(seen) > FEW:
        return [group if len(group.places) > 1 else Group("", group.places) for group in groups]
    return [Group("", [place for group in groups for place in group.places])] if groups else []

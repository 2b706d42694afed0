"""Words for other shops and for requests, shared by the pages of those who ask and of those who answer."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from returns_portal.demand.links import outbound_path
from returns_portal.demand.places import PlaceView
from returns_portal.demand.rules import is_stale
from returns_portal.i18n import _, mark, translate
from returns_portal.settings import Settings
from returns_portal.web import formats


class Named(msgspec.Struct, frozen=True):
    """Another shop as a page names it: its name, what it has, its price, and our own way there."""

    shop: str
    what: str
    """Size and colour, where its page is of certain ones."""
    price: str
    seen: str
    """When the price was seen, where that is long ago; else empty."""
    href: str


def named(
    settings: Settings, places: Sequence[PlaceView], referrals: Sequence[UUID | None] | None = None
) -> list[Named]:
    """Other shops for a page, each with the referral that notes who goes there."""
    today = formats.today()
    return [
        Named(
            shop=place.shop,
            what=look(place.size, place.color),
            price=formats.money(place.price, place.currency),
            seen=_("seen on {day}", day=formats.format_date(place.seen_on)) if is_stale(place.seen_on, today) else "",
            href=outbound_path(settings, place.id, referral),
        )
        for place, referral in zip(places, referrals or [None] * len(places), strict=True)
    ]


def look(size: str, color: str) -> str:
    """A size and a colour in words; empty where neither is said."""
    return ", ".join(part for part in (_("Size {size}", size=size) if size else "", color) if part)


_STATES: Final = {
    "open": (mark("open"), "wait"),
    "elsewhere": (mark("sent elsewhere"), "good"),
    "coming": (mark("we will have it"), "good"),
    "declined": (mark("we do not get it"), ""),
}
_WISHES: Final = {
    "none": mark("nobody is to be told"),
    "waiting": mark("waits to be told"),
    "told": mark("was told"),
    "ended": mark("does not wait any more"),
}


def for_templates() -> dict[str, Any]:
    """Every word by its value, in the reader's language."""
    return {
        "states": {name: (translate(text), kind) for name, (text, kind) in _STATES.items()},
        "wishes": {name: translate(text) for name, text in _WISHES.items()},
    }

"""Other shops and what is asked for, in words: on pages and in e-mails alike."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from returns_portal.demand.links import outbound_path
from returns_portal.demand.models import State
from returns_portal.demand.places import PlaceView
from returns_portal.demand.rules import is_stale
from returns_portal.i18n import _
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


def lead(state: State) -> str:
    """What an answer says first."""
    match state:
        case State.ELSEWHERE:
            return _("We do not have it, and found it elsewhere for you.")
        case State.COMING:
            return _("We do not have it yet, and will have it.")
        case State.DECLINED:
            return _("We are sorry: we do not get it.")
        case State.OPEN:
            return ""


def disclosed() -> str:
    """What is said beneath other shops, wherever they are named."""
    return _("These are other shops. We get nothing for naming them; their prices may have changed since we looked.")


def wanted(what: str, size: str, color: str) -> str:
    """What somebody asks for, on one line."""
    return ", ".join(part for part in (what, look(size, color)) if part)

"""What a product's page says where the size or colour that is looked at is not there."""

import secrets
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.catalog.pages.product import ProductPage
from returns_portal.demand.places import places_for
from returns_portal.demand.rules import WISH_LASTS
from returns_portal.demand.words import Named, look, named
from returns_portal.i18n import _
from returns_portal.settings import Settings


class NotHere(msgspec.Struct, frozen=True):
    """What is not there, other shops that have it, and what the form beside them needs."""

    size: str
    color: str
    look: str
    places: list[Named]
    token: str
    consent: str


async def missing_here(db: AsyncConnection, settings: Settings, view: ProductPage) -> NotHere | None:
    """Other shops and a form for what somebody looks at; None where it is in stock."""
    if view.missing is None:
        return None
    size, color = view.missing.size, view.missing.color
    places = named(settings, await places_for(db, view.product.id, size, color))
    return NotHere(size, color, look(size, color), places, **form_facts())


def form_facts(token: str = "") -> dict[str, Any]:
    """What the form of a request has besides its fields: what tells it from another, what giving an address means."""
    return {"token": token or secrets.token_urlsafe(16), "consent": consent()}


def consent() -> str:
    """Under what somebody gives their address, in their language: kept with it."""
    return _(
        "With your address you agree that we write to you about this one wish: when it is back, or when one of us finds"
        " it elsewhere. It ends after {days} days, or with one click in any of these e-mails.",
        days=WISH_LASTS.days,
    )

"""Our own ways to other shops: an address of ours that names a row of our list, sealed, and never an address itself."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_portal.settings import Settings
from returns_portal.web.links import opened
from returns_portal.web.signing import derive, seal

_LASTS: Final = timedelta(days=180)
_THANKS_LASTS: Final = timedelta(days=1)


def outbound_path(settings: Settings, elsewhere_id: UUID, referral_id: UUID | None = None) -> str:
    """The path that leads to another shop of our list; a referral's notes that somebody went there."""
    value = [str(elsewhere_id), str(referral_id) if referral_id else ""]
    return "/elsewhere/" + seal(derive(settings.signing_keys[0], "elsewhere"), value, lasting=_LASTS)


def outbound(settings: Settings, token: str) -> tuple[UUID, UUID | None] | None:
    """Which row of our list such a path names, and the referral; None where it was not made here, or is too old."""
    found = opened(settings, "elsewhere", token)
    if not isinstance(found, list):
        return None
    elsewhere_id, referral_id = found
    return UUID(elsewhere_id), UUID(referral_id) if referral_id else None


def request_path(settings: Settings, request_id: UUID, *, ends: bool = False) -> str:
    """The page that answers a request to whoever made it; with `ends`, the one that ends being told."""
    purpose, place, lasting = ("wish", "end", _LASTS) if ends else ("request", "thanks", _THANKS_LASTS)
    return f"/wanted/{place}/" + seal(derive(settings.signing_keys[0], purpose), str(request_id), lasting=lasting)


def request_of(settings: Settings, token: str, *, ends: bool = False) -> UUID | None:
    """The request that such a path names; None where it was not made here, or is too old."""
    found = opened(settings, "wish" if ends else "request", token)
    return UUID(found) if isinstance(found, str) else None

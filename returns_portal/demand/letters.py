"""What is written to those who asked for something: that it is kept, the answer of a person, and that it is back."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.demand.links import request_path
from returns_portal.demand.models import State
from returns_portal.demand.places import PlaceView
from returns_portal.demand.queries import RequestView
from returns_portal.demand.rules import WISH_LASTS
from returns_portal.demand.words import Named, disclosed, lead, named, wanted
from returns_portal.i18n import speaking
from returns_portal.notifications.actions import enqueue
from returns_portal.settings import Settings


async def kept(db: AsyncConnection, settings: Settings, request: RequestView, known: tuple[str, str, str]) -> None:
    """Tell that it is kept, and how it ends: whoever typed the address may be somebody else.

    So it says nothing that was typed, or anybody could have their words sent to anybody under the shop's name: only
    what is `known` here, a product's title, size and colour; each is empty where it is not of the catalogue.
    """
    with speaking(request.locale):
        topic = wanted(*known)
    await _send(db, settings, "request_kept", request, {"days": WISH_LASTS.days, "topic": topic})


async def answered(
    db: AsyncConnection,
    settings: Settings,
    request: RequestView,
    state: State,
    words: str,
    places: Sequence[tuple[UUID, PlaceView]],
) -> None:
    """Send what a person found, or knows, with the other shops that they name."""
    with speaking(request.locale):
        shops = [msgspec.structs.asdict(shop) for shop in _shops(settings, places)]
        values: dict[str, object] = {"lead": lead(state), "words": words, "shops": shops}
    await _send(db, settings, "request_answered", request, values)


def in_thread(
    settings: Settings, request: RequestView, state: State, words: str, places: Sequence[tuple[UUID, PlaceView]]
) -> str:
    """The same as a message of the thread in which it was asked for."""
    with speaking(request.locale):
        shops = [
            f"{shop.shop}: {', '.join(part for part in (shop.price, shop.what, shop.seen) if part)}\n{shop.href}"
            for shop in _shops(settings, places)
        ]
        said = [lead(state), words, *shops, disclosed() if shops else ""]
    return "\n\n".join(part for part in said if part)


def _shops(settings: Settings, places: Sequence[tuple[UUID, PlaceView]]) -> list[Named]:
    found = named(settings, [place for _referral, place in places], [referral for referral, _place in places])
    return [msgspec.structs.replace(shop, href=settings.public_url + shop.href) for shop in found]


async def back(db: AsyncConnection, settings: Settings, request: RequestView, look: tuple[str, str]) -> None:
    """Tell that it is back, with the way to it."""
    query = urlencode({name: value for name, value in zip(("size", "color"), look, strict=True) if value})
    path = f"/shop/{request.handle}{'?' + query if query else ''}"
    await _send(db, settings, "back_in_stock", request, {"url": path})


async def _send(
    db: AsyncConnection,
    settings: Settings,
    template: Literal["back_in_stock", "request_answered", "request_kept"],
    request: RequestView,
    values: dict[str, object],
) -> None:
    """Write one e-mail about a request: of each kind there is one."""
    with speaking(request.locale):
        topic = wanted(request.what, request.size, request.color)
    ends = request_path(settings, request.id, ends=True)
    await enqueue(
        db,
        template=template,
        recipient=request.email,
        locale=request.locale,
        values={"topic": topic, "url": ends, **values},
        subject_id=request.id,
        change="told",
    )

"""Ways in that the shop hands out itself: links for its own e-mails, and the code on its packing slips."""

from datetime import datetime
from urllib.parse import quote

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.accounts.doors import DOOR_LASTS, door
from returns_portal.accounts.queries import order_numbered
from returns_portal.actor import Actor
from returns_portal.settings import Settings
from returns_portal.web.links import VIEW_LASTS, view_link


class OrderLinks(msgspec.Struct, frozen=True):
    """Links to one order. Neither holds an address; both belong into e-mails to the order's own address alone."""

    order_number: str
    view: str
    """Shows the order, any number of times; before something is changed, a code is asked for."""
    view_until: datetime
    once: str
    """Lets in whoever opens it first, with everything that a customer can do."""
    once_until: datetime


async def order_links(db: AsyncConnection, actor: Actor, settings: Settings, number: str) -> OrderLinks:
    """Make the links of an order. That they were made is recorded: they open it.

    Raises:
        NotFoundError: there is no such order, or it is not the actor's.
        ValueError: the settings have no secret key.
    """
    order = await order_numbered(db, actor, number)
    if not settings.signing_keys:
        raise ValueError("SECRET_KEY is required")
    now = clock.now()
    await history.record(db, actor, ("order", order.id, "links_made", {}))
    return OrderLinks(
        order.number,
        view_link(settings, f"/orders/{quote(order.number, safe='')}"),
        now + VIEW_LASTS,
        settings.public_url + door(settings.signing_keys[0], order.id),
        now + DOOR_LASTS,
    )

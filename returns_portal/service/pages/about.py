"""What a question is about: the page that somebody came from, as far as it is theirs."""

from contextlib import suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.queries import product_for
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.returns.queries import return_for

MAX_PATH: Final = 500


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a form fills in by itself; all empty for a stranger who came from nowhere in particular."""

    path: str = ""
    """From where they came; sent along with the form."""
    email: str = ""
    """Where the answer goes; empty where it is asked for."""
    name: str = ""
    locale: str = ""
    order_id: UUID | None = None
    order_number: str = ""
    return_id: UUID | None = None
    rma: str = ""
    product: str = ""
    product_title: str = ""


_ORDER: Final = "SELECT number, email, name, locale FROM orders WHERE id = :id"


async def about_of(db: AsyncConnection, actor: Actor, path: str) -> About:
    """What a question is about that is asked from a page of ours; what is not the asker's is not known."""
    known: dict[str, Any] = {"path": path[:MAX_PATH]}
    if actor.kind == "customer" and actor.order_id:
        [order] = await run(db, _ORDER, id=actor.order_id)
        known |= {"order_id": actor.order_id, "order_number": order.number}
        if "@" in order.email:
            known |= {"email": order.email, "name": order.name, "locale": order.locale}
    # What names no page at all is no address either, and the library says so.
    with suppress(NotFoundError, ValueError):
        match unquote(urlsplit(path[:MAX_PATH]).path).split("/"):
            case ["", "returns", rma, *_rest] if actor.kind == "customer" and (actor.order_id or actor.gift_id):
                view = await return_for(db, actor, rma)
                known |= {"return_id": view.id, "rma": view.rma}
            case ["", "shop", handle]:
                product = await product_for(db, actor, handle)
                known |= {"product": product.handle, "product_title": product.title}
    return About(**known)

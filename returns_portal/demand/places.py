"""The shop's list of other shops that have what it has not: kept by hand, never looked up by a machine."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.checks import MAX_COLOR, MAX_PRICE, MAX_SIZE
from returns_portal.catalog.queries import no_product
from returns_portal.catalog.rules import MAX_HANDLE
from returns_portal.db import insert_rows, run
from returns_portal.demand.models import Elsewhere
from returns_portal.demand.rules import MAX_SHOP, check_link, check_seen
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.money import is_currency
from returns_portal.texts import one_line

MOST_NAMED: Final = 5
"""So many other shops are named at once: more is a list, and no help."""


class PlaceInput(msgspec.Struct, frozen=True, kw_only=True):
    """Another shop as it is handed in."""

    product: str
    """The handle of ours that it has."""
    shop: str
    url: str
    price: int
    """With tax, in minor units of `currency`."""
    currency: str
    seen_on: date
    size: str = ""
    """Empty for every size."""
    color: str = ""


class PlaceView(msgspec.Struct, frozen=True):
    """Another shop with what it has of ours."""

    id: UUID
    product_id: UUID | None
    handle: str
    title: str
    """Handle and title are empty where it was named for something that is no product of ours."""
    size: str
    color: str
    shop: str
    url: str
    price: int
    currency: str
    seen_on: date


_VIEW: Final = """
    SELECT e.id, e.product_id, coalesce(p.handle, '') AS handle, coalesce(p.title, '') AS title, e.size, e.color,
           e.shop, e.url, e.price, e.currency, e.seen_on
    FROM elsewhere e LEFT JOIN product p ON p.id = e.product_id
"""
# What names the very size or colour comes first, then what was seen last.
_NAMED: Final = f"""{_VIEW}
    WHERE e.product_id = :product_id AND e.listed AND e.removed_at IS NULL
    AND (e.size = '' OR CAST(:size AS text) = '' OR lower(e.size) = lower(:size))
    AND (e.color = '' OR CAST(:color AS text) = '' OR lower(e.color) = lower(:color))
    ORDER BY lower(e.size) = lower(:size) DESC, lower(e.color) = lower(:color) DESC, e.seen_on DESC, e.id DESC
    LIMIT :limit
"""
_ONE: Final = f"{_VIEW} WHERE e.id = :id AND e.removed_at IS NULL"
_LIST: Final = f"{_VIEW} WHERE e.listed AND e.removed_at IS NULL AND (CAST(:handle AS text) = '' OR p.handle = :handle)"
# The longest unseen first: they are to be looked at again.
_FIRST: Final = f"{_LIST} ORDER BY e.seen_on, e.id LIMIT :limit"
_AFTER: Final = f"""{_LIST}
    AND (e.seen_on, e.id) > (SELECT seen_on, id FROM elsewhere WHERE id = :after) ORDER BY e.seen_on, e.id LIMIT :limit
"""  # noqa: S608 - the interpolated text is our own


def _as_views(rows: Sequence[Any]) -> list[PlaceView]:
    return [PlaceView(*row) for row in rows]


async def places_for(db: AsyncConnection, product_id: UUID, size: str, color: str) -> list[PlaceView]:
    """Where a product can be had in this size and colour, the best fitting first; empty ones leave them open."""
    rows = await run(db, _NAMED, product_id=product_id, size=size, color=color, limit=MOST_NAMED)
    return _as_views(rows)


async def place_by_id(db: AsyncConnection, place_id: UUID) -> PlaceView:
    """One other shop that is on our list, or was named to somebody.

    Raises:
        NotFoundError: there is none, or it was taken off the list.
    """
    rows = await run(db, _ONE, id=place_id)
    if not rows:
        raise NotFoundError(mark("This is not on our list any more."), code="elsewhere_not_found")
    return _as_views(rows)[0]


async def list_places(
    db: AsyncConnection, actor: Actor, *, product: str = "", after: UUID | None = None, limit: int = 50
) -> list[PlaceView]:
    """The list for the staff, the longest unseen first.

    Raises:
        ForbiddenError: the actor does not keep it.
    """
    actor.require("support")
    values = {"handle": product, "limit": limit}
    return _as_views(await (run(db, _AFTER, after=after, **values) if after else run(db, _FIRST, **values)))


async def add_place(db: AsyncConnection, actor: Actor, place: PlaceInput, today: date) -> UUID:
    """Put another shop on the list; the same page for the same thing again brings it up to date. Its id.

    Raises:
        ForbiddenError: the actor does not keep the list.
        InvalidError: there is no such product, or something of it is not possible; names the field.
    """
    actor.require("support")
    values = await _checked(db, place, today)
    rows = await run(db, _SAME, **{name: values[name] for name in ("product_id", "size", "color", "url")})
    if rows:
        await _write(db, actor, rows[0].id, values)
        known: UUID = rows[0].id
        return known
    place_id = new_id()
    row = {"id": place_id, **values, "listed": True, "created_at": clock.now()}
    told = history.rows(actor, ("elsewhere", place_id, "added", {"product": str(values["product_id"])}))
    await insert_rows(db, (Elsewhere, [row]), told)
    return place_id


# The product's row is the lock: pressed twice, a place is added once.
_LOCK: Final = "SELECT id FROM product WHERE handle = :handle FOR UPDATE"
_SAME: Final = """
    SELECT id FROM elsewhere WHERE product_id = :product_id AND size = :size AND color = :color AND url = :url
    AND listed AND removed_at IS NULL
"""


async def name_once(db: AsyncConnection, actor: Actor, place: PlaceInput, today: date) -> UUID:
    """Keep another shop that is named to one person and stands on no list; its id.

    Raises:
        ForbiddenError: the actor names none.
        InvalidError: something of it is not possible; names the field.
    """
    actor.require("support")
    place_id = new_id()
    product_id = await _product(db, place.product) if place.product else None
    row = {"id": place_id, "product_id": product_id, **_facts(place, today), "listed": False, "created_at": clock.now()}
    await insert_rows(db, (Elsewhere, [row]))
    return place_id


async def change_place(db: AsyncConnection, actor: Actor, place_id: UUID, place: PlaceInput, today: date) -> None:
    """Change what the list says of another shop.

    Raises:
        ForbiddenError: the actor does not keep the list.
        NotFoundError: there is no such place.
        InvalidError: there is no such product, or something of it is not possible; names the field.
    """
    actor.require("support")
    await place_by_id(db, place_id)
    await _write(db, actor, place_id, await _checked(db, place, today))


_CHANGE: Final = """
    UPDATE elsewhere SET product_id = :product_id, size = :size, color = :color, shop = :shop, url = :url,
        price = :price, currency = :currency, seen_on = :seen_on WHERE id = :id
"""


async def _write(db: AsyncConnection, actor: Actor, place_id: UUID, values: dict[str, Any]) -> None:
    await run(db, _CHANGE, id=place_id, **values)
    await history.record(db, actor, ("elsewhere", place_id, "changed", {"price": values["price"]}))


async def _checked(db: AsyncConnection, place: PlaceInput, today: date) -> dict[str, Any]:
    handle = one_line(place.product, "product", MAX_HANDLE)
    return {"product_id": await _product(db, handle), **_facts(place, today)}


async def _product(db: AsyncConnection, handle: str) -> UUID:
    """A product by its handle, locked."""
    rows = await run(db, _LOCK, handle=handle)
    if not rows:
        raise InvalidError(no_product().sentence, field="product")
    product_id: UUID = rows[0].id
    return product_id


def _facts(place: PlaceInput, today: date) -> dict[str, Any]:
    if not is_currency(place.currency):
        raise InvalidError(mark("A currency is given by its three letters, as in ISO 4217."), field="currency")
    if not 0 <= place.price <= MAX_PRICE:
        raise InvalidError(mark("Give an amount in {currency}, such as 12.50."), field="price", currency=place.currency)
    return {
        "size": one_line(place.size, "size", MAX_SIZE, required=False),
        "color": one_line(place.color, "color", MAX_COLOR, required=False),
        "shop": one_line(place.shop, "shop", MAX_SHOP),
        "url": check_link(place.url),
        "price": place.price,
        "currency": place.currency,
        "seen_on": check_seen(place.seen_on, today),
    }


async def remove_place(db: AsyncConnection, actor: Actor, place_id: UUID) -> None:
    """Take another shop off the list; again changes nothing. Who was sent there is still counted.

    Raises:
        ForbiddenError: the actor does not keep the list.
    """
    actor.require("support")
    if await run(db, _REMOVE, id=place_id, now=clock.now()):
        await history.record(db, actor, ("elsewhere", place_id, "removed", {}))


_REMOVE: Final = "UPDATE elsewhere SET removed_at = :now WHERE id = :id AND removed_at IS NULL RETURNING id"

"""Loaders of products. Customers see what is listed; staff and programs with a key see everything."""

import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.sizes import Sizing
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark

PAGE: Final = 50
EVERYTHING: Final = ("products:read", "products:write", "support", "finance", "warehouse")
"""Who sees products that are not listed."""


class VariantView(msgspec.Struct, frozen=True):
    """A product in one size and colour, as it is offered."""

    sku: str
    size: str
    color: str
    price: int
    """With tax, in minor units of `currency`."""
    currency: str
    ean: str
    stock: int
    weight_grams: int


class PictureView(msgspec.Struct, frozen=True):
    """A picture of a product; of all its colours where `color` is empty. Sizes in pixels."""

    id: UUID
    color: str
    alt: str
    width: int
    height: int


class ProductView(msgspec.Struct, frozen=True):
    """A product with what is offered of it."""

    id: UUID
    handle: str
    title: str
    kind: ProductKind
    brand: str
    supplier: str
    """From whom the shop gets it, for its people; empty where it does not say."""
    description: str
    """Plain text; an empty line parts two paragraphs."""
    size_system: SizeSystem
    size_group: SizeGroup
    tax_rate: int
    """The tax in the prices, in hundredths of a percent."""
    listed: bool
    tags: list[str]
    variants: list[VariantView]
    pictures: list[PictureView]

    @property
    def sizing(self) -> Sizing:
        """How its sizes are meant."""
        return Sizing(self.kind, self.size_group, self.size_system)


class ProductPage(msgspec.Struct, frozen=True):
    """A page of the list of products, the newest first; `next_cursor` asks for the following one."""

    items: list[ProductView]
    next_cursor: str | None


VIEW: Final = """
    SELECT p.id, p.handle, p.title, p.kind, p.brand, p.supplier, p.description, p.size_system, p.size_group, p.tax_rate,
           p.listed, p.tags,
           (SELECT coalesce(json_agg(json_build_object(
                'sku', v.sku, 'size', v.size, 'color', v.color, 'price', v.price, 'currency', v.currency, 'ean', v.ean,
                'stock', v.stock, 'weight_grams', v.weight_grams) ORDER BY v.position, v.id), '[]'::json)
            FROM variant v WHERE v.product_id = p.id AND v.archived_at IS NULL) AS variants,
           (SELECT coalesce(json_agg(json_build_object(
                'id', i.id, 'color', i.color, 'alt', i.alt, 'width', i.width, 'height', i.height)
                ORDER BY i.position, i.id), '[]'::json)
            FROM product_picture i WHERE i.product_id = p.id) AS pictures
    FROM product p
"""
_LISTED: Final = "SELECT EXISTS (SELECT FROM product WHERE listed) AS any"
_LISTED_SECONDS: Final = 30.0
_listed: WeakKeyDictionary[Engine, tuple[float, bool]] = WeakKeyDictionary()


async def something_listed(db: AsyncConnection) -> bool:
    """Whether the storefront offers anything, as it was half a minute ago at most: every page asks."""
    moment, known = _listed.get(db.sync_engine, (-_LISTED_SECONDS, False))
    now = time.monotonic()
    if now - moment >= _LISTED_SECONDS:
        [row] = await run(db, _LISTED)
        known = bool(row.any)
        _listed[db.sync_engine] = now, known
    return known


_BY_HANDLE: Final = f"{VIEW} WHERE p.handle = :handle"
_FIRST: Final = f"{VIEW} ORDER BY p.id DESC LIMIT :limit"
_BEFORE: Final = f"{VIEW} WHERE p.id < :before ORDER BY p.id DESC LIMIT :limit"


def as_view(row: Any) -> ProductView:  # noqa: ANN401 - a row
    """Make the struct of a row of `VIEW`."""
    return msgspec.convert(row._asdict(), ProductView)


def no_product() -> NotFoundError:
    """What is said of a product that is not there, or not for the actor."""
    return NotFoundError(mark("There is no such product."), code="product_not_found")


async def product_for(db: AsyncConnection, actor: Actor, handle: str) -> ProductView:
    """One product by the name in its address.

    Raises:
        NotFoundError: there is none, or it is not listed and the actor is a customer.
    """
    rows = await run(db, _BY_HANDLE, handle=handle)
    if not rows or not (rows[0].listed or actor.has(*EVERYTHING)):
        raise no_product()
    return as_view(rows[0])


async def page_of_products(
    db: AsyncConnection, actor: Actor, cursor: str | None = None, limit: int = PAGE
) -> ProductPage:
    """All products, listed or not, in the reverse of the order in which they came.

    Raises:
        ForbiddenError: the actor sees only what is listed.
        InvalidError: the cursor is not one that a page gave.
    """
    actor.require(*EVERYTHING)
    try:
        before = None if cursor is None else UUID(cursor)
    except ValueError as error:
        raise InvalidError(mark("This cursor is none that a page gave."), field="cursor") from error
    # Two texts rather than one with "or there is no cursor", which would keep PostgreSQL from starting at the cursor.
    if before is None:
        rows = await run(db, _FIRST, limit=limit + 1)
    else:
        rows = await run(db, _BEFORE, limit=limit + 1, before=before)
    shown = rows[:limit]
    return ProductPage(
        items=[as_view(row) for row in shown],
        next_cursor=str(shown[-1].id) if len(rows) > limit else None,
    )


async def picture(db: AsyncConnection, picture_id: UUID, handle: str) -> bytes:
    """A picture of a product, as JPEG. Whoever knows its id may see it: the address is handed out with the page.

    Raises:
        NotFoundError: the product has no such picture.
    """
    rows = await run(db, _PICTURE, id=picture_id, handle=handle)
    if not rows:
        raise NotFoundError(mark("There is no such picture."), code="picture_not_found")
    return bytes(rows[0].data)


_PICTURE: Final = """
    SELECT i.data FROM product_picture i JOIN product p ON p.id = i.product_id WHERE i.id = :id AND p.handle = :handle
"""


async def pictures_of(db: AsyncConnection, variant_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Where small pictures of variants are, by variant: in its colour, or in all.

    Those that have none, or are not shown in the shop any more, are left out.
    """
    rows = await run(db, _PICTURES_OF, ids=list(variant_ids))
    return {row.variant_id: f"/shop/{row.handle}/pictures/{row.picture_id}.jpg?w=480" for row in rows}


_PICTURES_OF: Final = """
    SELECT DISTINCT ON (v.id) v.id AS variant_id, p.handle, i.id AS picture_id
    FROM variant v JOIN product p ON p.id = v.product_id
    JOIN product_picture i ON i.product_id = p.id AND i.color IN (v.color, '')
    WHERE v.id = ANY(:ids) AND p.listed ORDER BY v.id, i.color = '', i.position, i.id
"""

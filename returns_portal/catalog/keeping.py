"""What staff do to products by hand: showing and hiding them, correcting their stock, and their pictures."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.checks import MAX_COLOR, MAX_STOCK
from returns_portal.catalog.models import ProductPicture
from returns_portal.catalog.queries import no_product
from returns_portal.db import run
from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.photos import Photo
from returns_portal.texts import one_line

MAX_PICTURES: Final = 20
MAX_ALT: Final = 200
KEEPERS: Final = ("products:write", "support", "warehouse")
"""Who may do this; an admin may do everything."""


async def set_listed(db: AsyncConnection, actor: Actor, handle: str, listed: bool) -> None:
    """Show a product in the storefront, or hide it.

    Raises:
        ForbiddenError: the actor may not.
        NotFoundError: there is no such product.
    """
    product_id = await _locked(db, actor, handle)
    changed = await run(db, _SET_LISTED, id=product_id, listed=listed, now=clock.now())
    if changed:
        await history.record(db, actor, ("product", product_id, "listed" if listed else "hidden", {}))


_SET_LISTED: Final = """
    UPDATE product SET listed = :listed, updated_at = :now WHERE id = :id AND listed <> :listed RETURNING id
"""
_LOCK: Final = "SELECT id FROM product WHERE handle = :handle FOR UPDATE"


async def _locked(db: AsyncConnection, actor: Actor, handle: str) -> UUID:
    actor.require(*KEEPERS)
    rows = await run(db, _LOCK, handle=handle)
    if not rows:
        raise no_product()
    product_id: UUID = rows[0].id
    return product_id


class Correction(NamedTuple):
    """A stock as it was shown, and as it is to be."""

    seen: int
    counted: int


async def correct_stock(db: AsyncConnection, actor: Actor, handle: str, corrections: Mapping[str, Correction]) -> int:
    """Set the stock of variants, by SKU, to what was counted; how many changed.

    Raises:
        ForbiddenError: the actor may not.
        NotFoundError: there is no such product, or it has no such variant.
        InvalidError: a number is not possible, or the stock is not what was shown any more; names the SKU.
    """
    product_id = await _locked(db, actor, handle)
    rows = {row.sku: row for row in await run(db, _VARIANTS, id=product_id, skus=list(corrections))}
    changes: dict[UUID, int] = {}
    for sku, (seen, counted) in corrections.items():
        if sku not in rows:
            raise NotFoundError(mark("This product has no article {sku}."), sku=sku)
        if not 0 <= counted <= MAX_STOCK:
            raise InvalidError(mark("This is a whole number between 0 and {most}."), field=sku, most=MAX_STOCK)
        if counted == seen:
            continue
        if rows[sku].stock != seen:
            raise InvalidError(
                mark("Meanwhile the stock went from {seen} to {now}. Please look again, and count anew if need be."),
                code="stock_moved",
                field=sku,
                seen=seen,
                now=rows[sku].stock,
            )
        changes[rows[sku].id] = counted
    if changes:
        await run(db, _SET_STOCK, ids=list(changes), stocks=list(changes.values()))
        told = {str(rows[sku].id): [seen, counted] for sku, (seen, counted) in corrections.items() if seen != counted}
        await history.record(db, actor, ("product", product_id, "stock_corrected", {"stock": told}))
    return len(changes)


_VARIANTS: Final = """
    SELECT id, sku, stock FROM variant WHERE product_id = :id AND sku = ANY(:skus) ORDER BY sku FOR UPDATE
"""
_SET_STOCK: Final = """
    UPDATE variant v SET stock = n.stock
    FROM unnest(CAST(:ids AS uuid[]), CAST(:stocks AS int[])) AS n(id, stock) WHERE v.id = n.id
"""


async def add_picture(
    db: AsyncConnection, actor: Actor, handle: str, photo: Photo, *, color: str = "", alt: str = ""
) -> UUID:
    """Put a picture after the others of a product.

    Raises:
        ForbiddenError: the actor may not.
        NotFoundError: there is no such product.
        InvalidError: it has as many as it may have, or the description is too long.
    """
    product_id = await _locked(db, actor, handle)
    [row] = await run(db, _COUNT, id=product_id)
    if row.pictures >= MAX_PICTURES:
        raise InvalidError(
            mark("A product has at most {most} pictures. Please remove one first."), field="photo", most=MAX_PICTURES
        )
    picture_id = new_id()
    await db.execute(
        insert(ProductPicture).values(
            id=picture_id,
            product_id=product_id,
            position=row.next,
            color=one_line(color, "color", MAX_COLOR, required=False),
            alt=one_line(alt, "alt", MAX_ALT, required=False),
            width=photo.width,
            height=photo.height,
            data=photo.jpeg,
            created_at=clock.now(),
        )
    )
    await history.record(db, actor, ("product", product_id, "picture_added", {"picture": str(picture_id)}))
    return picture_id


_COUNT: Final = """
    SELECT count(*) AS pictures, coalesce(max(position) + 1, 0) AS next FROM product_picture WHERE product_id = :id
"""


async def remove_picture(db: AsyncConnection, actor: Actor, handle: str, picture_id: UUID) -> None:
    """Take a picture of a product away; again changes nothing.

    Raises:
        ForbiddenError: the actor may not.
        NotFoundError: there is no such product.
    """
    product_id = await _locked(db, actor, handle)
    if await run(db, _REMOVE, id=picture_id, product_id=product_id):
        await history.record(db, actor, ("product", product_id, "picture_removed", {"picture": str(picture_id)}))


_REMOVE: Final = "DELETE FROM product_picture WHERE id = :id AND product_id = :product_id RETURNING id"

"""Storing the variants of a product: those that are handed in, each told from the others by its SKU."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

_LOCK_VARIANTS: Final = """
    SELECT v.id, v.product_id, v.position, v.sku, v.size, v.color, v.price, v.currency, v.ean, v.weight_grams, v.stock,
           v.archived_at, p.handle
    FROM variant v JOIN product p ON p.id = v.product_id
    WHERE v.product_id = :id OR v.sku = ANY(:skus) ORDER BY v.sku FOR UPDATE OF v
"""
_INSERT_VARIANTS: Final = """
    INSERT INTO variant SELECT * FROM json_populate_recordset(NULL::variant, CAST(:rows AS json)) ORDER BY sku
    ON CONFLICT (sku) DO NOTHING RETURNING sku
"""
_UPDATE_VARIANTS: Final = """
    UPDATE variant v SET position = n.position, size = n.size, color = n.color, price = n.price, currency = n.currency,
        ean = n.ean, weight_grams = n.weight_grams, stock = n.stock, archived_at = NULL
    FROM json_populate_recordset(NULL::variant, CAST(:rows AS json)) AS n WHERE v.id = n.id
"""
_ARCHIVE: Final = "UPDATE variant SET archived_at = :now WHERE id = ANY(:ids)"


async def store(db: AsyncConnection, product_id: UUID, new: ProductInput) -> dict[str, int]:
    """Make the variants of a product, whose row is locked, those that were handed in.

    Returns:
        How many were `added`, `changed` and `archived`.

    Raises:
        ConflictError: another product has one of the SKUs.
    """
    stored = await _locked(db, product_id, new)
    rows = [_row(product_id, i, variant, stored.get(variant.sku)) for i, variant in enumerate(new.variants)]
    added = [row for row in rows if row["sku"] not in stored]
    changed = [row for row in rows if row["sku"] in stored and row != _as_row(stored[row["sku"]])]
    wanted = {row["sku"] for row in rows}
    gone = [row.id for sku, row in stored.items() if sku not in wanted and row.archived_at is None]
    if added:
        inserted = await run(db, _INSERT_VARIANTS, rows=msgspec.json.encode(added).decode())
        missed = {row["sku"] for row in added} - {row.sku for row in inserted}
        if missed:
            # Somebody else has just given it to another product, after the look at what is there.
            raise _sku_taken(min(missed), "…")
    if changed:
        await run(db, _UPDATE_VARIANTS, rows=msgspec.json.encode(changed).decode())
    if gone:
        await run(db, _ARCHIVE, ids=gone, now=clock.now())
    return {"added": len(added), "changed": len(changed), "archived": len(gone)}


async def _locked(db: AsyncConnection, product_id: UUID, new: ProductInput) -> dict[str, Any]:
    """The product's variants by SKU.

    Raises:
        ConflictError: another product has one of the SKUs.
    """
    rows = await run(db, _LOCK_VARIANTS, id=product_id, skus=[variant.sku for variant in new.variants])
    for row in rows:
        if row.product_id != product_id:
            raise _sku_taken(row.sku, row.handle)
    return {row.sku: row for row in rows}


def _sku_taken(sku: str, handle: str) -> ConflictError:
    return ConflictError(
        mark("The SKU {sku} belongs to the product {handle}. Nothing was changed; give this variant another one."),
        code="sku_taken",
        field="variants",
        sku=sku,
        handle=handle,
    )


def _row(product_id: UUID, position: int, variant: VariantInput, stored: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    """The row that a variant is to be; what was left out stays as it is, and is nothing for a new one."""

    def kept(name: str, empty: object) -> object:
        given = getattr(variant, name)
        if given is not None:
            return given
        return getattr(stored, name) if stored else empty

    return {
        "id": stored.id if stored else new_id(),
        "product_id": product_id,
        "position": position,
        "sku": variant.sku,
        "size": variant.size,
        "color": variant.color,
        "price": variant.price,
        "currency": variant.currency,
        "ean": kept("ean", ""),
        "weight_grams": kept("weight_grams", 0),
        "stock": kept("stock", 0),
        "archived_at": None,
    }


def _as_row(stored: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    return {name: value for name, value in stored._asdict().items() if name != "handle"}

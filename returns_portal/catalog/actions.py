"""What is done to products: taking one in, taking from its stock and giving back.

Locks: the product first, then variants in the order of their SKUs; so two that want the same never wait in a circle.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog import variants
from returns_portal.catalog.checks import checked
from returns_portal.catalog.intake import ProductInput
from returns_portal.catalog.rules import searchable, settled_sizing
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id

Outcome = Literal["created", "updated", "unchanged"]


class Put(NamedTuple):
    """What became of a product that was handed in."""

    id: UUID
    outcome: Outcome


async def put_product(db: AsyncConnection, actor: Actor, product: ProductInput) -> Put:
    """Take a product in, or bring it up to date; the same again changes nothing.

    Variants are told apart by their SKU. Those that are missing are no longer offered; orders still name them.

    Raises:
        ForbiddenError: the actor may not.
        InvalidError: it is not possible; names the field at fault.
        ConflictError: another product has one of its SKUs.
    """
    actor.require("products:write", "support")
    new = checked(product)
    stored = await _locked(db, new.handle)
    created = stored is None and await _insert(db, new)
    if stored is None:
        stored = await _locked(db, new.handle)
    counts = await variants.store(db, stored.id, new)
    changes = _differences(stored, new)
    if not created and not changes and not any(counts.values()):
        return Put(stored.id, "unchanged")
    kept = stored._asdict() | changes
    words = searchable(kept["title"], kept["brand"])
    await run(db, _UPDATE, **kept, words=words, updated_at=clock.now())
    outcome: Outcome = "created" if created else "updated"
    await history.record(db, actor, ("product", stored.id, outcome, {**counts, "fields": sorted(changes)}))
    return Put(stored.id, outcome)


_LOCK: Final = """
    SELECT id, title, kind, brand, supplier, description, size_system, size_group, tax_rate, listed, tags
    FROM product WHERE handle = :handle FOR UPDATE
"""
_INSERT: Final = """
    INSERT INTO product (id, handle, title, kind, brand, supplier, description, size_system, size_group, tax_rate,
                         listed, tags, words, created_at, updated_at)
    VALUES (:id, :handle, :title, :kind, :brand, :supplier, :description, :size_system, :size_group, :tax_rate,
            :listed, :tags, :words, :now, :now)
    ON CONFLICT (handle) DO NOTHING RETURNING id
"""
_UPDATE: Final = """
    UPDATE product SET title = :title, kind = :kind, brand = :brand, supplier = :supplier, description = :description,
        size_system = :size_system, size_group = :size_group, tax_rate = :tax_rate, listed = :listed,
        tags = :tags, words = :words, updated_at = :updated_at
    WHERE id = :id
"""


async def _locked(db: AsyncConnection, handle: str) -> Any:  # noqa: ANN401 - a row, or None
    rows = await run(db, _LOCK, handle=handle)
    return rows[0] if rows else None


async def _insert(db: AsyncConnection, new: ProductInput) -> bool:
    """Store a new product; False where somebody else has just done so."""
    sizing = settled_sizing(new.kind, [v.size for v in new.variants], new.size_system, new.size_group)
    rows = await run(
        db,
        _INSERT,
        id=new_id(),
        handle=new.handle,
        title=new.title,
        kind=new.kind.value,
        brand=new.brand or "",
        supplier=new.supplier or "",
        description=new.description or "",
        size_system=sizing.system.value,
        size_group=sizing.group.value,
        tax_rate=new.tax_rate or 0,
        listed=new.listed is not False,
        tags=list(new.tags or ()),
        words=searchable(new.title, new.brand or ""),
        now=clock.now(),
    )
    return bool(rows)


def _differences(stored: Any, new: ProductInput) -> dict[str, Any]:  # noqa: ANN401 - a row
    """The columns that are to be another than they are; what was left out stays as it is."""
    wanted = {
        "title": new.title,
        "kind": new.kind.value,
        "brand": new.brand,
        "supplier": new.supplier,
        "description": new.description,
        "size_system": new.size_system.value if new.size_system else None,
        "size_group": new.size_group.value if new.size_group else None,
        "tax_rate": new.tax_rate,
        "listed": new.listed,
        "tags": None if new.tags is None else list(new.tags),
    }
    return {name: value for name, value in wanted.items() if value is not None and value != getattr(stored, name)}


class Taken(msgspec.Struct, frozen=True):
    """A variant of which some were taken from the stock, with what an order keeps of it."""

    variant_id: UUID
    product_id: UUID
    sku: str
    title: str
    size: str
    color: str
    price: int
    """Of one, with tax, in minor units of `currency`."""
    currency: str
    tax_rate: int
    """In hundredths of a percent."""
    weight_grams: int
    quantity: int


class Shortage(msgspec.Struct, frozen=True):
    """What there is too little of."""

    sku: str
    title: str
    size: str
    color: str
    wanted: int
    left: int


_TAKE: Final = """
    SELECT v.id AS variant_id, v.product_id, v.sku, p.title, v.size, v.color, v.price, v.currency, p.tax_rate,
           v.weight_grams, v.stock, v.archived_at
    FROM variant v JOIN product p ON p.id = v.product_id
    WHERE v.sku = ANY(:skus) ORDER BY v.sku FOR UPDATE OF v
"""
_CHANGE: Final = """
    UPDATE variant v SET stock = v.stock + n.difference
    FROM unnest(CAST(:ids AS uuid[]), CAST(:differences AS int[])) AS n(id, difference) WHERE v.id = n.id
"""
_LOCK_IN_ORDER: Final = "SELECT id FROM variant WHERE id = ANY(:ids) ORDER BY sku FOR UPDATE"


async def take_stock(db: AsyncConnection, wanted: Mapping[str, int]) -> list[Taken]:
    """Take so many of each SKU from the stock: all of it, or nothing.

    Returns:
        What was taken, in the order of `wanted`.

    Raises:
        InvalidError: nothing is wanted, or less than one, or something that is no longer offered.
        NotFoundError: there is no such SKU.
        ConflictError: there is too little (`out_of_stock`); its detail lists what, and how many are left.
    """
    if not wanted or any(quantity < 1 for quantity in wanted.values()):
        raise InvalidError(mark("Please choose at least one article, and at least one of each."), field="items")
    rows = {row.sku: row for row in await run(db, _TAKE, skus=sorted(wanted))}
    for sku in wanted:
        if sku not in rows:
            raise NotFoundError(mark("There is no article {sku}."), code="unknown_sku", field="items", sku=sku)
        if rows[sku].archived_at is not None:
            raise InvalidError(
                mark("{title} is no longer offered in size {size} ({sku})."),
                code="not_offered",
                field="items",
                title=rows[sku].title,
                size=rows[sku].size or "–",
                sku=sku,
            )
    _refuse_shortages(wanted, rows)
    await run(
        db,
        _CHANGE,
        ids=[rows[sku].variant_id for sku in wanted],
        differences=[-quantity for quantity in wanted.values()],
    )
    return [
        Taken(**{name: getattr(rows[sku], name) for name in _TAKEN_COLUMNS}, quantity=quantity)
        for sku, quantity in wanted.items()
    ]


_TAKEN_COLUMNS: Final = [name for name in Taken.__struct_fields__ if name != "quantity"]


def _refuse_shortages(wanted: Mapping[str, int], rows: Mapping[str, Any]) -> None:
    short = [
        Shortage(sku, rows[sku].title, rows[sku].size, rows[sku].color, quantity, rows[sku].stock)
        for sku, quantity in wanted.items()
        if rows[sku].stock < quantity
    ]
    if not short:
        return
    first = short[0]
    sentence = (
        mark("Of {title} in size {size} ({sku}) only {left} are left.")
        if first.left
        else mark("{title} in size {size} ({sku}) is out of stock.")
    )
    raise ConflictError(
        sentence,
        code="out_of_stock",
        field="items",
        detail=short,
        title=first.title,
        size=first.size or "–",
        sku=first.sku,
        left=first.left,
    )


async def give_back_stock(db: AsyncConnection, quantities: Mapping[UUID, int]) -> None:
    """Put so many of each variant, by its id, back into the stock; also of those that are no longer offered."""
    ids = list(quantities)
    if not ids:
        return
    await run(db, _LOCK_IN_ORDER, ids=ids)
    await run(db, _CHANGE, ids=ids, differences=list(quantities.values()))


_TAKE_OUT: Final = """
    UPDATE variant v SET stock = v.stock - least(v.stock, n.wanted)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:wanted AS int[])) AS n(id, wanted),
         variant before WHERE v.id = n.id AND before.id = v.id
    RETURNING v.id, least(before.stock, n.wanted) AS taken
"""


async def take_out_stock(db: AsyncConnection, quantities: Mapping[UUID, int]) -> dict[UUID, int]:
    """Take so many of each variant, by its id, out of the stock, as far as there are any; how many that were."""
    ids = list(quantities)
    if not ids:
        return {}
    await run(db, _LOCK_IN_ORDER, ids=ids)
    rows = await run(db, _TAKE_OUT, ids=ids, wanted=list(quantities.values()))
    return {row.id: row.taken for row in rows}

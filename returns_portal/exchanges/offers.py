"""What can be had instead of what comes back: other sizes and colours of the same product, and what is looked for."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.catalog.search import a_wish, search
from returns_portal.db import run
from returns_portal.exchanges.rules import Difference, Returned, difference

_PRODUCTS: Final = 6
"""So many products are shown of what was looked for: a better word finds the others."""


class Offer(msgspec.Struct, frozen=True):
    """A variant that is in stock, and what it would cost beside the unit that comes back."""

    sku: str
    title: str
    size: str
    color: str
    stock: int
    difference: Difference


class Line(msgspec.Struct, frozen=True):
    """A line of an order of which something may come back: its SKU, and what was paid for the next unit of it."""

    line_id: UUID
    sku: str
    paid: int


class Offers(msgspec.Struct, frozen=True):
    """What there is instead of a line."""

    same: list[Offer] = []
    """The same product in other sizes and colours."""
    others: list[Offer] = []
    """What was looked for."""
    missing: list[Offer] = []
    """The same product in sizes and colours of which there is none just now."""
    handle: str = ""
    """The name of the same product in addresses; empty where the shop does not show it."""


_KNOWN: Final = "SELECT sku, product_id, price, currency FROM variant WHERE sku = ANY(:skus)"
_OFFERED: Final = """
    SELECT v.sku, v.product_id, p.title, v.size, v.color, v.stock, v.price,
           CASE WHEN p.listed THEN p.handle ELSE '' END AS handle
    FROM variant v JOIN product p ON p.id = v.product_id
    WHERE v.archived_at IS NULL AND v.currency = :currency AND
"""
_SAME: Final = f"{_OFFERED} v.product_id = ANY(:products) ORDER BY v.product_id, v.position, v.id"
_CHOSEN: Final = f"{_OFFERED} v.stock > 0 AND v.sku = ANY(:skus) ORDER BY p.title, v.product_id, v.position, v.id"


async def returned_units(db: AsyncConnection, lines: Sequence[Line], currency: str) -> dict[UUID, Returned]:
    """What the catalogue knows of these lines, by line."""
    rows = {row.sku: row for row in await run(db, _KNOWN, skus=[line.sku for line in lines if line.sku])}
    return {line.line_id: _returned(line, rows.get(line.sku), currency) for line in lines}


def _returned(line: Line, row: Any, currency: str) -> Returned:  # noqa: ANN401 - a row
    if row is None or row.currency != currency:
        return Returned(line.paid)
    return Returned(line.paid, row.product_id, row.price)


_IS_TRIAL: Final = "SELECT FROM orders WHERE id = :id AND source = 'trial'"


async def offers_for(
    db: AsyncConnection,
    actor: Actor,
    order_id: UUID,
    lines: Sequence[Line],
    currency: str,
    *,
    words: str = "",
    chosen: Collection[str] = (),
) -> dict[UUID, Offers]:
    """What can be had instead of each line of an order, with its difference: what `chosen` names is there, too.

    Nothing for lines that nothing was paid for, and for what was ordered to be tried: there other sizes were the idea.
    """
    if not lines or await run(db, _IS_TRIAL, id=order_id):
        return {}
    returned = await returned_units(db, [line for line in lines if line.paid > 0], currency)
    products = sorted({unit.product_id for unit in returned.values() if unit.product_id})
    same = await run(db, _SAME, products=products, currency=currency) if products else []
    others = await _looked_for(db, actor, words, currency) if words.strip() and returned else []
    others += await _chosen(db, set(chosen) - {row["sku"] for row in others}, currency)
    skus = {line.line_id: line.sku for line in lines}
    return {
        line_id: _offers(unit, [row for row in same if row.sku != skus[line_id]], others, currency)
        for line_id, unit in returned.items()
    }


def _offers(unit: Returned, same: Sequence[Any], others: Sequence[Mapping[str, Any]], currency: str) -> Offers:
    """What there is for a unit: of its own product also what there is none of, so that nobody thinks it never was."""
    own = [row for row in same if row.product_id == unit.product_id]
    return Offers(
        [_offer(row._asdict(), unit, currency) for row in own if row.stock],
        [_offer(row, unit, currency) for row in others if row["product_id"] != unit.product_id],
        [_offer(row._asdict(), unit, currency) for row in own if not row.stock],
        own[0].handle if own else "",
    )


def _offer(row: Mapping[str, Any], unit: Returned, currency: str) -> Offer:
    found = difference(unit, row["product_id"], row["price"], currency)
    return Offer(row["sku"], row["title"], row["size"], row["color"], row["stock"], found)


async def _chosen(db: AsyncConnection, skus: Collection[str], currency: str) -> list[dict[str, Any]]:
    """What was found with other words before, and chosen: a second search does not take it away."""
    rows = await run(db, _CHOSEN, skus=sorted(skus), currency=currency) if skus else []
    return [row._asdict() for row in rows]


async def _looked_for(db: AsyncConnection, actor: Actor, words: str, currency: str) -> list[dict[str, Any]]:
    found = await search(db, actor, a_wish(words, "", ""), limit=_PRODUCTS)
    return [
        {
            "sku": variant.sku,
            "product_id": product.id,
            "title": product.title,
            "size": variant.size,
            "color": variant.color,
            "stock": variant.stock,
            "price": variant.price,
        }
        for product in found.products
        for variant in product.variants
        if variant.stock > 0 and variant.currency == currency
    ]

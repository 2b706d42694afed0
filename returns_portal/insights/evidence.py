"""What buyers said of how products are cut: by the words of returns, and by exchanges for another size.

Counted are buyers rather than units: who buys three of them, or buys again, is one. A return's words are taken for a
product only where the return is of that product alone, because one reason is given for a whole return.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.catalog.sizes import larger
from returns_portal.db import run
from returns_portal.insights.fit import Evidence
from returns_portal.insights.queries import prepare
from returns_portal.insights.reading import Theme, themes

# A person who was forgotten is told apart by the order alone. What was replaced or exchanged is an item like any other.
_BOUGHT: Final = """
    SELECT l.id, p.id AS product_id, v.size, CASE WHEN o.erased_at IS NULL THEN o.email_key ELSE o.number END AS buyer
    FROM orders o JOIN order_line l ON l.order_id = o.id JOIN variant v ON v.sku = l.sku
    JOIN product p ON p.id = v.product_id
    WHERE o.placed_at >= :since AND o.placed_at < :until AND l.shipped > 0
          AND (CAST(:product AS uuid) IS NULL OR p.id = :product)
          AND NOT EXISTS (SELECT FROM trial t WHERE t.order_id = o.id AND t.mode = 'trial')
"""
_BUYERS: Final = f"""
    WITH bought AS ({_BOUGHT})
    SELECT product_id, CASE WHEN grouping(size) = 0 THEN size END AS size, count(DISTINCT buyer) AS buyers
    FROM bought GROUP BY GROUPING SETS ((product_id), (product_id, size))
"""  # noqa: S608 - the part is our own text
_SIZES: Final = """
    SELECT product_id, array_agg(DISTINCT size) AS sizes FROM variant
    WHERE CAST(:product AS uuid) IS NULL OR product_id = :product GROUP BY product_id
"""
_VOICES: Final = f"""
    WITH bought AS MATERIALIZED ({_BOUGHT})
    SELECT b.product_id, b.size, b.buyer, r.rma, i.reason, '' AS wanted, r.created_at AS at
    FROM bought b JOIN return_line i ON i.order_line_id = b.id JOIN returns r ON r.id = i.return_id
    WHERE r.status <> 'cancelled' AND r.created_at < :until AND i.reason <> '' AND NOT EXISTS (
        SELECT FROM return_line j JOIN order_line k ON k.id = j.order_line_id LEFT JOIN variant w ON w.sku = k.sku
        WHERE j.return_id = r.id AND w.product_id IS DISTINCT FROM b.product_id)
    UNION ALL
    SELECT b.product_id, b.size, b.buyer, r.rma, '', w.size, e.created_at
    FROM bought b JOIN exchange e ON e.order_line_id = b.id JOIN returns r ON r.id = e.return_id
    JOIN variant w ON w.id = e.variant_id AND w.product_id = b.product_id
    WHERE r.status <> 'cancelled' AND e.created_at < :until AND w.size <> b.size
    ORDER BY at DESC, rma
"""  # noqa: S608 - as above


class Voice(msgspec.Struct, frozen=True):
    """Somebody who said small or large of one size, and where."""

    rma: str
    size: str
    small: bool
    """Else large."""
    reason: str
    wanted: str
    """The size that was wanted instead; empty where words were given."""
    at: datetime


class Heard(msgspec.Struct, frozen=True):
    """What is known of one product."""

    ordered: bool
    whole: Evidence
    sizes: dict[str, Evidence]
    voices: list[Voice]


async def heard(
    db: AsyncConnection, since: datetime, until: datetime, product_id: UUID | None = None
) -> dict[UUID, Heard]:
    """What was said of each product that was bought in a time, or of one of them."""
    await prepare(db)
    values = {"since": since, "until": until, "product": product_id}
    buyers: dict[UUID, dict[str | None, int]] = defaultdict(dict)
    for row in await run(db, _BUYERS, **values):
        buyers[row.product_id][row.size] = row.buyers
    said: dict[UUID, list[Any]] = defaultdict(list)
    for row in await run(db, _VOICES, **values):
        said[row.product_id].append(row)
    sizes = {row.product_id: row.sizes for row in await run(db, _SIZES, product=product_id)}
    return {product: _heard(sizes[product], counts, said[product]) for product, counts in buyers.items()}


def _heard(known: Sequence[str], buyers: Mapping[str | None, int], rows: Sequence[Any]) -> Heard:
    """Of a product whose sizes are known, bought or not: how they stand to each other is told by all of them."""
    ordered = comparable(known)
    voices = [(row.buyer, voice) for row in rows if (voice := _voice(row, known)) is not None] if ordered else []
    return Heard(
        ordered=ordered,
        whole=_evidence(buyers[None], voices),
        sizes={
            size: _evidence(buyers[size], [each for each in voices if each[1].size == size])
            for size in buyers
            if size is not None
        },
        voices=[voice for _buyer, voice in voices],
    )


def comparable(sizes: Iterable[str]) -> bool:
    """Whether each of several sizes stands above or below another one: letters, numbers, waists of one length."""
    known = list(sizes)
    return len(known) > 1 and all(any(larger(one, other, known) is not None for other in known) for one in known)


def _voice(row: Any, sizes: Sequence[str]) -> Voice | None:  # noqa: ANN401 - a row
    """What a row says, if it says anything of the size."""
    if row.wanted:
        small = larger(row.wanted, row.size, sizes)
    else:
        found = themes(row.reason) & {Theme.TOO_SMALL, Theme.TOO_LARGE}
        small = Theme.TOO_SMALL in found if found else None
    return None if small is None else Voice(row.rma, row.size, small, row.reason, row.wanted, row.at)


def _evidence(buyers: int, voices: Sequence[tuple[str, Voice]]) -> Evidence:
    """Each buyer once; who says both says neither."""
    small = {buyer for buyer, voice in voices if voice.small}
    large = {buyer for buyer, voice in voices if not voice.small}
    return Evidence(buyers, len(small - large), len(large - small))

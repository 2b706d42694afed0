"""What is learnt from trials that are settled: how much of what was tried is kept, and which size of two."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.i18n import _

SHOWN: Final = 50
"""Rows of each table."""
ENOUGH: Final = 10
"""From so many people with a pair of sizes on something is said of it: fewer are chance, and could be known."""
_CLEAR: Final = 2, 3
"""Which part of them must have kept the same size."""


class KeepRate(msgspec.Struct, frozen=True):
    """How many units were tried and how many kept, of whatever the row is about."""

    name: str
    more: str
    tried: int
    kept: int

    @property
    def percent(self) -> int:
        """The part that was kept, rounded."""
        return round(100 * self.kept / self.tried)


class Insight(msgspec.Struct, frozen=True):
    """The tables, most tried first."""

    products: list[KeepRate]
    sizes: list[KeepRate]
    customers: list[KeepRate]


# What was charged and sent back later in the ordinary way was not kept. A part that was paid for it, or goods that were
# sent back to the customer, leave it with them.
_KEPT: Final = """
    (i.outcome = 'kept' AND NOT EXISTS (
        SELECT FROM parcel_item c JOIN parcel b ON b.id = c.parcel_id
        WHERE c.order_line_id = i.order_line_id AND b.undone_at IS NULL AND c.acceptance = 'accepted'))
"""
_TRIED: Final = """
    FROM trial_item i JOIN trial t ON t.id = i.trial_id AND t.mode = 'trial' AND t.status = 'settled'
    JOIN variant v ON v.id = i.variant_id JOIN product p ON p.id = v.product_id JOIN orders o ON o.id = t.order_id
    WHERE i.outcome IN ('kept', 'returned')
"""
_COUNTS: Final = f"count(*) AS tried, count(*) FILTER (WHERE {_KEPT}) AS kept"
_PRODUCTS: Final = f"""
    SELECT p.title AS name, p.brand AS more, {_COUNTS} {_TRIED}
    GROUP BY p.id ORDER BY tried DESC, p.title LIMIT :limit
"""
_SIZES: Final = f"""
    SELECT p.title AS name, v.size AS more, {_COUNTS} {_TRIED}
    GROUP BY p.id, v.size ORDER BY tried DESC, p.title, v.size LIMIT :limit
"""
_CUSTOMERS: Final = f"""
    SELECT max(o.name) AS name, t.email_key AS more, {_COUNTS} {_TRIED}
    GROUP BY t.email_key ORDER BY tried DESC, t.email_key LIMIT :limit
"""


async def insight(db: AsyncConnection, actor: Actor) -> Insight:
    """Keep rates by product, by size and by customer, of settled trials.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    actor.require("finance", "support")
    return Insight(
        products=await _rates(db, _PRODUCTS), sizes=await _rates(db, _SIZES), customers=await _rates(db, _CUSTOMERS)
    )


async def _rates(db: AsyncConnection, query: str) -> list[KeepRate]:
    return [KeepRate(row.name, row.more, row.tried, row.kept) for row in await run(db, query, limit=SHOWN)]


# Trials in which exactly two sizes of a product were tried and one of them was kept; sizes as the shop orders them.
# Each customer counts once for a pair, by their last trial of it.
_PAIRS: Final = f"""
    WITH tried AS (
        SELECT i.trial_id, t.email_key, v.size, min(v.position) AS position, bool_or{_KEPT} AS kept
        FROM trial_item i JOIN trial t ON t.id = i.trial_id AND t.mode = 'trial' AND t.status = 'settled'
        JOIN variant v ON v.id = i.variant_id
        WHERE v.product_id = :id AND v.size <> '' AND i.outcome IN ('kept', 'returned')
        GROUP BY i.trial_id, t.email_key, v.size),
    pairs AS (
        SELECT trial_id, email_key, array_agg(size ORDER BY position) AS sizes,
               min(size) FILTER (WHERE kept) AS kept
        FROM tried GROUP BY trial_id, email_key HAVING count(*) = 2 AND count(*) FILTER (WHERE kept) = 1),
    people AS (SELECT DISTINCT ON (email_key, sizes) sizes, kept FROM pairs ORDER BY email_key, sizes, trial_id DESC)
    SELECT sizes, kept, CAST(sum(count(*)) OVER (PARTITION BY sizes) AS bigint) AS people, count(*) AS times
    FROM people GROUP BY sizes, kept ORDER BY people DESC, times DESC, sizes
"""  # noqa: S608 - the part is our own text


async def sentence_for(db: AsyncConnection, product_id: UUID) -> str:
    """What people who tried two sizes of a product kept, in a sentence; empty while too little is known."""
    for row in await run(db, _PAIRS, id=product_id):
        if row.people >= ENOUGH and _is_clear(row):
            first, second = row.sizes
            return _("People who tried {first} and {second} kept {kept}.", first=first, second=second, kept=row.kept)
    return ""


def _is_clear(row: Any) -> bool:  # noqa: ANN401 - a row
    part, whole = _CLEAR
    return bool(row.times * whole >= row.people * part)

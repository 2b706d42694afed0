"""What happens to wishes by itself: they are told that it is back, the oldest first; they end; people come back."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.demand import letters
from returns_portal.demand.asking import forget
from returns_portal.demand.queries import VIEW, RequestView, as_views
from returns_portal.demand.rules import WISH_LASTS, readers_of
from returns_portal.notifications.choices import address_digest, refusals
from returns_portal.notifications.models import Optional
from returns_portal.settings import Settings

# What is not shown in the shop waits until it is: whoever came would find nothing.
_BACK: Final = """
    SELECT DISTINCT s.variant_id FROM stock_rise s JOIN variant v ON v.id = s.variant_id
    JOIN product p ON p.id = v.product_id WHERE p.listed AND v.archived_at IS NULL LIMIT 100
"""
_TAKE: Final = """
    WITH taken AS (DELETE FROM stock_rise WHERE variant_id = :id RETURNING pieces)
    SELECT CAST(coalesce(sum(pieces), 0) AS int) AS pieces FROM taken
"""
# Taken by two processes at once, it is told by the one that has the row.
_VARIANT: Final = "SELECT product_id, size, color, stock FROM variant WHERE id = :id FOR UPDATE"
_WAITING: Final = f"""{VIEW}
    WHERE r.product_id = :product_id AND r.wish = 'waiting' AND r.asked_at >= :since
    AND (r.size = '' OR lower(r.size) = lower(:size)) AND (r.color = '' OR lower(r.color) = lower(:color))
    ORDER BY r.id LIMIT :limit FOR UPDATE OF r
"""
_TOLD: Final = "UPDATE product_request SET wish = 'told', told_at = :now WHERE id = ANY(:ids)"


async def tell(begin: Begin, settings: Settings) -> None:
    """Tell of everything that came since; each variant in a transaction of its own."""
    async with begin() as db:
        back = [row.variant_id for row in await run(db, _BACK)]
    for variant_id in back:
        async with begin() as db:
            await _tell(db, settings, variant_id)


async def _tell(db: AsyncConnection, settings: Settings, variant_id: UUID) -> None:
    [variant] = await run(db, _VARIANT, id=variant_id)
    [came] = await run(db, _TAKE, id=variant_id)
    limit = readers_of(came.pieces, variant.stock)
    told = await _readers(db, variant, limit) if limit else []
    for request in told:
        await letters.back(db, settings, request, (variant.size, variant.color))
    if told:
        await run(db, _TOLD, ids=[request.id for request in told], now=clock.now())
        await history.record(db, SYSTEM, *(("product_request", request.id, "told", {}) for request in told))


async def _readers(db: AsyncConnection, variant: Any, limit: int) -> list[RequestView]:  # noqa: ANN401 - a row
    """Whom to tell, at most so many. Who has switched such e-mails off wishes nothing any more, and takes no place."""
    values = {"product_id": variant.product_id, "size": variant.size, "color": variant.color}
    since = clock.now() - WISH_LASTS
    while True:
        found = as_views(await run(db, _WAITING, **values, since=since, limit=limit))
        off = await refusals(db, [request.email for request in found])
        gone = [request.id for request in found if (address_digest(request.email), Optional.STOCK) in off]
        if not gone:
            return found
        await forget(db, gone)


_OVER: Final = "SELECT id FROM product_request WHERE email <> '' AND asked_at < :before LIMIT 1000"


async def end_old(db: AsyncConnection) -> None:
    """End the wishes whose time is over, and forget the addresses of all requests that are as old."""
    await forget(db, [row.id for row in await run(db, _OVER, before=clock.now() - WISH_LASTS)])


# The first order that the same person placed afterwards and that has the product; the address is that of the request,
# or of the thread in which it was asked for.
_CAME: Final = """
    UPDATE product_request r SET came_back_order_id = f.order_id
    FROM (
        SELECT DISTINCT ON (w.id) w.id, o.id AS order_id
        FROM product_request w LEFT JOIN question q ON q.id = w.question_id
        JOIN orders o ON o.email_key = coalesce(nullif(w.email_key, ''), q.email_key)
        WHERE w.came_back_order_id IS NULL AND w.product_id IS NOT NULL AND w.asked_at >= :since
        AND o.placed_at > w.asked_at AND o.cancelled_at IS NULL AND EXISTS (
            SELECT FROM order_line l JOIN variant v ON v.sku = l.sku
            WHERE l.order_id = o.id AND v.product_id = w.product_id)
        ORDER BY w.id, o.placed_at, o.id
    ) AS f WHERE r.id = f.id
"""


_CALLED_OFF: Final = """
    UPDATE product_request r SET came_back_order_id = NULL FROM orders o
    WHERE o.id = r.came_back_order_id AND o.cancelled_at IS NOT NULL AND r.asked_at >= :since
"""


async def note_who_came_back(db: AsyncConnection) -> None:
    """Note with which order those came back who had asked for something; an order that was cancelled is none."""
    since = clock.now() - WISH_LASTS
    await run(db, _CALLED_OFF, since=since)
    await run(db, _CAME, since=since)

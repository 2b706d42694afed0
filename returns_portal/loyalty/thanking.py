"""Points for an order of which much was kept: given once it is settled what was, and never taken back.

Not when it arrives: who ordered much, got the points and sent everything back would make points out of nothing.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.i18n import _, speaking
from returns_portal.loyalty.proposing import drawn
from returns_portal.loyalty.queries import COUNTED_AT, KEPT, programme
from returns_portal.notifications.actions import enqueue
from returns_portal.points.adjusting import give

_BATCH: Final = 50
_DUE: Final = f"""
    SELECT o.id FROM orders o
    JOIN (SELECT key AS currency, CAST(value AS bigint) AS least FROM jsonb_each_text(CAST(:least AS jsonb))) AS level
        ON level.currency = o.currency
    WHERE o.email_key <> '' AND o.erased_at IS NULL AND o.cancelled_at IS NULL
        AND o.financial_status NOT IN ('pending', 'voided')
        AND {COUNTED_AT} BETWEEN :since AND :now AND {KEPT} >= level.least
        AND o.id > :after AND NOT EXISTS (SELECT FROM loyalty_thanks t WHERE t.order_id = o.id)
    ORDER BY o.id LIMIT :limit
"""  # noqa: S608 - the interpolated text is our own
_NOTE: Final = """
    INSERT INTO loyalty_thanks (order_id, control, points, at) VALUES (:id, :control, :points, :now)
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id
"""
# Who was forgotten since it was looked for is nobody, and nobody has an account.
_ORDER: Final = """
    SELECT id, number, email, email_key, locale, currency FROM orders
    WHERE id = :id AND email_key <> '' AND erased_at IS NULL AND cancelled_at IS NULL FOR UPDATE
"""


async def thank(begin: Begin) -> int:
    """Give what is due, each order in a transaction of its own; for how many orders."""
    looked_at, after = 0, UUID(int=0)
    while due := await _due(begin, after):
        for order_id in due:
            async with begin() as db:
                await _thank_for(db, order_id)
        looked_at, after = looked_at + len(due), due[-1]
        if len(due) < _BATCH:
            break
    return looked_at


async def _due(begin: Begin, after: UUID) -> list[UUID]:
    """The next of the orders that bring points, by their ids."""
    async with begin() as db:
        rules = await programme(db)
        if not rules.thanks_points or rules.thanks_since is None:
            return []
        values: dict[str, Any] = {"since": rules.thanks_since, "now": clock.now(), "wait": rules.wait_days}
        least = msgspec.json.encode(rules.thanks_from).decode()
        return [row.id for row in await run(db, _DUE, **values, least=least, after=after, limit=_BATCH)]


async def _thank_for(db: AsyncConnection, order_id: UUID) -> None:
    found, rules = await run(db, _ORDER, id=order_id), await programme(db)
    if not found or not rules.thanks_points:
        return
    [order] = found
    control = bool(await drawn(db, rules, [order.email_key]))
    # Another worker may be doing the same: who writes the row gives the points.
    noted = await run(db, _NOTE, id=order.id, control=control, points=rules.thanks_points, now=clock.now())
    if not noted or control:
        return
    with speaking(order.locale):
        reason = _("A thank-you for order {number}", number=order.number)
    await give(db, order.email, order.currency, rules.thanks_points, reason)
    await enqueue(
        db,
        template="loyalty_thanks",
        recipient=order.email,
        locale=order.locale,
        subject_id=order.id,
        values={
            "points": rules.thanks_points,
            "currency": order.currency,
            "order_number": order.number,
            "url": "/points",
        },
    )

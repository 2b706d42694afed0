"""What labels cost: by month, carrier and currency."""

from datetime import date
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.shop.queries import current


class Cost(msgspec.Struct, frozen=True):
    """The labels of one month, carrier and currency. Amounts are minor units; `currency` is empty without a price."""

    month: date
    carrier: str
    currency: str
    labels: int
    cost: int
    given_back: int
    """What the carrier said that it gives, or gave, back for unused ones."""
    awaited: int
    """What was asked back, and not answered yet."""


# A month is the one in which a label was bought, in the shop's zone.
_COSTS: Final = """
    SELECT CAST(date_trunc('month', bought_at AT TIME ZONE :zone) AS date) AS month, carrier, cost_currency,
           count(*) AS labels, CAST(coalesce(sum(cost), 0) AS bigint) AS cost,
           CAST(coalesce(sum(cost) FILTER (WHERE void_status = 'refunded'), 0) AS bigint) AS given_back,
           CAST(coalesce(sum(cost) FILTER (
               WHERE void_status = 'submitted' OR status = 'voided' AND void_status = ''), 0) AS bigint) AS awaited
    FROM label WHERE bought_at >= CAST(:first AS timestamp) AT TIME ZONE :zone
        AND bought_at < CAST(:end AS timestamp) AT TIME ZONE :zone
    GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3
"""


async def costs(db: AsyncConnection, actor: Actor, first: date, end: date) -> list[Cost]:
    """What the labels cost that were bought from the day `first` until before the day `end` of the shop's zone.

    Raises:
        ForbiddenError: the actor is neither of finance nor of support.
    """
    actor.require("finance", "support")
    zone = (await current(db)).timezone
    return [Cost(*row) for row in await run(db, _COSTS, zone=zone, first=first, end=end)]

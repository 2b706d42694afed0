"""What surprises cost by months, and who ordered again."""

from datetime import date, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.loyalty.comparing import Group

WITHIN: Final = timedelta(days=90)
"""For how long an order counts as one that came after a surprise."""
_MOST_MONTHS: Final = 120


class Month(msgspec.Struct, frozen=True):
    """A month's surprises in one currency; amounts in its minor units."""

    month: date
    currency: str
    given: int
    cost: int
    budget: int | None
    """As it was last set before the month ended; None where it was in another currency."""
    declined: int
    withheld: int


class Compared(msgspec.Struct, frozen=True):
    """Customers whose first turn is long enough ago: those with surprises, those left out, and what the first cost."""

    surprised: Group
    left_out: Group
    cost: int
    """In minor units of the programme's currency, points as a thank-you among it."""


_MONTHS: Final = """
    SELECT s.month, s.currency, count(*) FILTER (WHERE s.status = 'given') AS given,
           CAST(coalesce(sum(s.cost) FILTER (WHERE s.status = 'given'), 0) AS bigint) AS cost,
           (SELECT CASE h.data ->> 'currency' WHEN s.currency THEN CAST(h.data ->> 'budget' AS bigint) END
            FROM history h WHERE h.subject = 'loyalty_programme' AND h.data ? 'budget'
                AND h.at < (s.month + interval '1 month') AT TIME ZONE :zone
            ORDER BY h.at DESC, h.id DESC LIMIT 1) AS budget,
           count(*) FILTER (WHERE s.status IN ('declined', 'lapsed')) AS declined,
           count(*) FILTER (WHERE s.status = 'withheld') AS withheld
    FROM surprise s GROUP BY s.month, s.currency ORDER BY s.month DESC, s.currency LIMIT :limit
"""
# Each customer counts once, from their first turn on, in the group of the lot, whatever became of it at the table: what
# a packer or an empty shelf decides must not choose who is compared.
_COMPARED: Final = """
    WITH turn AS (
        SELECT s.email_key, m.control, min(s.proposed_at) AS at FROM surprise s
        JOIN loyalty_member m ON m.email_key = s.email_key
        GROUP BY s.email_key, m.control HAVING min(s.proposed_at) <= :before),
    counted AS (
        SELECT t.control,
               EXISTS (SELECT FROM orders o WHERE o.email_key = t.email_key AND o.cancelled_at IS NULL
                   AND o.financial_status NOT IN ('pending', 'voided')
                   AND o.placed_at > t.at AND o.placed_at <= t.at + :within) AS again,
               (SELECT coalesce(sum(s.cost), 0) FROM surprise s WHERE s.email_key = t.email_key AND s.status = 'given'
                   AND s.currency = :currency AND s.decided_at <= t.at + :within)
               + (SELECT coalesce(sum(k.points), 0) FROM loyalty_thanks k JOIN orders o ON o.id = k.order_id
                   WHERE o.email_key = t.email_key AND NOT k.control AND o.currency = :currency
                   AND k.at BETWEEN t.at AND t.at + :within) AS cost
        FROM turn t)
    SELECT count(*) FILTER (WHERE NOT control) AS surprised, count(*) FILTER (WHERE NOT control AND again) AS again,
           count(*) FILTER (WHERE control) AS left_out, count(*) FILTER (WHERE control AND again) AS again_left_out,
           CAST(coalesce(sum(cost) FILTER (WHERE NOT control), 0) AS bigint) AS cost
    FROM counted
"""


async def months(db: AsyncConnection, actor: Actor, zone: str) -> list[Month]:
    """The months with their surprises, the newest first.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    rows = await run(db, _MONTHS, zone=zone, limit=_MOST_MONTHS)
    return [msgspec.convert(row._asdict(), Month) for row in rows]


async def compared(db: AsyncConnection, actor: Actor, currency: str) -> Compared:
    """Both groups, and what the surprised one cost in a currency.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    [row] = await run(db, _COMPARED, before=clock.now() - WITHIN, within=WITHIN, currency=currency)
    surprised, left_out = Group(row.surprised, row.again), Group(row.left_out, row.again_left_out)
    return Compared(surprised, left_out, row.cost)

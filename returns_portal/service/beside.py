"""What stands beside a question: what else is known of who asks, by the e-mail address that they asked from."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.rules import email_key
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.orders.models import FinancialStatus, FulfillmentStatus
from returns_portal.points.queries import Balance, look_up
from returns_portal.returns.models import ReturnStatus
from returns_portal.service.models import State
from returns_portal.service.queries import QuestionView

NEWEST: Final = 5
"""Of each kind, beside a question."""
MOST: Final = 200
"""Of each kind, on the page with all of them."""


class OrderBeside(msgspec.Struct, frozen=True):
    """An order, and how far it is."""

    number: str
    currency: str
    total: int
    placed_at: datetime
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    financial_status: FinancialStatus
    fulfillment_status: FulfillmentStatus


class ReturnBeside(msgspec.Struct, frozen=True):
    """A return of one of their orders, or of a gift that they were given."""

    rma: str
    status: ReturnStatus
    created_at: datetime


class ThreadBeside(msgspec.Struct, frozen=True):
    """Another question of theirs."""

    id: UUID
    number: str
    subject: str
    state: State
    opened_at: datetime


class Beside(msgspec.Struct, frozen=True):
    """The newest of each, and how many there are."""

    orders: list[OrderBeside]
    orders_count: int
    returns: list[ReturnBeside]
    returns_count: int
    threads: list[ThreadBeside]
    threads_count: int
    points: list[Balance]

    @property
    def is_all(self) -> bool:
        """Whether nothing was left out."""
        shown = len(self.orders), len(self.returns), len(self.threads)
        return shown == (self.orders_count, self.returns_count, self.threads_count)


# One statement for all three: each list by the address's own index, newest first, with its length before it was cut.
# Returns are two lists put together, since of either the one or the other every return would be read.
_BESIDE: Final = """
    WITH o AS (
        SELECT number, currency, total, placed_at, shipped_at, delivered_at, cancelled_at, financial_status,
               fulfillment_status, id FROM orders WHERE email_key = :key
    ), r AS (
        SELECT r.rma, r.status, r.created_at, r.id FROM returns r
        WHERE r.gift_id IS NULL AND r.order_id IN (SELECT id FROM o)
        UNION ALL SELECT r.rma, r.status, r.created_at, r.id FROM returns r
        WHERE r.gift_id IN (SELECT id FROM gift WHERE email_key = :key)
    ), q AS (
        SELECT id, number, subject, state, opened_at FROM question WHERE email_key = :key AND id <> :id
    )
    SELECT (SELECT coalesce(json_agg(l ORDER BY l.placed_at DESC, l.id DESC), '[]')
            FROM (SELECT * FROM o ORDER BY placed_at DESC, id DESC LIMIT :limit) l) AS orders,
           (SELECT count(*) FROM o) AS orders_count,
           (SELECT coalesce(json_agg(l ORDER BY l.id DESC), '[]')
            FROM (SELECT * FROM r ORDER BY id DESC LIMIT :limit) l) AS returns,
           (SELECT count(*) FROM r) AS returns_count,
           (SELECT coalesce(json_agg(l ORDER BY l.id DESC), '[]')
            FROM (SELECT * FROM q ORDER BY id DESC LIMIT :limit) l) AS threads,
           (SELECT count(*) FROM q) AS threads_count
"""


async def beside(db: AsyncConnection, actor: Actor, question: QuestionView, *, limit: int = NEWEST) -> Beside:
    """What else is known of who asked: at most `limit` orders, returns and earlier questions, and their points.

    Raises:
        ForbiddenError: the actor answers no questions.
    """
    actor.require("support")
    [row] = await run(db, _BESIDE, key=email_key(question.email), id=question.id, limit=limit)
    return Beside(
        orders=msgspec.convert(row.orders, list[OrderBeside]),
        orders_count=row.orders_count,
        returns=msgspec.convert(row.returns, list[ReturnBeside]),
        returns_count=row.returns_count,
        threads=msgspec.convert(row.threads, list[ThreadBeside]),
        threads_count=row.threads_count,
        points=await look_up(db, actor, question.email),
    )

"""The statement of a customer's points: what there is, what expires when, and every movement in words."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.points.queries import Balance, account_of, balances_of
from returns_portal.points.words import movement

PAGE: Final = 50


class Movement(msgspec.Struct, frozen=True):
    """One change of what can be spent, and what there was after it."""

    id: UUID
    at: datetime
    currency: str
    points: int
    balance: int
    words: str


class Statement(msgspec.Struct, frozen=True):
    """Balances by currency, and movements, the newest first; `before` leads to older ones, None where there are none.

    Everything is empty for somebody who never had points.
    """

    balances: list[Balance]
    movements: list[Movement]
    before: UUID | None


# Refunds, returns and orders are known here by their tables' names, as they are to the foreign keys.
# How a gift was paid is not its receiver's to know.
_MOVEMENTS: Final = """
    SELECT * FROM (
        SELECT t.id, t.at, t.kind, e.currency, -e.amount AS points,
               CAST(sum(-e.amount) OVER (PARTITION BY e.currency ORDER BY t.at, t.id) AS bigint) AS balance,
               coalesce(r.rma, '') AS rma, coalesce(o.number, '') AS order_number, coalesce(f.bonus, 0) AS bonus,
               coalesce(p.tender = 'points' AND r.gift_id IS NULL, false) AS paid_with_points,
               d.status AS redemption_status,
               coalesce(d.order_number, '') AS spent_on, coalesce(d.reference, '') AS reference,
               coalesce(a.reason, '') AS reason
        FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
        LEFT JOIN refund f ON f.id = t.cause_id AND t.cause = 'refund'
        LEFT JOIN returns r ON r.id = f.return_id LEFT JOIN payment p ON p.id = f.payment_id
        LEFT JOIN points_clawback c ON c.id = t.cause_id AND t.cause = 'points_clawback'
        LEFT JOIN points_redemption d ON d.id = t.cause_id AND t.cause = 'points_redemption'
        LEFT JOIN points_adjustment a ON a.id = t.cause_id AND t.cause = 'points_adjustment'
        LEFT JOIN orders o ON o.id = coalesce(f.order_id, c.order_id, CASE t.cause WHEN 'order' THEN t.cause_id END)
        WHERE e.owner_id = :id AND e.account = 'customer_points') AS every
    WHERE CAST(:before AS uuid) IS NULL
       OR (at, id) < (SELECT at, id FROM ledger_transaction WHERE id = CAST(:before AS uuid))
    ORDER BY at DESC, id DESC LIMIT :limit
"""


async def own_statement(
    db: AsyncConnection, actor: Actor, *, before: UUID | None = None, limit: int = PAGE
) -> Statement:
    """The statement of a customer: what belongs to the e-mail address to which the code was sent that let them in.

    Raises:
        NotFoundError: as `own_address`.
    """
    account_id = await own_account(db, actor)
    if account_id is None:
        return Statement([], [], None)
    return await _statement(db, account_id, before, limit)


async def own_account(db: AsyncConnection, actor: Actor) -> UUID | None:
    """The points account of the e-mail address that the customer's code was sent to; None where there never was one.

    Raises:
        NotFoundError: as `own_address`.
    """
    return await account_of(db, await own_address(db, actor))


# Gifts stand above points and are not imported here.
_ADDRESS: Final = """
    SELECT email FROM gift WHERE id = :gift_id UNION ALL SELECT email FROM orders WHERE id = :order_id
"""


async def own_address(db: AsyncConnection, actor: Actor) -> str:
    """The e-mail address that the customer's code was sent to: the receiver's own where they came in for a gift.

    Raises:
        NotFoundError: the actor came in for neither an order nor a gift, or by a way that says nothing of the inbox.
    """
    purse = {"order_id": actor.order_id, "gift_id": actor.gift_id}
    rows = await run(db, _ADDRESS, **purse) if actor.has_purse else []
    if not rows:
        raise NotFoundError(mark("There is nothing here."))
    return str(rows[0].email)


async def statement_for(
    db: AsyncConnection, actor: Actor, account_id: UUID, *, before: UUID | None = None, limit: int = PAGE
) -> Statement:
    """The statement of an account, for staff.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("support", "finance")
    return await _statement(db, account_id, before, limit)


async def _statement(db: AsyncConnection, account_id: UUID, before: UUID | None, limit: int) -> Statement:
    rows = await run(db, _MOVEMENTS, id=account_id, before=before, limit=limit + 1)
    shown = [Movement(row.id, row.at, row.currency, row.points, row.balance, movement(row)) for row in rows[:limit]]
    return Statement(await balances_of(db, account_id), shown, shown[-1].id if len(rows) > limit else None)

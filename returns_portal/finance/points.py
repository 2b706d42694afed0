"""Points as finance and support look at them: an account by itself, and what waits for a second person."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark
from returns_portal.points.statement import Statement, statement_for

SHOWN: Final = 50


class Adjustment(msgspec.Struct, frozen=True):
    """Points given or taken by hand; names are empty where it was not a member of staff."""

    id: UUID
    account_id: UUID
    email: str
    currency: str
    amount: int
    reason: str
    status: str
    requested_by: str
    """As the history names who asked."""
    requester: str
    requested_at: datetime
    decider: str
    decided_at: datetime | None


class Account(msgspec.Struct, frozen=True):
    """One customer's points, for staff."""

    id: UUID
    email: str
    currencies: list[str]
    """In which they have ordered or have points, the likeliest first."""
    statement: Statement
    adjustments: list[Adjustment]


_ADJUSTMENTS: Final = """
    SELECT d.id, d.account_id, a.email_key AS email, d.currency, d.amount, d.reason, d.status, d.requested_by,
           coalesce(s.name, '') AS requester, d.requested_at, coalesce(t.name, '') AS decider, d.decided_at
    FROM points_adjustment d JOIN points_account a ON a.id = d.account_id
    LEFT JOIN staff s ON d.requested_by = 'staff:' || s.id LEFT JOIN staff t ON d.decided_by = 'staff:' || t.id
"""
_PENDING: Final = f"{_ADJUSTMENTS} WHERE d.status = 'pending' ORDER BY d.requested_at, d.id LIMIT :limit"
_DECIDED: Final = f"""{_ADJUSTMENTS} WHERE d.status <> 'pending' AND d.requested_at >= :since
    ORDER BY d.requested_at DESC, d.id DESC LIMIT :limit"""
_OF_ACCOUNT: Final = f"""{_ADJUSTMENTS} WHERE d.account_id = :id ORDER BY d.requested_at DESC, d.id DESC LIMIT :limit"""
_ACCOUNT: Final = """
    SELECT a.email_key AS email, ARRAY(
        SELECT currency FROM (
            SELECT currency, 1 AS rank FROM ledger_entry WHERE owner_id = a.id
            UNION ALL SELECT currency, 2 FROM orders o WHERE o.email_key = a.email_key) AS known
        GROUP BY currency ORDER BY min(rank), count(*) DESC, currency) AS currencies
    FROM points_account a WHERE a.id = :id
"""


async def pending(db: AsyncConnection, actor: Actor) -> list[Adjustment]:
    """What waits for a second person, the oldest first.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("finance", "support")
    return [Adjustment(*row) for row in await run(db, _PENDING, limit=SHOWN)]


async def decided(db: AsyncConnection, actor: Actor, since: datetime) -> list[Adjustment]:
    """What was given and taken since, the newest first.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
    """
    actor.require("finance", "support")
    return [Adjustment(*row) for row in await run(db, _DECIDED, since=since, limit=SHOWN)]


async def account_for(db: AsyncConnection, actor: Actor, account_id: UUID, before: UUID | None = None) -> Account:
    """One account.

    Raises:
        ForbiddenError: the actor is neither of support nor of finance.
        NotFoundError: there is none.
    """
    statement = await statement_for(db, actor, account_id, before=before)
    found = await run(db, _ACCOUNT, id=account_id)
    if not found:
        raise NotFoundError(mark("There is no such points account."))
    rows = await run(db, _OF_ACCOUNT, id=account_id, limit=SHOWN)
    return Account(account_id, found[0].email, found[0].currencies, statement, [Adjustment(*row) for row in rows])

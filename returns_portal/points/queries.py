"""What a customer has in points, and what a redemption has come to."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import email_key
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import NotFoundError
from returns_portal.i18n import mark


class Expiring(msgspec.Struct, frozen=True):
    """Points that expire at one moment; None for those that never do."""

    points: int
    expires_at: datetime | None


class Balance(msgspec.Struct, frozen=True):
    """Points of one currency; one point is one minor unit."""

    currency: str
    points: int
    """What can be spent."""
    held: int
    """What is set aside for purchases that are being paid."""
    expiring: list[Expiring]
    """What `points` consist of, the first to expire first."""


class Redemption(msgspec.Struct, frozen=True):
    """A payment with points, in minor units of `currency`."""

    id: UUID
    status: str
    """held, captured or released."""
    currency: str
    amount: int
    """What was held."""
    captured: int
    """What was spent; the rest went back to the customer."""
    order_number: str
    reference: str
    expires_at: datetime
    """When the hold is released if nothing becomes of it."""
    created_at: datetime
    settled_at: datetime | None


async def account_of(db: AsyncConnection, email: str) -> UUID | None:
    """The points account of this address; None where there never was one."""
    rows = await run(db, "SELECT id FROM points_account WHERE email_key = :key", key=email_key(email))
    return rows[0].id if rows else None


async def balances(db: AsyncConnection, actor: Actor, email: str) -> dict[str, int]:
    """Points by currency that can be spent. Empty for an address that never had any.

    Raises:
        ForbiddenError: the actor may not look up customers' points.
    """
    return {balance.currency: balance.points for balance in await look_up(db, actor, email)}


async def look_up(db: AsyncConnection, actor: Actor, email: str) -> list[Balance]:
    """What an address has, by currency. Empty for one that never had any.

    Raises:
        ForbiddenError: the actor may not look up customers' points.
    """
    actor.require("points:read", "support", "finance")
    account_id = await account_of(db, email)
    return await balances_of(db, account_id) if account_id else []


# What has expired is gone for the customer at once; the books hear of it from the next round of `expiry`.
_BALANCES: Final = """
    SELECT e.currency,
           CAST(coalesce(-sum(e.amount) FILTER (WHERE e.account = 'customer_points'), 0) - (
               SELECT coalesce(sum(remaining), 0) FROM points_lot
               WHERE account_id = :id AND currency = e.currency AND remaining > 0 AND expires_at <= :now
           ) AS bigint) AS points,
           CAST(coalesce(-sum(e.amount) FILTER (WHERE e.account = 'points_held'), 0) AS bigint) AS held,
           (SELECT json_agg(json_build_object('points', l.points, 'expires_at', l.expires_at) ORDER BY l.expires_at)
            FROM (SELECT expires_at, sum(remaining) AS points FROM points_lot
                  WHERE account_id = :id AND currency = e.currency AND remaining > 0
                    AND (expires_at IS NULL OR expires_at > :now) GROUP BY expires_at) AS l
           ) AS expiring
    FROM ledger_entry e WHERE e.owner_id = :id GROUP BY e.currency ORDER BY e.currency
"""


async def balances_of(db: AsyncConnection, account_id: UUID) -> list[Balance]:
    """What an account has, by currency; the caller has made sure that the actor may know."""
    return [
        Balance(row.currency, row.points, row.held, msgspec.convert(row.expiring or [], list[Expiring]))
        for row in await run(db, _BALANCES, id=account_id, now=clock.now())
    ]


_REDEMPTION: Final = """
    SELECT id, status, currency, amount, captured, order_number, reference, expires_at, created_at, settled_at
    FROM points_redemption WHERE id = :id
"""


async def redemption_for(db: AsyncConnection, actor: Actor, redemption_id: UUID) -> Redemption:
    """One redemption, if the actor may see it.

    Raises:
        ForbiddenError: the actor may not see customers' points.
        NotFoundError: there is none.
    """
    actor.require("points:read", "points:write", "support", "finance")
    rows = await run(db, _REDEMPTION, id=redemption_id)
    if not rows:
        raise NotFoundError(mark("There is no such redemption."), code="redemption_not_found")
    return Redemption(*rows[0])

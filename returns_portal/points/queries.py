"""What a customer has in points."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal.actor import Actor
from returns_portal.ledger.models import LedgerEntry
from returns_portal.points.actions import email_key
from returns_portal.points.models import PointsAccount


async def balances(db: AsyncConnection, actor: Actor, email: str) -> dict[str, int]:
    """Points by currency; one point is one minor unit. Empty for an address that never had any.

    Raises:
        ForbiddenError: the actor may not look up customers' points.
    """
    actor.require("points:read", "support", "finance")
    rows = await db.execute(
        select(col(LedgerEntry.currency), -func.sum(col(LedgerEntry.amount)))
        .join(PointsAccount, col(PointsAccount.id) == col(LedgerEntry.owner_id))
        .where(col(PointsAccount.email_key) == email_key(email))
        .group_by(col(LedgerEntry.currency))
        .order_by(col(LedgerEntry.currency))
    )
    return {currency: int(points) for currency, points in rows}

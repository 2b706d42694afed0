"""The jobs of new orders."""

from uuid import UUID

from returns_portal.confirming.receiving import look_again, look_at
from returns_portal.jobs import JobContext, job


@job("confirming.look_at")
async def look(context: JobContext, order_id: str) -> None:
    """Do what the shop has chosen to do about a new order."""
    async with context.begin() as db:
        await look_at(db, UUID(order_id))


@job("confirming.look_again")
async def look_once_more(context: JobContext, order_id: str) -> None:
    """See whether the call about an order that has changed is still needed, and why."""
    async with context.begin() as db:
        await look_again(db, UUID(order_id))

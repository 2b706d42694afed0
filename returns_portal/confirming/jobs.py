"""The jobs of new orders."""

from uuid import UUID

from returns_portal.confirming.receiving import look_at
from returns_portal.jobs import JobContext, job


@job("confirming.look_at")
async def look(context: JobContext, order_id: str) -> None:
    """Do what the shop has chosen to do about a new order."""
    async with context.begin() as db:
        await look_at(db, UUID(order_id))

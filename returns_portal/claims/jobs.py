"""The jobs of claims."""

from returns_portal.actor import SYSTEM
from returns_portal.claims.actions import close_settled
from returns_portal.jobs import JobContext, job


@job("claims.close", cron="*/5 * * * *")
async def close(context: JobContext) -> None:
    """Close claims whose money has been released since they were decided."""
    async with context.begin() as db:
        await close_settled(db, SYSTEM)

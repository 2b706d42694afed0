"""Tidying up."""

from returns_portal.accounts import actions
from returns_portal.jobs import JobContext, job


@job("accounts.sweep", cron="23 * * * * 0")
async def sweep(context: JobContext) -> None:
    """Drop expired sessions, codes and counts, every hour."""
    async with context.begin() as db:
        await actions.sweep(db)

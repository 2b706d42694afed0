"""What the dock does by itself."""

from returns_portal.jobs import JobContext, job
from returns_portal.warehouse import pictures


@job("warehouse.sweep", cron="17 3 * * * 0")
async def sweep(context: JobContext) -> None:
    """Drop what was begun and never ended."""
    async with context.begin() as db:
        await pictures.drop_drafts(db)

"""The jobs of privacy."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.privacy import exporting


@job("privacy.write_export")
async def write_export(context: JobContext, request_id: str) -> None:
    """Make the files with everything about a person."""
    await exporting.write(context, UUID(request_id))


@job("privacy.sweep", cron="17 3 * * *")
async def sweep(context: JobContext) -> None:
    """Delete old wishes with their files."""
    await exporting.sweep(context.begin)

"""The jobs of gifts."""

from returns_portal.gifts import expiring
from returns_portal.jobs import JobContext, job


@job("gifts.cancel_unsent", cron="35 3 * * *")
async def cancel_unsent(context: JobContext) -> None:
    """Cancel returns of gifts that nobody sent."""
    await expiring.cancel_unsent(context.begin)

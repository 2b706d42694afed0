"""The jobs of refunds."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.refunds import settling


@job("refunds.submit", attempts=40)
async def submit(context: JobContext, refund_id: str) -> None:
    """Make one refund happen."""
    await settling.submit(context, UUID(refund_id))


@job("refunds.poll", cron="* * * * * */15")
async def poll(context: JobContext) -> None:
    """Ask the gateway about what it has not finished."""
    await settling.poll(context)

"""The jobs of the programme for loyal customers."""

from returns_portal.jobs import JobContext, job
from returns_portal.loyalty import proposing


@job("loyalty.propose", cron="* * * * * */30")
async def propose(context: JobContext) -> None:
    """Look twice a minute at what waits to be packed."""
    await proposing.propose(context.begin)

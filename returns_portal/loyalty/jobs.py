"""The jobs of the programme for loyal customers."""

from returns_portal.jobs import JobContext, job
from returns_portal.loyalty import proposing, thanking


@job("loyalty.propose", cron="* * * * * */30")
async def propose(context: JobContext) -> None:
    """Look twice a minute at what waits to be packed."""
    await proposing.propose(context.begin)


@job("loyalty.thank", cron="25 * * * * 0")
async def thank(context: JobContext) -> None:
    """Give points for orders of which much was kept, every hour."""
    await thanking.thank(context.begin)

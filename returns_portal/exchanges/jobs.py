"""The jobs of exchanges."""

from uuid import UUID

from returns_portal.exchanges import deadlines, ending, paying
from returns_portal.jobs import JobContext, job


@job("exchanges.charge", attempts=40)
async def charge(context: JobContext, charge_id: str) -> None:
    """Ask for the payment of a difference, or for a hold, or what became of it."""
    await paying.charge(context, UUID(charge_id))


@job("exchanges.sweep", cron="* * * * *")
async def sweep(context: JobContext) -> None:
    """End what waits for too long, and set going again what hangs."""
    await ending.sweep(context.begin)


@job("exchanges.deadlines", cron="*/5 * * * *")
async def look_at_deadlines(context: JobContext) -> None:
    """Remind of goods that are to come back, renew holds, and charge for what did not come."""
    await deadlines.look(context.begin)

"""The jobs of points."""

from uuid import UUID

from returns_portal.actor import SYSTEM
from returns_portal.jobs import JobContext, job
from returns_portal.points import earning, expiry, redemptions


@job("points.settle")
async def settle(context: JobContext, order_id: str) -> None:
    """Give a purchase's points, or take them back where the order is off."""
    async with context.begin() as db:
        await earning.settle(db, SYSTEM, UUID(order_id))


@job("points.release", cron="* * * * * 40")
async def release(context: JobContext) -> None:
    """Give back what is held beyond its time, every minute."""
    await redemptions.release_overdue(context.begin)


@job("points.expire", cron="5 * * * * 0")
async def expire(context: JobContext) -> None:
    """Take what has expired, every hour: points end with a day of the shop, wherever that is."""
    await expiry.expire(context.begin)


@job("points.remind", cron="15 * * * * 0")
async def remind(context: JobContext) -> None:
    """Tell of points that expire soon, every hour."""
    await expiry.remind(context.begin)

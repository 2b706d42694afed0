"""The jobs of new orders, and of couriers who bring them."""

from uuid import UUID

from returns_portal.confirming import carrier_news
from returns_portal.confirming.announcing import forget_couriers
from returns_portal.confirming.receiving import look_again, look_at
from returns_portal.jobs import JobContext, job
from returns_portal.settings import Settings


@job("confirming.look_at")
async def look(context: JobContext, order_id: str) -> None:
    """Do what the shop has chosen to do about a new order."""
    async with context.begin() as db:
        await look_at(db, UUID(order_id))


@job("confirming.look_again")
async def look_once_more(context: JobContext, order_id: str) -> None:
    """See whether the call about an order that has changed is still needed, and why."""
    async with context.begin() as db:
        await look_again(db, UUID(order_id))


@job("confirming.read_news")
async def read_news(context: JobContext, news_id: str) -> None:
    """Announce the courier of a parcel that a carrier told of, where it is one that we sent."""
    async with context.begin() as db:
        await carrier_news.read(db, context.service(Settings), UUID(news_id))


@job("confirming.forget_couriers", cron="17 4 * * * 0")
async def forget(context: JobContext) -> None:
    """Forget the names of couriers who came long ago."""
    async with context.begin() as db:
        await forget_couriers(db)

"""The jobs of what is not in stock: telling that it is back, noting who came back, ending what is too old."""

from returns_portal.demand import telling
from returns_portal.jobs import JobContext, job
from returns_portal.settings import Settings


@job("demand.tell", cron="* * * * * 20", attempts=1)
async def tell(context: JobContext) -> None:
    """Tell those who wait for what came into stock."""
    await telling.tell(context.begin, context.service(Settings))


@job("demand.note_who_came_back", cron="*/10 * * * * 40", attempts=1)
async def note_who_came_back(context: JobContext) -> None:
    """Note who has ordered what they had asked for."""
    async with context.begin() as db:
        await telling.note_who_came_back(db)


@job("demand.end_old", cron="17 4 * * * 0")
async def end_old(context: JobContext) -> None:
    """End wishes whose time is over."""
    async with context.begin() as db:
        await telling.end_old(db)

"""The jobs of labels, parcels and pick-ups."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.labels import announcing, buying, inbox, pickups, run_jobs, sweeping, together, tracking, voiding


@job("labels.buy", attempts=25)
async def buy(context: JobContext, label_id: str) -> None:
    """Buy a label that was requested."""
    await buying.buy(context, UUID(label_id))


@job("labels.void", attempts=25)
async def void(context: JobContext, label_id: str) -> None:
    """Ask for the money of a label that nobody used."""
    await voiding.ask(context, UUID(label_id))


@job("labels.track")
async def track(context: JobContext, label_id: str) -> None:
    """Ask where a parcel is."""
    await tracking.track(context, UUID(label_id))


@job("labels.read_news", attempts=25)
async def read_news(context: JobContext, news_id: str) -> None:
    """Look at what a carrier told of."""
    await inbox.read(context, UUID(news_id))


@job("labels.book_pickup", attempts=25)
async def book_pickup(context: JobContext, pickup_id: str) -> None:
    """Book a pick-up."""
    await pickups.book(context, UUID(pickup_id))


@job("labels.cancel_pickup")
async def cancel_pickup(context: JobContext, pickup_id: str) -> None:
    """Call a pick-up off."""
    await pickups.call_off(context, UUID(pickup_id))


@job("labels.announce_pickup")
async def announce_pickup(context: JobContext, pickup_id: str, stage: str = "") -> None:
    """Tell the customer who comes, and when."""
    await announcing.announce(context, UUID(pickup_id), soon=stage == "soon")


@job("labels.make_part", attempts=25)
async def make_part(context: JobContext, run_id: str, number: str) -> None:
    """Make a piece of a run of labels."""
    await run_jobs.make_part(context, UUID(run_id), int(number))


@job("labels.bind_run", attempts=25)
async def bind_run(context: JobContext, run_id: str) -> None:
    """Put the pieces of a run of labels together."""
    await run_jobs.bind_run(context, UUID(run_id))


@job("labels.regroup", attempts=25)
async def regroup(context: JobContext, return_id: str) -> None:
    """Give a parcel whose leading return was cancelled another one that leads."""
    await together.regroup(context.begin, UUID(return_id))


@job("labels.sweep", cron="* * * * *")
async def sweep(context: JobContext) -> None:
    """Catch up with check-ins, cancellations and pick-ups."""
    await sweeping.sweep(context.begin)
    await pickups.sweep(context.begin)


@job("labels.poll", cron="*/5 * * * *")
async def poll(context: JobContext) -> None:
    """Ask after parcels that nothing was told of for a while."""
    await tracking.poll(context.begin)


@job("labels.watch", cron="23 * * * *")
async def watch(context: JobContext) -> None:
    """Tell of parcels that do not move, and give unused labels back."""
    await sweeping.watch(context.begin)


@job("labels.mind_runs", cron="*/10 * * * *")
async def mind_runs(context: JobContext) -> None:
    """Wake runs of labels that stand still, and delete old ones."""
    await run_jobs.mind(context.begin)


@job("labels.forget_bodies", cron="27 3 * * *")
async def forget_bodies(context: JobContext) -> None:
    """Delete the bytes of old news."""
    await inbox.forget_bodies(context.begin)

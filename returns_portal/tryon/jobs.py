"""The jobs of trials."""

from datetime import datetime
from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.tryon import asking, authorising, claims, ending, renewing, settling, shipping, sweeping
from returns_portal.tryon.restocking import restock


@job("tryon.submit", attempts=40)
async def submit(context: JobContext, charge_id: str) -> None:
    """Hold, keep or charge a card."""
    await asking.submit(context, UUID(charge_id))


@job("tryon.release", attempts=40)
async def release(context: JobContext, charge_id: str) -> None:
    """Let go of what is held, or was begun."""
    await asking.submit(context, UUID(charge_id))


@job("tryon.refresh", attempts=40)
async def refresh(context: JobContext, charge_id: str) -> None:
    """Read what became of a charge."""
    await authorising.refresh(context, UUID(charge_id))


@job("tryon.settle", attempts=40)
async def settle(context: JobContext, trial_id: str) -> None:
    """Charge what is kept."""
    await settling.settle(context, UUID(trial_id))


@job("tryon.received", attempts=40)
async def received(context: JobContext, order_id: str) -> None:
    """Look at a trial of which something was counted."""
    async with context.begin() as db:
        await restock(db, UUID(order_id))
    await settling.received(context, UUID(order_id))


@job("tryon.unwind", attempts=40)
async def unwind(context: JobContext, trial_id: str) -> None:
    """Give back what was held and paid for a trial that was called off."""
    await settling.unwind(context, UUID(trial_id))


@job("tryon.claim_lost")
async def claim_lost(context: JobContext, label_id: str) -> None:
    """Open a claim for a parcel that a carrier lost."""
    async with context.begin() as db:
        await claims.open_for_lost(db, UUID(label_id))


@job("tryon.scanned")
async def scanned(context: JobContext, return_id: str, moment: str) -> None:
    """A carrier has the parcel of a trial's return in hand."""
    async with context.begin() as db:
        await shipping.scanned_of(db, UUID(return_id), datetime.fromisoformat(moment))


@job("tryon.read_event", attempts=40)
async def read_event(context: JobContext, event_id: str) -> None:
    """Derive from the gateway what an event told of."""
    await sweeping.read_event(context, UUID(event_id))


@job("tryon.end_trials", cron="* * * * *")
async def end_trials(context: JobContext) -> None:
    """Remind, end, and charge again what is due."""
    await ending.end_trials(context.begin)


@job("tryon.renew_holds", cron="*/10 * * * *")
async def renew_holds(context: JobContext) -> None:
    """Deal with the holds that are about to end."""
    await renewing.renew_holds(context.begin)


@job("tryon.sweep", cron="* * * * *")
async def sweep(context: JobContext) -> None:
    """Set going again what hangs."""
    await sweeping.sweep(context.begin)

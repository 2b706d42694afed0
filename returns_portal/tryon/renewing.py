"""Holds that are about to end while their trial goes on: renewed, or turned into a charge of what is surely kept."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.jobs import defer
from returns_portal.tryon import checkout
from returns_portal.tryon.models import ChargeStatus
from returns_portal.tryon.queries import trial_by_id
from returns_portal.tryon.settlement import plan
from returns_portal.tryon.steps import facts_of, let_go, write_charge

AHEAD: Final = timedelta(hours=24)
"""So long before a hold ends it is dealt with."""
_BATCH: Final = 100

# Page by page past what was dealt with: a hold whose charge is on its way stays where it is, and is in nobody's way.
_ENDING: Final = """
    SELECT id, trial_id, capture_before FROM trial_charge
    WHERE kind = 'hold' AND status = 'held' AND capture_before < :before
        AND (capture_before, id) > (:after_moment, CAST(:after_id AS uuid))
    ORDER BY capture_before, id LIMIT :limit
"""
_FIRST: Final = (datetime.min.replace(tzinfo=UTC), UUID(int=0))


async def renew_holds(begin: Begin) -> None:
    """Deal with every hold that is about to end."""
    before, (moment, last) = clock.now() + AHEAD, _FIRST
    while True:
        async with begin() as db:
            rows = await run(db, _ENDING, before=before, after_moment=moment, after_id=last, limit=_BATCH)
        for row in rows:
            async with begin() as db:
                await renew(db, row.trial_id, row.id)
        if len(rows) < _BATCH:
            return
        moment, last = rows[-1].capture_before, rows[-1].id


async def renew(db: AsyncConnection, trial_id: UUID, hold_id: UUID) -> None:
    """Deal with one hold that is about to end, unless that was done."""
    trial = await trial_by_id(db, trial_id, lock=True)
    hold = (
        next((c for c in trial.charges if c.id == hold_id and c.status == ChargeStatus.HELD), None) if trial else None
    )
    if trial is None or hold is None or hold.capture_before is None:
        return
    if hold.capture_before <= clock.now():
        # It has ended by itself, as far as we know: the gateway says so.
        await _ask(db, hold.id, "tryon.refresh")
    elif trial.status in checkout.RUNNING:
        found = plan(trial, await facts_of(db, trial), clock.now(), decided_only=True)
        if found.capture is not None:
            await _ask(db, await write_charge(db, trial, found), "tryon.submit")
        elif not found.under_way:
            # The old one first, and the new one when that is certain: both together would hold more than was said.
            await checkout.plan_hold(db, trial, unattended=True)
            await let_go(db, hold)
    else:
        await let_go(db, hold)


async def _ask(db: AsyncConnection, charge_id: UUID, job: str) -> None:
    await defer(db, job, charge_id=str(charge_id))

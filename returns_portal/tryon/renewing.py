"""Holds that are about to end while their trial goes on: renewed, or turned into a charge of what is surely kept."""

from datetime import timedelta
from typing import Any, Final
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

_ENDING: Final = """
    SELECT c.id, c.trial_id, t.status FROM trial_charge c JOIN trial t ON t.id = c.trial_id
    WHERE c.kind = 'hold' AND c.status = 'held' AND c.capture_before < :before
    ORDER BY c.capture_before LIMIT :limit
"""


async def renew_holds(begin: Begin) -> None:
    """Deal with every hold that is about to end."""
    now = clock.now()
    async with begin() as db:
        rows = await run(db, _ENDING, before=now + AHEAD, limit=_BATCH)
    for row in rows:
        async with begin() as db:
            await _renew(db, row)


async def _renew(db: AsyncConnection, row: Any) -> None:  # noqa: ANN401 - a row
    trial = await trial_by_id(db, row.trial_id, lock=True)
    hold = next((c for c in trial.charges if c.id == row.id and c.status == ChargeStatus.HELD), None) if trial else None
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
            await checkout.plan_hold(db, trial)
            await let_go(db, hold)
    else:
        await let_go(db, hold)


async def _ask(db: AsyncConnection, charge_id: UUID, job: str) -> None:
    await defer(db, job, charge_id=str(charge_id))

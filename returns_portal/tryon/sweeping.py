"""What hangs is set going again: charges whose job was lost, answers that nobody told of, grace that is over."""

from typing import Final
from uuid import UUID

import structlog

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.jobs import JobContext, defer_many
from returns_portal.payments import inbox
from returns_portal.tryon.asking import submit
from returns_portal.tryon.authorising import give_up

log = structlog.get_logger(__name__)

# While the gateway is away its jobs wait longer and longer; they are not joined by more of them each minute.
_JOBS: Final = """
    ARRAY(SELECT j.args->>'{name}' FROM procrastinate_jobs j
          WHERE j.status IN ('todo', 'doing') AND j.task_name LIKE 'tryon.%' AND j.args->>'{name}' IS NOT NULL)
"""
_HANGING: Final = f"""
    SELECT id FROM trial_charge
    WHERE status IN ('planned', 'submitting', 'unknown', 'capturing', 'canceling') AND changed_at < :late
     AND CAST(id AS text) <> ALL({_JOBS.format(name="charge_id")})
     AND CAST(trial_id AS text) <> ALL({_JOBS.format(name="trial_id")})
    ORDER BY changed_at LIMIT 200
"""  # noqa: S608 - our own text
_WAITING: Final = """
    SELECT id FROM trial_charge WHERE status = 'action_needed' AND reference IS NOT NULL ORDER BY random() LIMIT 50
"""
_OPEN: Final = f"""
    SELECT t.id FROM trial t WHERE t.status = 'settling'
     AND NOT EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.kind <> 'setup'
        AND c.status IN ('planned', 'submitting', 'unknown', 'action_needed', 'capturing', 'canceling'))
     AND (t.grace_ends_at <= :now OR t.changed_at < :late AND EXISTS (
        SELECT FROM trial_item i WHERE i.trial_id = t.id AND i.outcome = 'open' AND i.decision IN ('keep', 'problem')))
     AND CAST(t.id AS text) <> ALL({_JOBS.format(name="trial_id")})
    ORDER BY t.grace_ends_at LIMIT 500
"""  # noqa: S608 - as above
_UNSETTLED: Final = f"""
    SELECT t.id FROM trial t WHERE t.status = 'settling' AND t.changed_at < :late AND NOT EXISTS (
        SELECT FROM trial_item i WHERE i.trial_id = t.id AND i.outcome = 'open')
     AND CAST(t.id AS text) <> ALL({_JOBS.format(name="trial_id")}) LIMIT 500
"""  # noqa: S608 - as above


async def sweep(begin: Begin) -> None:
    """Set going again what has lost its job, and ask about what waits for somebody else."""
    now, late = clock.now(), clock.minutes_ago(5)
    await give_up(begin)
    async with begin() as db:
        hanging, waiting = await run(db, _HANGING, late=late), await run(db, _WAITING)
        open_ones = await run(db, _OPEN, now=now, late=late)
        open_ones += await run(db, _UNSETTLED, late=late)
        await defer_many(db, "tryon.submit", [{"charge_id": str(row.id)} for row in hanging])
        await defer_many(db, "tryon.refresh", [{"charge_id": str(row.id)} for row in waiting])
        await defer_many(db, "tryon.settle", [{"trial_id": str(id_)} for id_ in {row.id for row in open_ones}])


async def read_event(context: JobContext, event_id: UUID) -> None:
    """Something was told of a payment or a setup: where it is a trial's, it is read anew.

    Raises:
        GatewayUnknownError: no answer.
    """
    async with context.begin() as db:
        told = await inbox.subject(db, event_id)
        rows = await run(db, "SELECT id FROM trial_charge WHERE reference = :id", id=told.object_id)
    for row in rows:
        await submit(context, row.id)
    async with context.begin() as db:
        await inbox.handled(db, event_id)

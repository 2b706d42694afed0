"""The calendar of trials: reminders, ends, parcels that must have arrived, and charges that are due again."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.jobs import defer_many
from returns_portal.tryon.checkout import ends_without_card
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import TrialStatus
from returns_portal.tryon.queries import trial_by_id
from returns_portal.tryon.settlement import PENDING, REMINDERS
from returns_portal.tryon.shipping import assume_delivered
from returns_portal.tryon.steps import start, start_row

T = TrialStatus
_BATCH: Final = 50
_RUNNING: Final = frozenset({T.DELIVERED, T.AUTHORISATION_EXPIRED})
_DAY: Final = timedelta(days=1)
_JUST_ARRIVED: Final = timedelta(hours=12)
"""Whoever was told of the arrival so short a time ago is not reminded yet."""

_UNDECIDED: Final = (
    "EXISTS (SELECT FROM trial_item i WHERE i.trial_id = t.id AND i.outcome = 'open' AND i.decision = 'undecided')"
)


async def end_trials(begin: Begin) -> None:
    """Do what the calendar says of every trial."""
    async with begin() as db:
        await assume_delivered(db)
    await _remind(begin)
    while await _end_some(begin) == _BATCH:
        pass
    await _end_without_card(begin)
    await _charge_again(begin)


_TO_REMIND: Final = f"""
    SELECT t.id FROM trial t WHERE t.status IN ('delivered', 'authorisation_expired') AND t.mode = 'trial'
     AND t.ends_at > :now
     AND (t.ends_at <= :tomorrow AND t.reminders < 2
       OR t.ends_at <= :after AND t.reminders = 0 AND t.delivered_at < :arrived) AND {_UNDECIDED}
    ORDER BY t.ends_at LIMIT 500
"""  # noqa: S608 - our own text


async def _remind(begin: Begin) -> None:
    now = clock.now()
    async with begin() as db:
        due = await run(db, _TO_REMIND, now=now, tomorrow=now + _DAY, after=now + 2 * _DAY, arrived=now - _JUST_ARRIVED)
    for row in due:
        async with begin() as db:
            await _remind_one(db, row.id, now)


async def _remind_one(db: AsyncConnection, trial_id: UUID, now: datetime) -> None:
    trial = await trial_by_id(db, trial_id, lock=True)
    if trial is None or trial.status not in _RUNNING or trial.ends_at is None or not trial.undecided:
        return
    last = trial.ends_at <= now + _DAY
    if trial.reminders < (REMINDERS if last else 1):
        await _send_reminder(db, trial_id, last=last)


_REMINDED: Final = "UPDATE trial SET reminders = :reminders, ends_at = coalesce(:ends_at, ends_at) WHERE id = :id"


async def _send_reminder(db: AsyncConnection, trial_id: UUID, *, last: bool, ends_at: datetime | None = None) -> None:
    await run(db, _REMINDED, id=trial_id, reminders=REMINDERS if last else 1, ends_at=ends_at)
    await history.record(db, SYSTEM, ("trial", trial_id, "reminded", {"last": last}))
    trial = await trial_by_id(db, trial_id)
    if trial is not None:
        undecided = [str(item.id) for item in trial.undecided]
        await tell(db, trial, "trial_reminder", last=last, undecided=undecided)


_PENDING: Final = ", ".join(f"'{status.value}'" for status in PENDING)
_ENDED: Final = f"""
    SELECT t.id, t.ends_at, t.mode, t.reminders, t.silence_keeps, (t.policy->>'grace_days')::int AS grace_days,
           {_UNDECIDED} AS undecided,
           EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.status IN ({_PENDING})) AS asked
    FROM trial t JOIN orders o ON o.id = t.order_id
    WHERE t.status = 'delivered' AND (t.ends_at <= :now OR t.mode = 'purchase')
    ORDER BY t.ends_at LIMIT {_BATCH} FOR UPDATE OF o SKIP LOCKED
"""  # noqa: S608 - our own text


async def _end_some(begin: Begin) -> int:
    """End some of the trials whose time is over; how many there were."""
    async with begin() as db:
        rows = await run(db, _ENDED, now=clock.now())
        ended = [row.id for row in rows if await _end_one(db, row)]
        await defer_many(db, "tryon.settle", [{"trial_id": str(id_)} for id_ in ended])
    return len(rows)


async def _end_one(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """End one, and say whether its settlement is to be asked for."""
    now = clock.now()
    if row.undecided and row.silence_keeps and row.reminders < REMINDERS and row.mode == "trial":
        # Silence means keeping only after reminders, and none went out: so there is another day.
        await _send_reminder(db, row.id, last=True, ends_at=now + _DAY)
        return False
    if row.asked:
        trial = await trial_by_id(db, row.id)
        if trial is not None:
            await start(db, SYSTEM, trial)
        return False
    await start_row(db, SYSTEM, row.id, max(now, row.ends_at), row.grace_days)
    return True


_LOST: Final = "SELECT id FROM trial WHERE status = 'authorisation_expired' AND shipped_at IS NOT NULL ORDER BY id"


async def _end_without_card(begin: Begin) -> None:
    """A trial whose hold was lost ends as any other does."""
    async with begin() as db:
        rows = await run(db, _LOST)
    for row in rows:
        async with begin() as db:
            trial = await trial_by_id(db, row.id, lock=True)
            ends_at = ends_without_card(trial) if trial else None
            over = ends_at is not None and ends_at <= clock.now()
            if trial is not None and over and trial.status == T.AUTHORISATION_EXPIRED:
                await start(db, SYSTEM, trial)


_AGAIN: Final = f"""
    SELECT t.id FROM trial t WHERE t.status = 'payment_action_needed'
     AND NOT EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.kind <> 'setup'
        AND c.status IN ({_PENDING}))
     AND coalesce((SELECT max(c.next_try_at) FROM trial_charge c WHERE c.trial_id = t.id AND c.status = 'failed'),
        '-infinity') <= :now
    ORDER BY t.id LIMIT 500
"""  # noqa: S608 - our own text


async def _charge_again(begin: Begin) -> None:
    """Try what the bank refused again, when it is time."""
    async with begin() as db:
        rows = await run(db, _AGAIN, now=clock.now())
    for row in rows:
        async with begin() as db:
            trial = await trial_by_id(db, row.id, lock=True)
            if trial is not None and trial.status == T.PAYMENT_ACTION_NEEDED:
                await move_to(db, SYSTEM, row.id, T.SETTLING, reason="retry")
                await defer_many(db, "tryon.settle", [{"trial_id": str(row.id)}])

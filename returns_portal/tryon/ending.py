"""The calendar of trials: reminders, ends, parcels that must have arrived, and charges that are due again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.jobs import defer_many
from returns_portal.shop.queries import current
from returns_portal.tryon.checkout import ends_without_card, go_on, plan_hold
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import move_to
from returns_portal.tryon.models import TrialStatus
from returns_portal.tryon.queries import TrialView, trial_by_id
from returns_portal.tryon.rules import trial_ends
from returns_portal.tryon.settlement import PENDING, REMINDERS
from returns_portal.tryon.shipping import assume_delivered
from returns_portal.tryon.steps import start, start_row

T = TrialStatus
_BATCH: Final = 50
_DAY: Final = timedelta(days=1)
_APART: Final = timedelta(hours=12)
"""Whoever was told of the arrival, or reminded, so short a time ago is not reminded yet."""

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
    await _hold_again(begin)


# One that was given up for good is not followed by another: its trial ends as one that nobody was reminded of.
_TO_REMIND: Final = f"""
    SELECT t.id, l.written > 0 AS last FROM trial t CROSS JOIN LATERAL (
        SELECT count(*) AS written, count(*) FILTER (WHERE e.status = 'sent') AS sent, max(e.created_at) AS last_at
        FROM email e WHERE e.subject_id = t.id AND e.template = 'trial_reminder' AND e.created_at >= t.reminders_since
     ) AS l
    WHERE t.status IN ('delivered', 'authorisation_expired') AND t.mode = 'trial' AND t.ends_at > :now
     AND (l.written = 0 AND t.ends_at <= :after AND t.reminders_since <= :before
       OR l.written = 1 AND l.sent = 1 AND t.ends_at <= :tomorrow AND l.last_at <= :before)
     AND (CAST(:only AS uuid) IS NULL OR t.id = :only) AND {_UNDECIDED}
    ORDER BY t.ends_at LIMIT 500
"""  # noqa: S608 - our own text


async def _remind(begin: Begin) -> None:
    async with begin() as db:
        due = await _to_remind(db)
    for row in due:
        async with begin() as db:
            trial = await trial_by_id(db, row.id, lock=True)
            # Looked at again under the lock: the customer may have decided meanwhile, or another worker written.
            if trial is not None and (now := await _to_remind(db, only=row.id)):
                await _send_reminder(db, trial, last=now[0].last)


async def _to_remind(db: AsyncConnection, *, only: UUID | None = None) -> Sequence[Any]:
    now = clock.now()
    moments = {"now": now, "tomorrow": now + _DAY, "after": now + 2 * _DAY, "before": now - _APART}
    return await run(db, _TO_REMIND, only=only, **moments)


async def _send_reminder(db: AsyncConnection, trial: TrialView, *, last: bool) -> None:
    await history.record(db, SYSTEM, ("trial", trial.id, "reminded", {"last": last}))
    undecided = [str(item.id) for item in trial.undecided]
    await tell(db, trial, "trial_reminder", last=last, undecided=undecided)


_PENDING: Final = ", ".join(f"'{status.value}'" for status in PENDING)
_ENDED: Final = f"""
    SELECT t.id, t.ends_at, t.mode, t.silence_keeps, l.sent, l.given_up, (t.policy->>'grace_days')::int AS grace_days,
           {_UNDECIDED} AS undecided,
           EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.status IN ({_PENDING})) AS asked
    FROM trial t JOIN orders o ON o.id = t.order_id CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE e.status = 'sent') AS sent,
               count(*) FILTER (WHERE e.status = 'failed') AS given_up
        FROM email e WHERE e.subject_id = t.id AND e.template = 'trial_reminder' AND e.created_at >= t.reminders_since
     ) AS l
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


_LONGER: Final = "UPDATE trial SET ends_at = :ends_at WHERE id = :id"


async def _end_one(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """End one, and say whether its settlement is to be asked for."""
    now = clock.now()
    if row.undecided and row.silence_keeps and row.sent < REMINDERS and not row.given_up and row.mode == "trial":
        # Silence means keeping only after two reminders, and they did not go out in time: so there is another day.
        # Where one cannot reach the customer at all it ends, silence says nothing, and finance asks in the end.
        zone = (await current(db)).timezone
        await run(db, _LONGER, id=row.id, ends_at=trial_ends(now, 1, zone))
        await history.record(db, SYSTEM, ("trial", row.id, "prolonged", {"reminders": row.sent}))
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


_HOLD_AGAIN: Final = f"""
    SELECT t.id FROM trial t CROSS JOIN LATERAL (
        SELECT c.next_try_at FROM trial_charge c WHERE c.trial_id = t.id AND c.kind = 'hold' AND c.status = 'failed'
        ORDER BY c.created_at DESC, c.id DESC LIMIT 1) AS l
    WHERE t.status = 'authorisation_expired' AND l.next_try_at <= :now
     AND NOT EXISTS (SELECT FROM trial_charge c WHERE c.trial_id = t.id AND c.status IN ({_PENDING}))
     AND (CAST(:only AS uuid) IS NULL OR t.id = :only)
    ORDER BY t.id LIMIT 500
"""  # noqa: S608 - our own text


async def _hold_again(begin: Begin) -> None:
    """Ask for a lost hold again, when it is time: the bank may agree by now, and else the customer is told again."""
    async with begin() as db:
        rows = await run(db, _HOLD_AGAIN, now=clock.now(), only=None)
    for row in rows:
        async with begin() as db:
            trial = await trial_by_id(db, row.id, lock=True)
            due = await run(db, _HOLD_AGAIN, now=clock.now(), only=row.id)
            if trial is not None and due and not await plan_hold(db, trial, unattended=True):
                await go_on(db, trial)

"""What a customer says on the telephone: it is posted. Until a carrier's scan tells, somebody of the shop can."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.shop.queries import current
from returns_portal.tryon import shipping
from returns_portal.tryon.queries import TrialView, trial_for

_MOST: Final = 100
_KNOWN: Final = """
    SELECT id FROM history WHERE subject = 'trial' AND subject_id = :id AND action = 'posted'
    AND data->>'day' = :day AND data->>'reason' = :receipt
"""


async def posted(db: AsyncConnection, actor: Actor, number: str, day: date, receipt: str) -> TrialView:
    """The customer has handed the parcel in on this day: what is on its way is not charged. Again, it changes nothing.

    `receipt` is the number on the receipt of the post, as far as the customer has it.

    Raises:
        ForbiddenError: the actor is of neither support nor the warehouse.
        NotFoundError: there is no such trial.
        InvalidError: the day lies in the future, or before it was sent to the customer.
        ConflictError: nothing of it is to come back (`nothing_to_post`).
    """
    actor.require("support", "warehouse")
    trial = await trial_for(db, actor, number, lock=True)
    if trial.shipped_at is None or not any(item.requested and not item.received for item in trial.items):
        raise ConflictError(mark("Nothing of this trial is to come back."), code="nothing_to_post")
    zone = ZoneInfo((await current(db)).timezone)
    begins, now = datetime.combine(day, time.min, zone), clock.now()
    if begins > now:
        raise InvalidError(mark("This day lies in the future."), field="posted_on")
    ends = begins + timedelta(days=1)
    if ends <= trial.shipped_at:
        raise InvalidError(mark("On this day it had not been sent to the customer yet."), field="posted_on")
    told = {"day": day.isoformat(), "reason": receipt.strip()[:_MOST]}
    if await run(db, _KNOWN, id=trial.id, day=told["day"], receipt=told["reason"]):
        return trial
    await history.record(db, actor, ("trial", trial.id, "posted", told))
    return await shipping.scanned(db, actor, trial.number, min(ends, now))

"""What was sent before the goods are back, day by day: reminders, holds that are renewed, and what is kept for good."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.exchanges.ending import ON_ITS_WAY, PROLONGED
from returns_portal.exchanges.lending import hold_over, renew, settle
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.models import ChargeStatus, ExchangeStatus, Outcome
from returns_portal.exchanges.queries import ExchangeView, exchange_by_id
from returns_portal.jobs import defer

_FIRST_REMINDER: Final = timedelta(days=4)
_LAST_REMINDER: Final = timedelta(days=1)
"""So long before the goods are to be back the customer is reminded, unless they are on their way."""
RENEWED: Final = timedelta(hours=24)
"""So long before a hold ends it is renewed."""
_TAKEN: Final = timedelta(hours=2)
"""So long before it ends the bank was to have agreed to another one; then what is held is taken."""
_COUNTED: Final = timedelta(hours=1)
"""So long a check-in of a replacement stands before its hold is released: until then it may be undone."""
_BATCH: Final = 200

# The warehouse stands above exchanges and is not imported here; what stands as counted is read alone.
_LENT: Final = f"""
    SELECT e.id, e.return_by <= :now AS over, {ON_ITS_WAY} AS on_its_way,
           CASE WHEN e.return_by > CAST(:now AS timestamptz) + CAST(:last AS interval) THEN e.reminded_at IS NULL
                ELSE coalesce(e.reminded_at < e.return_by - CAST(:last AS interval), true) END AS unreminded,
           EXISTS (SELECT FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE p.undone_at IS NULL
               AND p.checked_in_at <= :counted AND i.order_line_id = e.replacement_line_id
               AND i.acceptance = 'accepted') AS given_back
    FROM exchange e WHERE e.at_once AND e.status = 'sent' AND e.outcome IS NULL
     AND (CAST(:only AS uuid) IS NULL OR e.id = :only)
"""  # noqa: S608 - our own text
_DUE: Final = f"""
    SELECT id FROM ({_LENT}) AS e WHERE given_back OR over
        OR unreminded AND NOT on_its_way AND id IN (SELECT id FROM exchange WHERE return_by <= :soon)
    LIMIT {_BATCH}
"""  # noqa: S608 - our own text
_PROLONG: Final = "UPDATE exchange SET return_by = :until, reminded_at = NULL, changed_at = :now WHERE id = :id"
_REMINDED: Final = "UPDATE exchange SET reminded_at = :now WHERE id = :id"
_ENDING: Final = f"""
    SELECT e.id FROM exchange_charge c JOIN exchange e ON e.id = c.exchange_id
    WHERE c.status = 'held' AND c.capture_before <= :before AND e.outcome IS NULL
      AND (c.capture_before <= :taken OR NOT EXISTS (SELECT FROM exchange_charge o WHERE o.exchange_id = e.id
        AND o.status IN ('submitting', 'unknown', 'action_needed')))
    ORDER BY c.capture_before LIMIT {_BATCH}
"""  # noqa: S608 - our own text


async def look(begin: Begin) -> None:
    """Do for each what its day asks for. Again, it changes nothing."""
    now = clock.now()
    async with begin() as db:
        due = await run(db, _DUE, **_moments(), soon=now + _FIRST_REMINDER)
        ending = await run(db, _ENDING, before=now + RENEWED, taken=now + _TAKEN)
    await _each(begin, [row.id for row in due], _look_at)
    await _each(begin, [row.id for row in ending], _renew)


def _moments(only: UUID | None = None) -> dict[str, Any]:
    now = clock.now()
    return {"now": now, "last": _LAST_REMINDER, "counted": now - _COUNTED, "only": only}


_Step = Callable[[AsyncConnection, ExchangeView], Awaitable[None]]


async def _each(begin: Begin, ids: list[UUID], step: _Step) -> None:
    for id_ in ids:
        async with begin() as db:
            exchange = await exchange_by_id(db, id_, lock=True)
            if exchange is not None:
                await step(db, exchange)


async def _look_at(db: AsyncConnection, exchange: ExchangeView) -> None:
    # Looked at again under the lock: the goods may have come meanwhile.
    for row in await run(db, _LENT, **_moments(exchange.id)):
        if row.given_back:
            await settle(db, SYSTEM, exchange, Outcome.GIVEN_BACK, 0)
        elif row.over and row.on_its_way:
            now = clock.now()
            await run(db, _PROLONG, id=exchange.id, until=now + PROLONGED, now=now)
        elif row.over:
            await settle(db, SYSTEM, exchange, Outcome.NEVER_CAME, exchange.price)
        elif row.unreminded and not row.on_its_way:
            await run(db, _REMINDED, id=exchange.id, now=clock.now())
            await tell(db, "exchange_reminder", [exchange])


async def _renew(db: AsyncConnection, exchange: ExchangeView) -> None:
    """Deal with a hold that is about to end: what would be lost is taken, unless the bank renews it in time."""
    hold = exchange.hold
    if hold is None or hold.status is not ChargeStatus.HELD or hold.capture_before is None or exchange.outcome:
        return
    left = hold.capture_before - clock.now()
    if -_TAKEN < left <= timedelta():
        # It has ended by itself, as far as we know: the gateway says so, or it is taken a little later.
        await defer(db, "exchanges.charge", charge_id=str(hold.id))
    elif left <= _TAKEN or (exchange.status is ExchangeStatus.TO_SEND and exchange.reserved_until <= clock.now()):
        # What nobody has packed in all the time for which it was set aside is not to be held for any longer.
        await hold_over(db, exchange)
    elif left <= RENEWED and exchange.at_once:
        await renew(db, exchange)

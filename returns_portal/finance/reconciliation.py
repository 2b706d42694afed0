"""Reconciliation: reading the gateway's balance, matching it with the ledger, and keeping what came of it."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.finance.filters import day_begins, next_day, today
from returns_portal.finance.matching import match
from returns_portal.finance.matching_differences import MARGIN, Asked, differences
from returns_portal.finance.models import Outcome, Reconciliation
from returns_portal.finance.reconciliation_reading import Account, read_balance
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.payments.gateway import GatewayError
from returns_portal.shop.queries import current

DAYS: Final = 90
"""So many days are compared each night: longer than a bank takes to send a refund back, or to lose a dispute."""
LATE: Final = timedelta(hours=36)
"""A night was missed when the newest comparison is older."""
_REASON: Final = 300


class Run(msgspec.Struct, frozen=True):
    """One comparison: of which days, and what came of it."""

    at: datetime
    first: date
    last: date
    outcome: Outcome
    lines: int
    differences: int
    reason: str

    @property
    def late(self) -> bool:
        """Whether a newer one should be there."""
        return self.at < clock.now() - LATE


def usual_period(zone: str) -> tuple[date, date]:
    """The days that are compared each night: until today, first and last inclusive."""
    last = today(zone)
    return last - timedelta(days=DAYS - 1), last


def asked(first: date, last: date, zone: str, *, read_at: datetime, livemode: bool) -> Asked:
    """The questions of these days in the shop's zone, for a balance that was read from `read_at` on."""
    return Asked(
        begins=day_begins(first, zone),
        ends=day_begins(next_day(last), zone),
        judged=read_at - MARGIN,
        livemode=livemode,
    )


async def reconcile(begin: Begin, account: Account, days: tuple[date, date] | None = None) -> Run:
    """Read what is new of the gateway's balance, match it, compare these days (the usual ones), and keep what came.

    Safe to run at any time, also twice at once.

    Raises:
        GatewayError: the gateway could not be read to the end; that is kept, too, and nothing is compared.
    """
    at = clock.now()
    async with begin() as db:
        zone = (await current(db)).timezone
    first, last = days or usual_period(zone)
    try:
        lines = await read_balance(begin, account)
    except GatewayError as error:
        done = Run(at, first, last, Outcome.NO_ANSWER, 0, 0, str(error)[:_REASON])
        await _keep(begin, done, livemode=account.livemode)
        raise
    await match(begin)
    async with begin() as db:
        await unhurried(db)
        found = await differences(db, asked(first, last, zone, read_at=at, livemode=account.livemode), limit=0)
    done = Run(at, first, last, Outcome.DIFFERS if found.count else Outcome.AGREES, lines, found.count, "")
    await _keep(begin, done, livemode=account.livemode)
    return done


async def unhurried(db: AsyncConnection) -> None:
    """Let the statements of this transaction take their time: a year of a large shop takes longer than a request."""
    await run(db, "SET LOCAL statement_timeout = '10min'")
    await custom_plans(db)


async def custom_plans(db: AsyncConnection) -> None:
    """Have each statement of this transaction planned for its own values: a period may be a day or ten years."""
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")


async def _keep(begin: Begin, done: Run, *, livemode: bool) -> None:
    row: dict[str, Any] = {**msgspec.structs.asdict(done), "id": new_id(), "livemode": livemode}
    async with begin() as db:
        await insert_rows(db, (Reconciliation, [row | {"finished_at": clock.now()}]))


_LAST: Final = """
    SELECT at, first, last, outcome, lines, differences, reason FROM reconciliation
    WHERE livemode = :livemode AND (:answered = 0 OR outcome <> 'no_answer') ORDER BY at DESC, id DESC LIMIT 1
"""


async def last_run(db: AsyncConnection, actor: Actor, *, livemode: bool, answered: bool = False) -> Run | None:
    """The newest comparison; with `answered`, the newest for which the gateway could be read.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    rows = await run(db, _LAST, livemode=livemode, answered=int(answered))
    return msgspec.convert(rows[0]._asdict(), Run) if rows else None


async def ask_for_reconciliation(db: AsyncConnection, actor: Actor) -> None:
    """Have the balance read and compared now, by a job.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    await defer(db, "finance.reconcile")

"""Closing a month: from then on its books do not change, and whatever comes later belongs to the month that is open.

A month holds the transactions of the ledger that are dated before its end and in no earlier month. Months are closed in
order, each once. What a closed month holds is written to files once; taken again they are the same bytes.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.finance.credit_notes import ROUND, issue_some
from returns_portal.finance.files import KeptFile
from returns_portal.finance.filters import day_begins, today
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.jobs import defer
from returns_portal.shop.queries import current

_LOCK: Final = "SELECT pg_advisory_xact_lock(4711022)"
_CLOSED: Final = """
    SELECT m.id, m.month, m.begins, m.ends, m.lines, m.totals, m.closed_at, m.closed_by, coalesce(s.name, m.closed_by)
           AS closed_by_name
    FROM closed_period m LEFT JOIN staff s ON m.closed_by = 'staff:' || s.id ORDER BY m.month DESC
"""
_LAST: Final = "SELECT id, month, ends FROM closed_period ORDER BY month DESC LIMIT 1"
_FILES: Final = """
    SELECT k.period_id, k.kind, f.id, f.name, f.media_type, f.rows, f.size, f.digest
    FROM closed_file k JOIN finance_file f ON f.id = k.file_id WHERE k.period_id = ANY(:ids)
"""
_EARLIEST: Final = "SELECT min(at) AS at FROM ledger_transaction"

# What a month comes to: refunds and reversals, by what they take from and give back to what is owed.
_SUMS: Final = """
    e.currency, count(*) FILTER (WHERE t.kind = 'refund') AS refunds,
    CAST(coalesce(sum(e.amount) FILTER (WHERE t.kind = 'refund'), 0) AS bigint) AS refunded,
    count(*) FILTER (WHERE t.kind = 'refund_reversal') AS reversals,
    CAST(-coalesce(sum(e.amount) FILTER (WHERE t.kind = 'refund_reversal'), 0) AS bigint) AS reversed
"""
_OPEN_SUMS: Final = f"""
    SELECT CAST(date_trunc('month', greatest(t.at, :begins) AT TIME ZONE :zone) AS date) AS month, {_SUMS}
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'refunds_payable'
    WHERE t.kind IN ('refund', 'refund_reversal')
      AND NOT EXISTS (SELECT FROM closed_line k WHERE k.ledger_transaction_id = t.id)
    GROUP BY 1, e.currency ORDER BY 1, count(*) DESC, e.currency
"""  # noqa: S608 - our own text
_CLOSE: Final = f"""
    WITH members AS (
        SELECT t.id, t.kind FROM ledger_transaction t WHERE t.at < :ends
          AND NOT EXISTS (SELECT FROM closed_line k WHERE k.ledger_transaction_id = t.id)),
    totals AS (
        SELECT {_SUMS} FROM members t
        JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 'refunds_payable'
        WHERE t.kind IN ('refund', 'refund_reversal') GROUP BY e.currency ORDER BY count(*) DESC, e.currency),
    period AS (
        INSERT INTO closed_period (id, month, zone, begins, ends, lines, totals, closed_at, closed_by)
        SELECT :id, :month, :zone, :begins, :ends, (SELECT count(*) FROM members),
               (SELECT coalesce(jsonb_agg(to_jsonb(totals)), '[]') FROM totals), :now, :by
        RETURNING lines),
    added AS (INSERT INTO closed_line (ledger_transaction_id, period_id) SELECT id, :id FROM members)
    SELECT lines FROM period
"""  # noqa: S608 - our own text


class MonthTotal(msgspec.Struct, frozen=True):
    """What a month comes to in one currency, in minor units."""

    currency: str
    refunds: int
    refunded: int
    reversals: int
    reversed: int
    """What came back of refunds that had succeeded."""


class Month(msgspec.Struct, frozen=True):
    """A month of the books."""

    month: date
    """Its first day."""
    begins: datetime
    ends: datetime
    totals: Sequence[MonthTotal]
    period_id: UUID | None = None
    """None while it is open, as all of these."""
    lines: int | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    files: dict[str, KeptFile] = {}
    """By kind; empty until they are written."""
    first_open: bool = False
    """Whether it is the next to be closed; what comes late belongs to it."""
    over: bool = True
    """Whether it has ended."""

    @property
    def name(self) -> str:
        """As it stands in addresses: 2026-10."""
        return f"{self.month:%Y-%m}"


def next_month(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=31)).replace(day=1)


async def months(db: AsyncConnection, actor: Actor) -> list[Month]:
    """The open months and the closed ones, the newest first.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    zone = (await current(db)).timezone
    closed = await _closed(db)
    opened = await _open(db, zone)
    found: dict[date, list[MonthTotal]] = {}
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")
    for row in await run(db, _OPEN_SUMS, begins=opened[0].begins, zone=zone):
        month, *sums = row
        found.setdefault(month, []).append(MonthTotal(*sums))
    still_open = [msgspec.structs.replace(month, totals=found.get(month.month, [])) for month in opened]
    return [*reversed(still_open), *closed]


async def _closed(db: AsyncConnection) -> list[Month]:
    rows = await run(db, _CLOSED)
    files: dict[UUID, dict[str, KeptFile]] = {}
    for period_id, kind, *file in await run(db, _FILES, ids=[row.id for row in rows]):
        files.setdefault(period_id, {})[kind] = KeptFile(*file)
    return [
        Month(
            month=row.month,
            begins=row.begins,
            ends=row.ends,
            totals=msgspec.convert(row.totals, list[MonthTotal]),
            period_id=row.id,
            lines=row.lines,
            closed_at=row.closed_at,
            closed_by=row.closed_by_name,
            files=files.get(row.id, {}),
        )
        for row in rows
    ]


async def _open(db: AsyncConnection, zone: str) -> list[Month]:
    """The months that are not closed, from the first to this one, without their sums."""
    this = today(zone).replace(day=1)
    last = await run(db, _LAST)
    if last:
        month, begins = next_month(last[0].month), last[0].ends
    else:
        [earliest] = await run(db, _EARLIEST)
        # Without any books the month before this one is the first that could be closed.
        day = earliest.at.astimezone(ZoneInfo(zone)).date() if earliest.at else this - timedelta(days=1)
        month = day.replace(day=1)
        begins = day_begins(month, zone)
    opened: list[Month] = []
    while month <= this or not opened:
        ends = day_begins(next_month(month), zone)
        first = not opened
        opened.append(Month(month, begins, ends, (), first_open=first, over=ends <= clock.now()))
        month, begins = next_month(month), ends
    return opened


async def month_of(db: AsyncConnection, actor: Actor, month: date) -> Month:
    """One month by its first day.

    Raises:
        ForbiddenError: the actor is not of finance.
        NotFoundError: there is none: it is before the books, or has not begun.
    """
    actor.require("finance", "reports:read")
    zone = (await current(db)).timezone
    for found in [*await _closed(db), *await _open(db, zone)]:
        if found.month == month:
            return found
    raise NotFoundError(mark("There are no books of this month."))


async def close_month(db: AsyncConnection, actor: Actor, month: date) -> bool:
    """Close a month that is over; False where it is closed already, so that a second click does nothing.

    Raises:
        ForbiddenError: the actor is not of finance.
        ConflictError: it has not ended, or an earlier one is still open.
    """
    actor.require("finance")
    await run(db, _LOCK)
    # A month of a large shop takes longer than other requests may.
    await run(db, "SET LOCAL statement_timeout = '10min'")
    await run(db, "SET LOCAL plan_cache_mode = force_custom_plan")
    if await run(db, "SELECT id FROM closed_period WHERE month = :month", month=month):
        return False
    zone = (await current(db)).timezone
    first = (await _open(db, zone))[0]
    if month != first.month:
        raise ConflictError(
            mark("Months are closed in order: {month} is next."), code="not_next", month=f"{first.month:%Y-%m}"
        )
    if not first.over:
        raise ConflictError(
            mark("{month} has not ended, so it cannot be closed yet."), code="not_over", month=f"{first.month:%Y-%m}"
        )
    # Its files name the credit note of every refund.
    while await issue_some(db, everything=True, until=first.ends) == ROUND:
        pass
    period_id = new_id()
    values = {"id": period_id, "month": month, "zone": zone, "begins": first.begins, "ends": first.ends}
    [closed] = await run(db, _CLOSE, **values, now=clock.now(), by=actor.label)
    told: dict[str, Any] = {"month": f"{month:%Y-%m}", "lines": closed.lines}
    await history.record(db, actor, ("period", period_id, "closed", told))
    await defer(db, "finance.write_closed", period_id=str(period_id))
    return True

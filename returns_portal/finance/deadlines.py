"""By when money has to go back: Directive 2011/83/EU, Art. 13(1), within 14 days of the customer's statement.

It may be withheld until the goods are back, or until the customer has shown that they were sent, whichever comes first
(Art. 13(3)); a carrier's scan shows it. So what nobody has sent yet has no deadline here; what was sent late is due
when it was sent. A statement that became no return has its deadline all the same: somebody has to look at it.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, run
from returns_portal.finance.cells import safe
from returns_portal.finance.words import SOON
from returns_portal.notifications.actions import enqueue
from returns_portal.returns.rules import REFUND_DAYS
from returns_portal.returns.whose import LABELLED
from returns_portal.shop.queries import current

MOST_DAYS: Final = 60
SHOWN: Final = 500
IN_LETTER: Final = 20


class Waits(StrEnum):
    """What a refund waits for; of several, the first."""

    STATEMENT = "statement"
    """A statement of withdrawal that became no return waits for a person."""
    DECISION = "decision"
    """Goods that are here wait for a decision."""
    REFUND = "refund"
    """It was planned or sent, and has not arrived."""
    CHECK_IN = "check_in"
    """The carrier has the parcel, or brought it, and nothing was checked in."""


class Due(msgspec.Struct, frozen=True):
    """Money that has to go back by a certain moment."""

    rma: str
    """Empty where a statement became no return."""
    order_number: str
    stated_at: datetime
    due_at: datetime
    waits: Waits
    withdrawn: bool
    """Whether it was stated by the withdrawal function, rather than filed as a return."""
    overdue: bool


# Each part begins with what is open, of which there is little, whatever there was before.
_DUE: Final = f"""
    WITH unsettled AS (
        SELECT DISTINCT return_id FROM refund WHERE status NOT IN ('succeeded', 'canceled') AND return_id IS NOT NULL),
    undecided AS (
        SELECT DISTINCT p.return_id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
        WHERE i.acceptance = 'waiting' AND p.undone_at IS NULL AND p.return_id IS NOT NULL),
    sent AS (
        SELECT r.id AS return_id FROM returns r JOIN orders o ON o.id = r.order_id AND o.source <> 'trial'
        WHERE r.status = 'filed' AND EXISTS (
            SELECT FROM label b WHERE b.return_id = {LABELLED} AND b.first_scan_at IS NOT NULL
                AND b.status <> 'voided')),
    open AS (
        SELECT return_id, min(waits) AS waits FROM (
            SELECT return_id, 1 AS waits FROM undecided UNION ALL SELECT return_id, 2 FROM unsettled
            UNION ALL SELECT return_id, 3 FROM sent) AS every GROUP BY return_id)
    SELECT r.rma, o.number AS order_number, coalesce(w.submitted_at, r.created_at) AS stated_at,
           greatest(r.refund_deadline, least(
               (SELECT min(b.first_scan_at) FROM label b WHERE b.return_id = {LABELLED}),
               (SELECT min(p.checked_in_at) FROM parcel p WHERE p.return_id = r.id AND p.undone_at IS NULL))) AS due_at,
           (ARRAY['decision', 'refund', 'check_in'])[open.waits] AS waits, w.id IS NOT NULL AS withdrawn, r.id
    FROM open JOIN returns r ON r.id = open.return_id JOIN orders o ON o.id = r.order_id
    LEFT JOIN withdrawal w ON w.id = r.withdrawal_id
    UNION ALL
    SELECT '', w.order_number, w.submitted_at,
           (w.submitted_at AT TIME ZONE :zone + make_interval(days => :days)) AT TIME ZONE :zone,
           'statement', true, w.id
    FROM withdrawal w WHERE w.handled_at IS NULL
"""  # noqa: S608 - our own words
# Whoever stated a withdrawal that became no return was told that a person looks at it: that is not put off until the
# deadline comes near.
_LIST: Final = f"""
    SELECT * FROM ({_DUE}) AS due WHERE due_at < :until OR waits = 'statement' ORDER BY due_at, id LIMIT :limit
"""  # noqa: S608 - our own text


async def due_within(
    db: AsyncConnection, actor: Actor, time_ahead: timedelta, *, limit: int | None = None
) -> list[Due]:
    """What has to be paid back within this time, and what should have been, the most urgent first.

    A statement of withdrawal that nobody has looked at is among it at any time.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    now, zone = clock.now(), (await current(db)).timezone
    rows = await run(db, _LIST, zone=zone, days=REFUND_DAYS, until=now + time_ahead, limit=limit)
    return [
        Due(
            row.rma,
            row.order_number,
            row.stated_at,
            row.due_at,
            Waits(row.waits),
            row.withdrawn,
            row.due_at < now,
        )
        for row in rows
    ]


def deadlines_csv(found: Sequence[Due], *, livemode: bool) -> str:
    """The list as CSV; times are RFC 3339 in UTC.

    The header is `due_at`, `overdue` (true or false), `return`, `order`, `stated_at`, `withdrawal` (true or false),
    `waits_for` (statement, decision, refund, check_in) and `livemode`.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("due_at", "overdue", "return", "order", "stated_at", "withdrawal", "waits_for", "livemode"))
    for due in found:
        writer.writerow(
            (
                f"{due.due_at:%Y-%m-%dT%H:%M:%SZ}",
                str(due.overdue).lower(),
                due.rma,
                safe(due.order_number),
                f"{due.stated_at:%Y-%m-%dT%H:%M:%SZ}",
                str(due.withdrawn).lower(),
                due.waits.value,
                str(livemode).lower(),
            )
        )
    return file.getvalue()


_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtext('finance.warn_deadlines'))"
_TOLD: Final = "SELECT id FROM email WHERE template = 'deadlines_due' AND created_at >= :since LIMIT 1"


async def warn(begin: Begin) -> None:
    """Write to the shop of what is due within days or overdue: once on a day of the shop's, and not of nothing."""
    async with begin() as db:
        shop = await current(db)
        # Two workers at once, and a second run after a crash, find the letter of the first.
        await run(db, _ONE_AT_A_TIME)
        if await run(db, _TOLD, since=_day_begins(shop.timezone)):
            return
        found = await due_within(db, SYSTEM, SOON)
        if not found:
            return
        await enqueue(
            db,
            template="deadlines_due",
            recipient=shop.email,
            locale="en",
            values={
                "overdue": sum(due.overdue for due in found),
                "soon": sum(not due.overdue for due in found),
                "rows": [_in_letter(due) for due in found[:IN_LETTER]],
                "more": max(0, len(found) - IN_LETTER),
                "url": "/finance/deadlines",
            },
        )


def _in_letter(due: Due) -> dict[str, object]:
    return {
        "rma": due.rma,
        "order_number": due.order_number,
        "due_at": due.due_at.isoformat(),
        "overdue": due.overdue,
    }


def _day_begins(zone: str) -> datetime:
    here = ZoneInfo(zone)
    return datetime.combine(clock.now().astimezone(here).date(), time(), here)

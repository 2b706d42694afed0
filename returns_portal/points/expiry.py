"""Points that expire: told twice before, then taken, the oldest first. Both run again safely after a crash."""

from datetime import timedelta
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, Rows, insert_rows, run
from returns_portal.ids import new_id
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.notifications import actions as notifications
from returns_portal.notifications.actions import Letter
from returns_portal.points.rules import NOTICE_DAYS, last_day
from returns_portal.shop.queries import current

_BATCH: Final = 100

_DUE: Final = """
    SELECT id FROM points_account WHERE id IN (
        SELECT account_id FROM points_lot WHERE remaining > 0 AND expires_at <= :now)
    ORDER BY id LIMIT :limit FOR UPDATE
"""
_EXPIRE: Final = """
    WITH over AS (
        UPDATE points_lot l SET remaining = 0 FROM points_lot before
        WHERE before.id = l.id AND l.account_id = ANY(CAST(:accounts AS uuid[])) AND l.remaining > 0
          AND l.expires_at <= :now
        RETURNING l.id, l.account_id, l.currency, before.remaining AS points),
    moved AS (
        INSERT INTO points_move (id, lot_id, cause, cause_id, delta, at)
        SELECT gen_random_uuid(), id, 'expiry', id, -points, :now FROM over RETURNING id, lot_id)
    SELECT m.id AS move_id, o.account_id, o.currency, o.points FROM over o JOIN moved m ON m.lot_id = o.id
"""


async def expire(begin: Begin) -> None:
    """Take the points whose time is over: a liability that becomes income. A batch of accounts a transaction."""
    while True:
        async with begin() as db:
            accounts = [row.id for row in await run(db, _DUE, now=clock.now(), limit=_BATCH)]
            if not accounts:
                return
            taken = await run(db, _EXPIRE, accounts=accounts, now=clock.now())
            await insert_rows(db, *(group for row in taken for group in _expired(row)))


def _expired(row: Any) -> tuple[Rows, ...]:  # noqa: ANN401 - a row
    told = {"points": row.points, "currency": row.currency}
    return (
        *ledger.rows(
            "points_expired",
            ("points_move", row.move_id),
            row.currency,
            [Posting(Account.CUSTOMER_POINTS, row.points, row.account_id), Posting(Account.BREAKAGE, -row.points)],
        ),
        history.rows(SYSTEM, ("points_account", row.account_id, "points_expired", told)),
    )


# Who is late (the worker was down, the points were given shortly before) is told once, of the nearest time.
# An account whose person was forgotten has no address any more.
_TO_TELL: Final = """
    WITH due AS (
        SELECT account_id, currency, expires_at, CAST(sum(remaining) AS bigint) AS points,
               (SELECT min(d) FROM unnest(CAST(:days AS int[])) AS d
                WHERE expires_at <= CAST(:now AS timestamptz) + d * interval '1 day') AS days
        FROM points_lot WHERE remaining > 0 AND expires_at > :now AND expires_at <= :horizon
        GROUP BY account_id, currency, expires_at)
    SELECT u.*, coalesce(o.email, a.email_key) AS email, coalesce(o.locale, 'en') AS locale
    FROM due u JOIN points_account a ON a.id = u.account_id
    LEFT JOIN LATERAL (SELECT email, locale FROM orders WHERE orders.email_key = a.email_key
                       ORDER BY placed_at DESC LIMIT 1) AS o ON true
    WHERE a.email_key LIKE '%@%' AND NOT EXISTS (
        SELECT FROM points_notice n WHERE n.account_id = u.account_id AND n.currency = u.currency
        AND n.expires_at = u.expires_at AND n.days <= u.days)
    ORDER BY u.account_id, u.currency, u.expires_at LIMIT :limit
"""
_NOTE: Final = """
    INSERT INTO points_notice (id, account_id, currency, expires_at, days, created_at)
    SELECT r.id, r.account_id, r.currency, r.expires_at, r.days, r.created_at
    FROM json_populate_recordset(NULL::points_notice, CAST(:rows AS json)) AS r
    ON CONFLICT (account_id, currency, expires_at, days) DO NOTHING RETURNING account_id, currency, expires_at
"""


async def remind(begin: Begin) -> None:
    """Write to whoever has points that expire within 30, then within 7 days: once each, with the note of it."""
    while True:
        async with begin() as db:
            if not await _remind_some(db):
                return


async def _remind_some(db: AsyncConnection) -> bool:
    now = clock.now()
    due = await run(
        db, _TO_TELL, days=list(NOTICE_DAYS), now=now, horizon=now + timedelta(days=max(NOTICE_DAYS)), limit=_BATCH
    )
    rows = [
        {
            "id": new_id(),
            "account_id": row.account_id,
            "currency": row.currency,
            "expires_at": row.expires_at,
            "days": row.days,
            "created_at": now,
        }
        for row in due
    ]
    # Another worker may be doing the same: who writes the note writes the e-mail.
    noted = await run(db, _NOTE, rows=msgspec.json.encode(rows).decode()) if rows else []
    mine = {(row.account_id, row.currency, row.expires_at) for row in noted}
    zone = (await current(db)).timezone
    letters = [_letter(row, zone) for row in due if (row.account_id, row.currency, row.expires_at) in mine]
    await notifications.enqueue_many(db, letters)
    return bool(due)


def _letter(row: Any, zone: str) -> Letter:  # noqa: ANN401 - a row
    values: dict[str, object] = {
        "points": row.points,
        "currency": row.currency,
        "last_day": last_day(row.expires_at, zone).isoformat(),
        "url": "/points",
    }
    return Letter("points_expiring", row.email, row.locale, values, row.account_id)

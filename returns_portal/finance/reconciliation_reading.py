"""Reading the gateway's balance into our tables: what is new of its lines, and which payout each went out with.

What was read is kept at once, a few hundred lines at a time, and again does no harm; how far the list is read
completely is noted only behind that. So whoever is interrupted begins where the last whole stretch ended.
"""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.payments.gateway import GatewayBalanceLine, GatewayPayout
from returns_portal.payments.inbox import set_read_until

T = TypeVar("T")

BATCH: Final = 500
"""How many lines are kept in memory, and written in one transaction."""
STRETCH: Final = timedelta(days=7)
"""So much of a long list is read between two notes of how far it was read."""
OVERLAP: Final = timedelta(hours=1)
"""How far a list is read back behind the newest that was found: what happens at once may be listed a little later."""
_SKEW: Final = timedelta(hours=1)
"""How far the gateway's clock may be behind ours."""
_UNSETTLED: Final = timedelta(days=30)
"""So long a payout may still change: the bank may send it back days after it was paid."""

_OUR_ID: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9][0-9]{0,8})")
"""Refund and attempt, as `refunds.settling` writes them into the metadata."""


class Account(Protocol):
    """What is needed of the gateway (`payments.stripe.StripeGateway` has it)."""

    livemode: bool

    def list_balance_transactions(
        self, *, since: datetime | None = None, until: datetime | None = None, payout: str | None = None
    ) -> AsyncIterator[GatewayBalanceLine]:
        """Lines of the balance, newest first."""

    def list_payouts(self, since: datetime) -> AsyncIterator[GatewayPayout]:
        """Payouts, newest first."""


async def read_balance(begin: Begin, account: Account) -> int:
    """Read what is new of the balance; returns how many lines were read.

    Raises:
        GatewayError: the gateway refused, or gave no answer; what was read before that is kept.
    """
    name = f"balance:{'live' if account.livemode else 'test'}"
    async with begin() as db:
        since = await _since(db, name, livemode=account.livemode)
        payouts_since = await _since(db, f"{name}:payouts", livemode=account.livemode)
    if since is None or payouts_since is None:
        return 0
    return await _read_lines(begin, account, name, since) + await _read_payouts(begin, account, name, payouts_since)


async def _since(db: AsyncConnection, name: str, *, livemode: bool) -> datetime | None:
    """Up to when the list was read; the first time, since when it can hold anything of ours; None where nothing can."""
    [row] = await run(
        db,
        """
        SELECT coalesce((SELECT read_until FROM gateway_cursor WHERE name = :name), (
            SELECT min(created_at) - CAST(:skew AS interval) FROM payment
            WHERE tender = 'stripe' AND livemode = :livemode)) AS since
        """,
        name=name,
        skew=_SKEW,
        livemode=livemode,
    )
    since: datetime | None = row.since
    return since


async def _read_lines(begin: Begin, account: Account, name: str, since: datetime) -> int:
    lines = 0
    while (until := since + STRETCH) < clock.now():
        lines += (await _keep_lines(begin, account, since=since - OVERLAP, until=until))[0]
        since = until
        await _note(begin, name, since)
    # The last stretch has no end, because the gateway's clock may be ahead of ours.
    read, newest = await _keep_lines(begin, account, since=since - OVERLAP)
    if newest is not None:
        await _note(begin, name, newest)
    return lines + read


async def _note(begin: Begin, name: str, moment: datetime) -> None:
    async with begin() as db:
        await set_read_until(db, name, moment)


async def _keep_lines(
    begin: Begin,
    account: Account,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    payout: str | None = None,
) -> tuple[int, datetime | None]:
    """Keep these lines; how many they are, and when the newest was made."""
    count, newest = 0, None
    async for batch in _batches(account.list_balance_transactions(since=since, until=until, payout=payout)):
        rows = [_row(line, payout, livemode=account.livemode) for line in batch]
        async with begin() as db:
            await run(db, _KEEP_LINES, rows=msgspec.json.encode(rows).decode())
        count += len(batch)
        newest = max(newest or batch[0].created, *(line.created for line in batch))
    return count, newest


async def _batches(found: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    batch: list[T] = []
    async for item in found:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _row(line: GatewayBalanceLine, payout: str | None, *, livemode: bool) -> dict[str, Any]:
    ours = _OUR_ID.fullmatch(line.our_id or "")
    return {
        "id": line.id,
        "type": line.type,
        "category": line.category,
        "source": line.source,
        "payment": line.payment,
        "charge": line.charge,
        "refund_id": ours[1] if ours else None,
        "attempt": int(ours[2]) if ours else None,
        "currency": line.currency,
        "amount": line.amount,
        "fee": line.fee,
        "net": line.net,
        "payment_currency": line.payment_currency,
        "payment_amount": line.payment_amount,
        "livemode": livemode,
        "created_at": line.created,
        "available_on": line.available_on,
        "payout_id": payout,
    }


# Of a line nothing changes but which payout it goes out with, which only the payout's own list tells.
_KEEP_LINES: Final = """
    INSERT INTO gateway_line
    SELECT * FROM json_populate_recordset(NULL::gateway_line, CAST(:rows AS json))
    ON CONFLICT (id) DO UPDATE SET payout_id = excluded.payout_id
    WHERE gateway_line.payout_id IS DISTINCT FROM excluded.payout_id AND excluded.payout_id IS NOT NULL
"""
_KEEP_PAYOUTS: Final = """
    INSERT INTO payout SELECT * FROM json_populate_recordset(NULL::payout, CAST(:rows AS json))
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, arrives = excluded.arrives, listed = excluded.listed
"""


async def _read_payouts(begin: Begin, account: Account, name: str, since: datetime) -> int:
    """Keep the payouts, and the lines of those whose lines the gateway can tell by now; returns how many lines."""
    newest = since
    async for batch in _batches(account.list_payouts(min(since, clock.now() - _UNSETTLED))):
        rows = [_payout_row(payout) for payout in batch]
        async with begin() as db:
            await run(db, _KEEP_PAYOUTS, rows=msgspec.json.encode(rows).decode())
        newest = max(newest, *(payout.created for payout in batch))
    async with begin() as db:
        await set_read_until(db, f"{name}:payouts", newest)
        unread = await run(
            db,
            "SELECT id FROM payout WHERE read_at IS NULL AND automatic AND listed AND livemode = :livemode"
            " ORDER BY created_at, id",
            livemode=account.livemode,
        )
    count = 0
    for payout in unread:
        count += (await _keep_lines(begin, account, payout=payout.id))[0]
        async with begin() as db:
            await run(db, "UPDATE payout SET read_at = :now WHERE id = :id", now=clock.now(), id=payout.id)
    return count


def _payout_row(payout: GatewayPayout) -> dict[str, Any]:
    return {
        "id": payout.id,
        "status": payout.status,
        "currency": payout.currency,
        "amount": payout.amount,
        "automatic": payout.automatic,
        "listed": payout.listed,
        "livemode": payout.livemode,
        "created_at": payout.created,
        "arrives": payout.arrives,
    }

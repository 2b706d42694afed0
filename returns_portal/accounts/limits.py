"""Limits on how often something may be tried, kept in the database, so that every process counts the same."""

import hashlib
import hmac
import math
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, case, delete, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.models import RateLimit
from returns_portal.db import Begin
from returns_portal.errors import TooManyError
from returns_portal.i18n import mark


class Limit(msgspec.Struct, frozen=True):
    """At most `times` within `seconds`, counted from the first of them."""

    bucket: str
    times: int
    seconds: int


def bucket(key: bytes, kind: str, subject: str = "") -> str:
    """The name of what is counted. The subject (an address, an e-mail) is hashed with a key, never kept."""
    if not subject:
        return kind
    return f"{kind}:{hmac.digest(key, subject.encode(), hashlib.sha256).hex()[:32]}"


async def hit(begin: Begin, *limits: Limit) -> None:
    """Count one try against each limit, in a transaction of its own: it counts even if what follows fails.

    Call it before the request's own transaction is opened. Requests that hold one connection while they wait
    for a second would, enough of them at once, wait for one another.

    Raises:
        TooManyError: a limit was reached; with the seconds until its window ends.
    """
    async with begin() as db:
        wait = await count(db, *limits)
    if wait:
        raise TooManyError(
            mark("Too many attempts. Please try again in {minutes} minutes."),
            retry_after=wait,
            minutes=math.ceil(wait / 60),
        )


async def count(db: AsyncConnection, *limits: Limit) -> int:
    """Count one try against each limit, in one atomic statement; seconds to wait, 0 while all are kept."""
    now = clock.now()
    by_bucket = {limit.bucket: limit for limit in limits}
    # Sorted, so that two requests take the rows' locks in the same order.
    rows = [{"bucket": name, "window_start": now, "count": 1} for name in sorted(by_bucket)]
    over = case(
        *[
            (col(RateLimit.bucket) == name, _is_over(now, timedelta(seconds=limit.seconds)))
            for name, limit in by_bucket.items()
        ]
    )
    statement = (
        insert(RateLimit)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["bucket"],
            set_={
                "count": case((over, 1), else_=col(RateLimit.count) + 1),
                "window_start": case((over, now), else_=col(RateLimit.window_start)),
            },
        )
    )
    counted = statement.returning(col(RateLimit.bucket), col(RateLimit.window_start), col(RateLimit.count))
    waits = [0]
    for name, start, times in await db.execute(counted):
        if times > by_bucket[name].times:
            ends = start + timedelta(seconds=by_bucket[name].seconds)
            waits.append(max(1, math.ceil((ends - now).total_seconds())))
    return max(waits)


def _is_over(now: datetime, length: timedelta) -> ColumnElement[bool]:
    """Whether a window is over; one that begins far in the future is of a clock that was set back since."""
    start = col(RateLimit.window_start)
    return or_(start <= now - length, start > now + length)


async def forget_before(db: AsyncConnection, age: timedelta) -> None:
    """Drop counts whose window began longer ago than this; the age must exceed every limit's seconds."""
    await db.execute(delete(RateLimit).where(col(RateLimit.window_start) < clock.now() - age))

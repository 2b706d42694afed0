"""How soon questions were answered of late: measured, never promised."""

import math
import time
from datetime import timedelta
from typing import Final
from weakref import WeakKeyDictionary

import msgspec
from babel import units
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.db import run
from returns_portal.i18n import _

DAYS: Final = 90
LEAST: Final = 10
"""Answered questions, below which nothing is said."""
_CACHE_SECONDS: Final = 60.0
_known: WeakKeyDictionary[Engine, tuple[float, "Pace | None"]] = WeakKeyDictionary()
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


class Pace(msgspec.Struct, frozen=True):
    """From the question to the first answer of a person, in seconds of the calendar, nights and holidays with them."""

    median: int
    p90: int


# Those who wait still for longer than half of the others did count with what they have waited: leaving them out would
# make the shop look faster the slower it is.
_MEASURED: Final = """
    WITH first AS (
        SELECT extract(epoch FROM coalesce(first_reply_at, :now) - opened_at) AS seconds, first_reply_at
        FROM question WHERE opened_at >= :since
    ), middle AS (
        SELECT count(*) AS answered, percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) AS median
        FROM first WHERE first_reply_at IS NOT NULL
    )
    SELECT m.answered, percentile_disc(0.5) WITHIN GROUP (ORDER BY f.seconds) AS median,
           percentile_disc(0.9) WITHIN GROUP (ORDER BY f.seconds) AS p90
    FROM middle m JOIN first f ON f.first_reply_at IS NOT NULL OR f.seconds > m.median GROUP BY m.answered
"""


async def measure(db: AsyncConnection) -> Pace | None:
    """The pace of the last 90 days; None where fewer than ten questions were answered in them."""
    now = clock.now()
    for row in await run(db, _MEASURED, now=now, since=now - timedelta(days=DAYS)):
        if row.answered >= LEAST:
            return Pace(math.ceil(row.median), math.ceil(row.p90))
    return None


async def pace(db: AsyncConnection) -> Pace | None:
    """The pace as it was a minute ago at most: every page says it."""
    moment, known = _known.get(db.sync_engine, (-_CACHE_SECONDS, None))
    now = time.monotonic()
    if now - moment >= _CACHE_SECONDS:
        known = await measure(db)
        _known[db.sync_engine] = now, known
    return known


def forget() -> None:
    """Measure anew at the next question, in this process."""
    _known.clear()


def in_words(measured: Pace | None) -> str:
    """The pace in the reader's language; empty where there is none."""
    if measured is None:
        return ""
    return _(
        "Usual time until an answer, measured over the last {days} days: {usual}. Nine of ten came within: {most}.",
        days=DAYS,
        usual=duration(measured.median),
        most=duration(measured.p90),
    )


def public_line(measured: Pace | None) -> str:
    """The one sentence that a shop may say on every page; empty where too few were answered to say it."""
    if measured is None:
        return ""
    return _("We answer half of all questions within {usual}.", usual=duration(measured.median))


def duration(seconds: float) -> str:
    """A length of time as people say it, never shorter than it is: minutes by fives, hours to two days, then days."""
    if seconds <= 55 * _MINUTE:
        unit, count = "minute", max(5, 5 * math.ceil(seconds / (5 * _MINUTE)))
    elif seconds <= 2 * _DAY:
        unit, count = "hour", math.ceil(seconds / _HOUR)
    else:
        unit, count = "day", math.ceil(seconds / _DAY)
    return units.format_unit(count, f"duration-{unit}", locale=i18n.formatting_locale(i18n.current()))

"""What is another than a month ago."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import SHARES
from returns_portal.insights.queries import Span, tables
from returns_portal.insights.standing import Change, Compared, changes

DAYS: Final = 30
WATCHED: Final = (Dimension.PRODUCT, Dimension.SIZE, Dimension.SUPPLIER, Dimension.CARRIER, Dimension.WAREHOUSE)


def spans(now: datetime, zone: str) -> tuple[Span, Span]:
    """The last thirty days, and the thirty before as they stood at their end.

    What was bought yesterday has not come back yet, and what was bought last month has: without that, every month would
    look better than the one before. Both begin with a day of the shop; the second ends at the hour that it is now.
    """
    month = timedelta(days=DAYS)
    first = now.astimezone(ZoneInfo(zone)).date() - month + timedelta(days=1)
    begins = [datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) for day in (first, first - month)]
    return Span(begins[0], now, now, zone), Span(begins[1], now - month, now - month, zone)


async def changed(db: AsyncConnection, actor: Actor, now: datetime, zone: str) -> list[Change]:
    """What differs clearly between them, the surest first.

    Raises:
        ForbiddenError: the actor is of neither finance nor support.
    """
    recent, earlier = spans(now, zone)
    now_known, then_known = await tables(db, actor, recent), await tables(db, actor, earlier)
    return changes([Compared(each, now_known[each], then_known[each]) for each in WATCHED], SHARES)

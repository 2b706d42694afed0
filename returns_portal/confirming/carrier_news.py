"""What carriers tell of parcels that we sent: that one is out for delivery is announced.

News comes late, twice and out of order. What was told by hand or by the shop's program of late knows more than a
carrier does, and stands.
"""

from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.carriers.easypost_news import Coming, coming
from returns_portal.confirming.announcing import Found, Wish, announce, order_named
from returns_portal.confirming.models import AnnouncedBy
from returns_portal.confirming.places import zone_of
from returns_portal.confirming.windows import Window
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.settings import Settings
from returns_portal.shop.queries import current

STALE: Final = timedelta(hours=12)
"""After so long "out for delivery" is history."""

_NEWS: Final = "SELECT carrier, event_id, tracking, body FROM carrier_news WHERE id = :id AND body IS NOT NULL"
_KNOWN: Final = """
    SELECT 1 FROM courier_announcement WHERE event_id = :event_id
    UNION ALL SELECT 1 FROM courier_announcement WHERE order_id = :order_id AND tracking IN ('', :tracking)
        AND announced_by <> 'carrier' AND created_at > :since
    LIMIT 1
"""
_COUNTRY: Final = "SELECT address ->> 'country' AS country FROM orders WHERE id = :id"


async def read(db: AsyncConnection, settings: Settings, news_id: UUID) -> None:
    """Announce a courier of whom news tells; other news, and that of parcels that are not ours, is left alone."""
    for news in await run(db, _NEWS, id=news_id):
        told = coming(bytes(news.body)) if news.carrier == "easypost" else None
        if told is not None and clock.now() - told.since < STALE:
            await _announce(db, settings, news, told)


async def _announce(db: AsyncConnection, settings: Settings, news: Any, told: Coming) -> None:  # noqa: ANN401 - a row
    try:
        order = await order_named(db, SYSTEM, news.tracking)
        if not order.tracking or await _is_known(db, order, news.event_id):
            return
        window = await _window(db, order.id, told)
        wish = Wish(
            order_id=order.id, window=window, tracking=order.tracking, by=AnnouncedBy.CARRIER, event_id=news.event_id
        )
        await announce(db, SYSTEM, settings, wish)
    except (NotFoundError, InvalidError, ConflictError):
        # Not ours, over already, or arrived: there is nothing to tell, and nobody to tell that to.
        return


async def _is_known(db: AsyncConnection, order: Found, event_id: str) -> bool:
    of = {"order_id": order.id, "tracking": order.tracking}
    return bool(await run(db, _KNOWN, event_id=event_id, since=clock.now() - STALE, **of))


async def _window(db: AsyncConnection, order_id: UUID, told: Coming) -> Window:
    """From when it went out until when it should arrive; without a time, until that day ends in its place."""
    [row] = await run(db, _COUNTRY, id=order_id)
    zone = ZoneInfo(zone_of(row.country or "", told.since) or (await current(db)).timezone)
    day = told.day or told.since.astimezone(zone).date()
    # A day that has not begun is waited for from its beginning.
    begins = max(told.since, datetime.combine(day, time(), zone))
    if told.by is not None:
        return Window(begins, datetime.combine(day, told.by, zone))
    return Window(begins, datetime.combine(day + timedelta(days=1), time(), zone), timed=False)

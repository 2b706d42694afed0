"""Which orders are news. An order that was placed long ago is not, however it comes in: nobody is told of it."""

from datetime import datetime, timedelta
from typing import Final

from returns_portal.orders.models import TRIAL
from returns_portal.shop.confirming import Confirming

RECENT: Final = timedelta(days=2)
"""How old an order may be to be news: a shop's program may be away for a weekend."""
PUSHED: Final = frozenset({"api", TRIAL})
"""Sources that tell of each order as it is placed; all others are files."""


def is_news(
    confirming: Confirming,
    *,
    source: str,
    placed_at: datetime,
    delivered_at: datetime | None,
    cancelled_at: datetime | None,
    now: datetime,
) -> bool:
    """Whether something is to be done about an order because it is new, by the shop's choices."""
    if not confirming.looks or delivered_at is not None or cancelled_at is not None:
        return False
    return placed_at > now - RECENT and (source in PUSHED or confirming.from_files)

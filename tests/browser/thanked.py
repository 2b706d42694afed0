"""Loyal customers for the pictures: levels, a surprise that waits at the packing table, and a month of the report."""

from typing import Any, Final

from returns_portal.actor import SYSTEM
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.proposing import propose
from returns_portal.loyalty.rules import Level
from tests.portal import Portal

_SURPRISES: Final[dict[str, Any]] = {
    "surprises": True,
    "currency": "EUR",
    "budget": 10_000,
    "costs": {"card": 50},
    "from_level": 0,
    "control_percent": 0,
}


async def thanked(portal: Portal) -> None:
    """Everybody is on the first level, and whatever waits to be packed gets a card."""
    levels = (Level("Friend", orders=1), Level("Good friend", orders=5, values={"EUR": 50_000}, both=True))
    async with portal.begin() as db:
        await change(db, SYSTEM, levels=levels, wait_days=0, months=120)
        await change(db, SYSTEM, **_SURPRISES)
    await propose(portal.begin)

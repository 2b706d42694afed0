"""How the demo shop thanks its loyal customers: the levels and surprises that its admin has set."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.models import SurpriseKind
from returns_portal.loyalty.queries import programme
from returns_portal.loyalty.rules import Level

LEVELS: Final = (
    Level("Friend", orders=3, values={"EUR": 400_00}),
    Level("Family", orders=6, values={"EUR": 1200_00}),
)


async def thank(db: AsyncConnection) -> None:
    """Set it, where nobody has set anything: a whole demo shop has all that can be looked at."""
    if (await programme(db)).levels:
        return
    await change(
        db,
        SYSTEM,
        levels=LEVELS,
        surprises=True,
        currency="EUR",
        budget=150_00,
        costs={SurpriseKind.FASTER.value: 6_50, SurpriseKind.GIFT.value: 4_00, SurpriseKind.CARD.value: 80},
        first_order=True,
        every_orders=10,
        anniversary=True,
        thanks_points=500,
        thanks_from={"EUR": 300_00},
        thanks_since=clock.now(),
    )

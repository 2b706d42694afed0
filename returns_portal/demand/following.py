"""Going to another shop: only ever to a page of our own list, and noted."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import insert_rows, run
from returns_portal.demand.models import Referral, Shown
from returns_portal.demand.places import place_by_id
from returns_portal.ids import new_id

_FOLLOW: Final = """
    UPDATE referral SET followed_at = coalesce(followed_at, :now) WHERE id = :id AND elsewhere_id = :elsewhere_id
"""


async def follow(db: AsyncConnection, elsewhere_id: UUID, referral_id: UUID | None, *, counted: bool = True) -> str:
    """Note that somebody goes to another shop, and say where that is as the list has it now.

    Whoever came from a request is counted once, however often they go; without one, each time is a row, unless it is
    not to be `counted`.

    Raises:
        NotFoundError: it was taken off the list.
    """
    place = await place_by_id(db, elsewhere_id)
    now = clock.now()
    if referral_id is not None:
        await run(db, _FOLLOW, id=referral_id, elsewhere_id=elsewhere_id, now=now)
        return place.url
    if not counted:
        return place.url
    row = {"id": new_id(), "elsewhere_id": elsewhere_id, "shown": Shown.PRODUCT, "shown_at": now, "followed_at": now}
    await insert_rows(db, (Referral, [row]))
    return place.url

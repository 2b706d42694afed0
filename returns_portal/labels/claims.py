"""Claims at carriers for parcels that they lost: made by hand, and kept by their number."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.labels.life import lock_label
from returns_portal.labels.models import LabelStatus

LONGEST: Final = 80


async def claim(db: AsyncConnection, actor: Actor, label_id: UUID, number: str) -> None:
    """Note the number of the claim that was made for a lost parcel; a later one takes its place.

    Raises:
        ForbiddenError: the actor looks after no labels.
        NotFoundError: there is no such label.
        InvalidError: there is no number, or it is too long.
        ConflictError: the parcel is not lost.
    """
    actor.require("support", "warehouse", "finance")
    number = number.strip()
    if not 0 < len(number) <= LONGEST or not number.isprintable():
        raise InvalidError(mark("Please give the claim's number, in at most {limit} characters."), limit=LONGEST)
    label = await lock_label(db, label_id)
    if label.status != LabelStatus.LOST:
        raise ConflictError(mark("This parcel is not lost."), code="wrong_status")
    await run(db, "UPDATE label SET claim = :number WHERE id = :id", id=label_id, number=number)
    await history.record(db, actor, ("label", label_id, "claimed", {"claim": number}))

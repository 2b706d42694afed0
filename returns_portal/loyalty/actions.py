"""Changing how the shop thanks loyal customers."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.loyalty.queries import programme
from returns_portal.loyalty.rules import Programme

SUBJECT_ID: Final = UUID(int=1)
"""The programme's id in the history, whose subjects are UUIDs; the row's own id is 1."""
_CHANGE: Final = "UPDATE loyalty_programme SET rules = CAST(:rules AS jsonb), changed_at = :now WHERE id = 1"


async def change(db: AsyncConnection, actor: Actor, **fields: Any) -> Programme:  # noqa: ANN401 - those of `Programme`
    """Change some of the rules; what is the same already changes nothing. The history tells each of them as it is now.

    Raises:
        ForbiddenError: the actor is no admin.
    """
    actor.require("admin")
    before = await programme(db, lock=True)
    after = msgspec.structs.replace(before, **fields)
    if after != before:
        written = msgspec.json.encode(after).decode()
        await run(db, _CHANGE, rules=written, now=clock.now())
        told = {name: msgspec.to_builtins(getattr(after, name)) for name in fields}
        await history.record(db, actor, ("loyalty_programme", SUBJECT_ID, "changed", told))
    return after

"""Parcels that nobody can name when they come: kept on a shelf, with what can be seen of them, until somebody can."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.warehouse.models import FoundParcel

MAX_TEXT: Final = 500
MAX_CODES: Final = 50
_KEEPERS: Final = ("warehouse", "support")


class FoundView(msgspec.Struct, frozen=True):
    """An unidentified parcel. `rma` is the return that it was recognised as, if it was."""

    id: UUID
    found_at: datetime
    found_by: str
    shelf: str
    description: str
    sender: str
    codes: list[str]
    counts: list[dict[str, Any]]
    matched_at: datetime | None
    closed_at: datetime | None
    closed_reason: str
    rma: str | None
    photos: list[UUID]


async def keep(
    db: AsyncConnection,
    actor: Actor,
    *,
    shelf: str,
    description: str = "",
    sender: str = "",
    codes: Sequence[str] = (),
    counts: Sequence[Mapping[str, Any]] = (),
    draft: str = "",
    came_at: datetime | None = None,
) -> UUID:
    """Keep a parcel that nobody can name. It came now, or at `came_at`; its photos were taken under the token `draft`.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require("check-ins:write", *_KEEPERS)
    found_id = new_id()
    seen = [code[:128] for code in dict.fromkeys(codes) if code][:MAX_CODES]
    row = {
        "id": found_id,
        "found_at": came_at or clock.now(),
        "found_by": actor.label,
        "shelf": shelf.strip()[:MAX_TEXT],
        "description": description.strip()[:MAX_TEXT],
        "sender": sender.strip()[:MAX_TEXT],
        "codes": seen,
        "counts": list(counts),
        "matched_by": "",
        "closed_by": "",
        "closed_reason": "",
    }
    # What can be read of the sender is a person's: the history holds that a parcel was kept, not from whom.
    event = history.rows(actor, ("found_parcel", found_id, "kept", {"codes": len(seen)}))
    await insert_rows(db, (FoundParcel, [row]), event)
    if draft:
        await run(db, _KEEP_PHOTOS, found_id=found_id, draft=draft)
    return found_id


_KEEP_PHOTOS: Final = "UPDATE dock_photo SET found_id = :found_id, draft = '' WHERE draft = :draft"
_FOUND: Final = """
    SELECT f.id, f.found_at, f.found_by, f.shelf, f.description, f.sender, f.codes, f.counts, f.matched_at,
           f.closed_at, f.closed_reason,
           (SELECT r.rma FROM parcel p JOIN returns r ON r.id = p.return_id
            WHERE p.found_id = f.id AND p.undone_at IS NULL LIMIT 1) AS rma,
           ARRAY(SELECT id FROM dock_photo WHERE found_id = f.id ORDER BY id) AS photos
    FROM found_parcel f
"""


_NAMELESS: Final = f"""
    {_FOUND} WHERE f.matched_at IS NULL AND f.closed_at IS NULL AND (CAST(:after AS uuid) IS NULL
        OR (f.found_at, f.id) > (SELECT found_at, id FROM found_parcel WHERE id = CAST(:after AS uuid)))
    ORDER BY f.found_at, f.id LIMIT :limit
"""  # noqa: S608 - our own words


async def found_for(db: AsyncConnection, actor: Actor, found_id: UUID) -> FoundView:
    """One unidentified parcel.

    Raises:
        NotFoundError: there is none.
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require(*_KEEPERS, "finance")
    rows = await run(db, f"{_FOUND} WHERE f.id = :id", id=found_id)
    if not rows:
        raise NotFoundError(mark("There is no such parcel."))
    return FoundView(**rows[0]._asdict())


async def nameless(db: AsyncConnection, actor: Actor, *, after: UUID | None = None, limit: int = 50) -> list[FoundView]:
    """The parcels that nobody has named yet, the longest waiting first; those that stand `after` one of them.

    Raises:
        ForbiddenError: the actor does not work at the dock.
    """
    actor.require(*_KEEPERS, "finance")
    rows = await run(db, _NAMELESS, after=after, limit=limit)
    return [FoundView(**row._asdict()) for row in rows]


async def give_up(db: AsyncConnection, actor: Actor, found_id: UUID, reason: str) -> None:
    """Take a parcel off the list that is no return of the shop's, and say why.

    Raises:
        NotFoundError: there is none.
        ConflictError: it was recognised or given up before.
        InvalidError: no reason is given.
    """
    actor.require(*_KEEPERS)
    if not reason.strip():
        raise InvalidError(mark("Say what became of the parcel."), field="reason")
    await found_for(db, actor, found_id)
    values = {"id": found_id, "now": clock.now(), "by": actor.label, "reason": reason.strip()[:MAX_TEXT]}
    if not await run(db, _GIVE_UP, **values):
        raise ConflictError(mark("This parcel was recognised or given up meanwhile."), code="found_already")
    await history.record(db, actor, ("found_parcel", found_id, "given_up", {}))


_GIVE_UP: Final = """
    UPDATE found_parcel SET closed_at = :now, closed_by = :by, closed_reason = :reason
    WHERE id = :id AND matched_at IS NULL AND closed_at IS NULL RETURNING id
"""

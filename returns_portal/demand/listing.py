"""Requests as the staff lists them: by what was asked for, when, and where they stand."""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.demand.queries import VIEW, RequestView, as_views

Show = Literal["open", "answered", "waiting", "returned", "all"]
SHOWS: Final[tuple[Show, ...]] = ("open", "answered", "waiting", "returned", "all")
"""Which requests can be listed."""
GROUP: Final = r"lower(regexp_replace(btrim(r.what), '\s+', ' ', 'g'))"
"""By what requests for something that is no product of ours belong together: their words, plainly."""


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests; None leaves a thing open, an empty text is one that says nothing."""

    show: Show = "open"
    product: str | None = None
    """A handle; empty for what is no product of ours."""
    what: str | None = None
    """The group's words."""
    size: str | None = None
    color: str | None = None
    currency: str | None = None
    """In which those paid who came back."""
    start: datetime | None = None
    end: datetime | None = None


_SHOWN: Final[dict[Show, str]] = {
    "open": "r.state = 'open'",
    "answered": "r.state <> 'open'",
    "waiting": "r.wish = 'waiting'",
    "returned": "r.came_back_order_id IS NOT NULL",
    "all": "true",
}
_NARROWED: Final = {
    "product": "coalesce(p.handle, '') = :product",
    "what": f"{GROUP} = :what",
    "size": "r.size = :size",
    "color": "r.color = :color",
    "currency": "o.currency = :currency",
    "start": "r.asked_at >= :start",
    "end": "r.asked_at < :end",
}


async def list_requests(
    db: AsyncConnection, actor: Actor, which: Which, *, after: UUID | None = None, limit: int
) -> list[RequestView]:
    """Requests for the staff: what is open with the longest waiting first, all others the newest first.

    Raises:
        ForbiddenError: the actor answers none.
    """
    actor.require("support")
    values: dict[str, Any] = {name: value for name in _NARROWED if (value := getattr(which, name)) is not None}
    conditions = [_SHOWN[which.show], *(_NARROWED[name] for name in values)]
    onward, order = (">", "ASC") if which.show == "open" else ("<", "DESC")
    if after:
        conditions.append(f"r.id {onward} :after")
        values["after"] = after
    where = " AND ".join(conditions)
    return as_views(await run(db, f"{VIEW} WHERE {where} ORDER BY r.id {order} LIMIT :limit", **values, limit=limit))

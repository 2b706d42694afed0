"""Making the next version of the policy."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.i18n import mark
from returns_portal.ids import new_id
from returns_portal.policies.content import Content, check, written
from returns_portal.policies.models import PolicyVersion
from returns_portal.policies.queries import Version, forget, of_moment, versions_now
from returns_portal.shop import queries as shop_queries

MAX_NOTE: Final = 500
FARTHEST: Final = timedelta(days=731)
"""So far ahead a version can start."""
_LOCK: Final = "SELECT pg_advisory_xact_lock(4711030)"


async def publish(
    db: AsyncConnection,
    actor: Actor,
    content: Content,
    *,
    based_on: int | None = None,
    starts_at: datetime | None = None,
    note: str = "",
) -> Version:
    """Make a new version, for orders placed from `starts_at` (now, unless it is later) on.

    Other processes see it within `queries.CACHE_SECONDS`. What the newest version says already makes no other one, so
    that a form sent twice makes one version. `based_on` is the version that the author began with.

    Raises:
        ForbiddenError: the actor is no admin.
        InvalidError: the policy cannot hold, starts in the past or in years, or the note is too long.
        ConflictError: somebody else has made a version since.
    """
    actor.require("admin")
    check(content)
    if len(note) > MAX_NOTE:
        raise InvalidError(mark("This is longer than {limit} characters."), field="note", limit=MAX_NOTE)
    await run(db, _LOCK)
    newest = max(await versions_now(db), key=lambda version: version.version)
    now = clock.now()
    if newest.content == content and starts_at in (None, newest.starts_at):
        return newest
    if based_on is not None and newest.version != based_on:
        raise ConflictError(
            mark(
                "Somebody else has made version {version} meanwhile. What you typed is kept: compare, and save again."
            ),
            code="policy_changed",
            version=newest.version,
        )
    if starts_at is not None and starts_at < now:
        raise InvalidError(
            mark("A version cannot start in the past: orders of then were placed under another one."),
            field="starts_at",
        )
    if starts_at is not None and starts_at > now + FARTHEST:
        raise InvalidError(
            mark("A version starts within two years: nobody would remember a later one."), field="starts_at"
        )
    made = Version(newest.version + 1, starts_at or now, content, note.strip(), actor.label, now, new_id())
    row = msgspec.structs.asdict(made) | {"content": written(content)}
    told = {"version": made.version, "starts_at": made.starts_at.isoformat()}
    await insert_rows(db, (PolicyVersion, [row]), history.rows(actor, ("policy", made.id, "published", told)))
    forget()
    shop_queries.forget()
    return made


async def amend(db: AsyncConnection, actor: Actor, **changes: int) -> Version:
    """Make a version that differs from the one of today in these defaults.

    Raises:
        As `publish`.
    """
    today = of_moment(await versions_now(db), clock.now())
    return await publish(db, actor, msgspec.structs.replace(today.content, **changes))

"""The versions of the policy, and the one by which an order is judged."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.policies.content import DEFAULT, Content


class Version(msgspec.Struct, frozen=True):
    """A version of the policy."""

    version: int
    starts_at: datetime
    content: Content
    note: str = ""
    created_by: str = "system"
    created_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    id: UUID = UUID(int=0)


_UNSAVED: Final = Version(1, datetime(1970, 1, 1, tzinfo=UTC), DEFAULT)
CACHE_SECONDS: Final = 5.0
_cache: WeakKeyDictionary[Engine, tuple[float, list[Version]]] = WeakKeyDictionary()

_ALL: Final = """
    SELECT version, starts_at, content, note, created_by, created_at, id FROM policy ORDER BY starts_at, version
"""


async def versions(db: AsyncConnection) -> list[Version]:
    """All versions in the order in which they start, at most `CACHE_SECONDS` old: every filing asks for them.

    There is always one: the schema comes with the first.
    """
    kept, moment = _cache.get(db.sync_engine), time.monotonic()
    if kept is not None and moment - kept[0] < CACHE_SECONDS:
        return kept[1]
    found = await versions_now(db)
    _cache[db.sync_engine] = (moment, found)
    return found


async def versions_now(db: AsyncConnection) -> list[Version]:
    """As `versions`, read anew."""
    rows = await run(db, _ALL)
    return [msgspec.convert(row._asdict(), Version) for row in rows] or [_UNSAVED]


async def in_force(db: AsyncConnection, moment: datetime) -> Version:
    """The version by which an order that was placed at this moment is judged."""
    return of_moment(await versions(db), moment)


def of_moment(known: Sequence[Version], moment: datetime) -> Version:
    """The one of these versions that was in force; what came before the first is judged by it."""
    started = [version for version in known if version.starts_at <= moment]
    return started[-1] if started else known[0]


async def list_versions(db: AsyncConnection, actor: Actor) -> list[Version]:
    """All versions for the admin, the newest first.

    Raises:
        ForbiddenError: the actor is no admin.
    """
    actor.require("admin")
    return sorted(await versions_now(db), key=lambda version: -version.version)


def forget() -> None:
    """Read the versions anew at the next question, in this process."""
    _cache.clear()

"""The demo's people as they act."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run

_STAFF: Final = "SELECT id, name, roles[1] AS role FROM staff WHERE email LIKE '%@nordsund.example' ORDER BY id DESC"


async def staff_of(db: AsyncConnection) -> dict[str, Actor]:
    """One of each role."""
    rows = await run(db, _STAFF)
    return {row.role: Actor(kind="staff", id=str(row.id), name=row.name, grants=frozenset({row.role})) for row in rows}

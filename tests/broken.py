"""What the proof of the books finds when something is broken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.finance.books import check
from tests.portal import Portal


class _UndoneError(Exception):
    """What was broken is mended by the transaction's own end."""


async def found_after(portal: Portal, statement: str) -> set[str]:
    """Run a statement, and tell what the proof finds then; nothing of it is kept."""
    found: set[str] = set()
    with suppress(_UndoneError):
        async with portal.begin() as db:
            await db.execute(text(statement))

            @asynccontextmanager
            async def inside() -> AsyncIterator[AsyncConnection]:
                yield db

            found = {breach.invariant for breach in await check(inside)}
            raise _UndoneError
    return found

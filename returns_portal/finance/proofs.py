"""The proof of the books as finance sees it: made every night and on demand, kept, and shown on the first page."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.finance.books import check
from returns_portal.finance.invariants import INVARIANTS, Breach
from returns_portal.finance.models import BooksCheck
from returns_portal.ids import new_id
from returns_portal.jobs import defer

LATE: Final = timedelta(hours=36)
"""A night was missed when the newest proof is older."""
SHOWN: Final = 30
_LATEST: Final = "SELECT id, at, invariants, breaches FROM books_check ORDER BY at DESC, id DESC LIMIT :limit"


class Proof(msgspec.Struct, frozen=True):
    """What was found when all invariants were asked."""

    id: UUID
    at: datetime
    invariants: int
    breaches: list[Breach]

    @property
    def late(self) -> bool:
        """Whether a newer one should be there."""
        return self.at < clock.now() - LATE


async def prove(begin: Begin) -> list[Breach]:
    """Ask every invariant, and keep what was found."""
    at = clock.now()
    breaches = await check(begin)
    row: dict[str, Any] = {
        "id": new_id(),
        "at": at,
        "invariants": len(INVARIANTS),
        "breaches": msgspec.to_builtins(breaches),
    }
    async with begin() as db:
        await insert_rows(db, (BooksCheck, [row]))
    return breaches


async def ask_for_proof(db: AsyncConnection, actor: Actor) -> None:
    """Have the books proven now, by a job.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    await defer(db, "finance.prove_books")


async def proofs(db: AsyncConnection, actor: Actor, *, limit: int = SHOWN) -> list[Proof]:
    """What was found, the newest first.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    rows = await run(db, _LATEST, limit=limit)
    return [Proof(row.id, row.at, row.invariants, msgspec.convert(row.breaches, list[Breach])) for row in rows]

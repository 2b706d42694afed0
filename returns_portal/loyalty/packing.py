"""Surprises at the packing table: what is proposed for which parcel, put in or not."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.i18n import mark
from returns_portal.loyalty.models import Occasion, SurpriseKind, SurpriseStatus
from returns_portal.loyalty.proposing import WAITING, spent
from returns_portal.loyalty.queries import programme
from returns_portal.loyalty.rules import month_of
from returns_portal.shop.queries import current

S = SurpriseStatus
_DOCK: Final = ("warehouse", "support")


class Proposal(msgspec.Struct, frozen=True):
    """What is proposed for a parcel, or was put in."""

    id: UUID
    kind: SurpriseKind
    status: SurpriseStatus
    occasion: Occasion | None = None


# Who is left out by lot is never shown: whoever packs treats every parcel alike.
_AT_THE_TABLE: Final = f"""
    SELECT w.number, s.id, s.kind, s.status, s.occasion FROM surprise s JOIN ({WAITING}) AS w ON w.id = s.subject_id
    WHERE s.status IN ('proposed', 'given')
"""  # noqa: S608 - the interpolated text is our own


async def proposals(db: AsyncConnection, actor: Actor) -> dict[str, Proposal]:
    """What is proposed, or was put in, by the number of the parcel's trial, exchange or replacement.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
    """
    actor.require(*_DOCK)
    rows = await run(db, _AT_THE_TABLE)
    return {
        row.number: Proposal(
            row.id, SurpriseKind(row.kind), SurpriseStatus(row.status), Occasion(row.occasion) if row.occasion else None
        )
        for row in rows
    }


# That a parcel has left is noted on its proposal within half a minute, and a page may lie open for longer.
_LOCK: Final = f"""
    SELECT s.id, s.kind, s.status, s.cost, s.currency, s.subject_id IN (SELECT w.id FROM ({WAITING}) AS w) AS here
    FROM surprise s WHERE s.id = :id AND s.status <> 'withheld' FOR UPDATE OF s
"""  # noqa: S608 - the interpolated text is our own
_DECIDE: Final = "UPDATE surprise SET status = :status, month = :month, decided_at = :now WHERE id = :id"


async def put_in(db: AsyncConnection, actor: Actor, surprise_id: UUID) -> None:
    """It is in the parcel, and the month's budget pays for it. Again, it changes nothing.

    The programme's row is held while it is counted, so that two tables never spend the same money.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: there is no such proposal.
        ConflictError: it was left out already, or the parcel has left (`wrong_status`), or the budget pays for no more
            (`budget_spent`).
    """
    actor.require(*_DOCK)
    rules = await programme(db, lock=True)
    found = await _proposed(db, surprise_id, S.GIVEN)
    if found is None:
        return
    zone = (await current(db)).timezone
    if found.currency != rules.currency or await spent(db, rules, zone, promised=False) + found.cost > rules.budget:
        raise ConflictError(
            mark("This month's budget for surprises is used up. Nothing was noted: please leave it out this time."),
            code="budget_spent",
        )
    await _decide(db, actor, found, S.GIVEN, zone)


async def leave_out(db: AsyncConnection, actor: Actor, surprise_id: UUID) -> None:
    """Not this time; nobody asks why. Again, it changes nothing.

    Raises:
        ForbiddenError: the actor is not of the warehouse.
        NotFoundError: there is no such proposal.
        ConflictError: it was put in already, or the parcel has left (`wrong_status`).
    """
    actor.require(*_DOCK)
    found = await _proposed(db, surprise_id, S.DECLINED)
    if found is not None:
        await _decide(db, actor, found, S.DECLINED, (await current(db)).timezone)


async def _proposed(db: AsyncConnection, surprise_id: UUID, wanted: SurpriseStatus) -> Any:  # noqa: ANN401 - a row, or None
    """The proposal under its lock; None where it is as it is wanted already."""
    rows = await run(db, _LOCK, id=surprise_id)
    if not rows:
        raise NotFoundError(mark("There is no such proposal."))
    if rows[0].status == wanted:
        return None
    if rows[0].status != S.PROPOSED or not rows[0].here:
        raise ConflictError(
            mark("This was decided already, or the parcel has left. Nothing was changed."), code="wrong_status"
        )
    return rows[0]


async def _decide(db: AsyncConnection, actor: Actor, found: Any, status: SurpriseStatus, zone: str) -> None:  # noqa: ANN401 - a row
    now = clock.now()
    await run(db, _DECIDE, id=found.id, status=status.value, month=month_of(now, zone), now=now)
    told = {"kind": found.kind, "cost": found.cost, "currency": found.currency}
    await history.record(db, actor, ("surprise", found.id, status.value, told))

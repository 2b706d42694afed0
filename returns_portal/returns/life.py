"""The life of a return: one setter, which writes the row and the history together, and what is done on the way."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.jobs import defer
from returns_portal.returns.models import RETURN_TRANSITIONS, Return, ReturnStatus
from returns_portal.returns.whose import EMAIL, LABELLED, LOCALE, NAME, WITH_GIFT

# Exchanges stand above returns and are not imported here; that there is one spares everybody else a look at them.
_LOCK = f"""
    SELECT r.id, r.rma, r.order_id, r.gift_id, r.status, r.refund_to, r.bonus_percent, r.created_at, o.number,
           {EMAIL} AS email, {NAME} AS name, {LOCALE} AS locale, o.currency, o.source,
           o.source <> 'trial' AND (o.cancelled_at IS NOT NULL OR o.financial_status = 'refunded') AS settled_elsewhere,
           EXISTS (SELECT FROM exchange x WHERE x.return_id = r.id) AS has_exchange
    FROM returns r JOIN orders o ON o.id = r.order_id {WITH_GIFT} WHERE r.rma = :rma FOR UPDATE OF o
"""  # noqa: S608 - the interpolated text is our own


async def lock_return(db: AsyncConnection, actor: Actor, rma: str) -> Any:  # noqa: ANN401 - a row
    """The return's row with its order's lock held: every change of a return happens under it.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    rows = await run(db, _LOCK, rma=rma)
    if not rows or not actor.sees_return(rows[0].order_id, rows[0].gift_id):
        raise NotFoundError("There is no such return.", code="return_not_found")
    return rows[0]


_MOVE = f"""
    WITH moved AS (
        UPDATE returns SET status = :status, cancelled_at = CAST(:cancelled_at AS timestamptz),
            bank_account = CASE WHEN CAST(:cancelled_at AS timestamptz) IS NULL THEN bank_account END
        WHERE id = :id AND status = ANY(:sources)
        RETURNING id),
    told AS ({history.INSERT})
    SELECT id FROM moved
"""  # noqa: S608 - a constant of ours


async def move_to(
    db: AsyncConnection,
    actor: Actor,
    return_id: UUID,
    status: ReturnStatus,
    action: str,
    data: dict[str, Any] | None = None,
    *,
    cancelled_at: datetime | None = None,
) -> None:
    """Bring a return into another status, and write the history. Under the order's lock.

    `cancelled_at` is when one that is cancelled again was so first; by default it is now. Nothing is paid for a
    cancelled return, so the number of the account that it was to go to is forgotten.

    Raises:
        ConflictError: the life of a return does not lead there from where it is.
    """
    sources = [before.value for before, after in RETURN_TRANSITIONS.items() if status in after]
    told = history.values(actor, ("return", return_id, action, data or {}))
    cancelled_at = (cancelled_at or told["history_at"]) if status is ReturnStatus.CANCELLED else None
    values = {"id": return_id, "status": status.value, "cancelled_at": cancelled_at, "sources": sources}
    # Where it is not moved, the error takes what was told with it.
    if not await run(db, _MOVE, **values, **told):
        raise ConflictError("This return is not in a state where that can be done.", code="wrong_status")


_CANCELLED = """
    SELECT at FROM history WHERE subject = 'return' AND subject_id = :id AND action = 'cancelled' ORDER BY at, id
"""


async def move_back(
    db: AsyncConnection, actor: Actor, return_id: UUID, action: str, data: dict[str, Any] | None = None
) -> None:
    """Bring a return of which nothing was received after all back to where it was: filed, or cancelled.

    Raises:
        ConflictError: it was not received.
    """
    # What its parcel announced may have been announced anew since it was cancelled.
    cancelled = [row.at for row in await run(db, _CANCELLED, id=return_id)]
    status = ReturnStatus.CANCELLED if cancelled else ReturnStatus.FILED
    await move_to(db, actor, return_id, status, action, data, cancelled_at=cancelled[-1] if cancelled else None)


async def cancel_return(db: AsyncConnection, actor: Actor, rma: str) -> Any:  # noqa: ANN401 - a row
    """Cancel a return while nothing of it has arrived; the items can be returned again later.

    Raises:
        NotFoundError: none, or not the actor's.
        ConflictError: something arrived, or it is cancelled already.
    """
    row = await lock_return(db, actor, rma)
    # Read again under the lock: the row above was read while waiting for it.
    status = (await db.execute(select(col(Return.status)).where(col(Return.id) == row.id))).scalar_one()
    if status != ReturnStatus.FILED:
        raise ConflictError(
            "This return can no longer be cancelled: the parcel has arrived, or it was cancelled before.",
            code="not_cancellable",
        )
    if await is_under_way(db, row.id):
        raise ConflictError(
            "This return can no longer be cancelled: the carrier has the parcel already.", code="not_cancellable"
        )
    await move_to(db, actor, row.id, ReturnStatus.CANCELLED, "cancelled")
    if await run(db, _FOLLOWED, id=row.id):
        # What travels with it is of other orders, whose locks this transaction must not wait for while it holds one.
        await defer(db, "labels.regroup", return_id=str(row.id))
    return row


_FOLLOWED = "SELECT id FROM returns WHERE travels_with = :id AND status = 'filed' LIMIT 1"
# Labels stand above returns and are not imported here; whether a carrier has the parcel in hand is only read.
_UNDER_WAY = f"""
    SELECT b.id FROM returns r JOIN label b ON b.return_id = {LABELLED}
    WHERE r.id = :id AND b.status IN ('in_transit', 'delivered', 'lost') AND b.first_scan_at IS NOT NULL LIMIT 1
"""  # noqa: S608 - our own words


async def is_under_way(db: AsyncConnection, return_id: UUID) -> bool:
    """Whether a carrier has a parcel of the return in hand, or has brought it, whosever label is on it."""
    return bool(await run(db, _UNDER_WAY, id=return_id))


async def set_bank_account(db: AsyncConnection, actor: Actor, rma: str, encrypted: str) -> None:
    """Keep where an external payment goes back to, encrypted by the caller.

    Raises:
        NotFoundError: none, or not the actor's.
    """
    row = await lock_return(db, actor, rma)
    await db.execute(update(Return).where(col(Return.id) == row.id).values(bank_account=encrypted))
    await history.record(db, actor, ("return", row.id, "bank_account_given", {}))

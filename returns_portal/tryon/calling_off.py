"""Calling a trial off before it is sent, and its items going back to the stock or out of it again."""

from collections import Counter
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import give_back_stock, take_stock
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.jobs import defer
from returns_portal.orders.trials import mark_cancelled
from returns_portal.points.redemptions import release
from returns_portal.returns.life import move_to as move_return
from returns_portal.returns.models import ReturnStatus
from returns_portal.tryon.letters import tell
from returns_portal.tryon.life import charge_to, move_to
from returns_portal.tryon.models import ChargeStatus, TrialStatus
from returns_portal.tryon.queries import TrialView, trial_for

CANCELLABLE: Final = frozenset(
    {
        TrialStatus.PLACED,
        TrialStatus.AUTHORISATION_FAILED,
        TrialStatus.AUTHORISED,
        TrialStatus.PACKED,
        TrialStatus.AUTHORISATION_EXPIRED,
    }
)


async def cancel(db: AsyncConnection, actor: Actor, number: str, *, reason: str = "") -> TrialView:
    """Call a trial off before it is sent: what is held is released, points and stock go back. Again, nothing changes.

    `reason` is a word of `templates/email/trial.txt` for why the shop does it; empty where somebody wished it.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ConflictError: it was sent (`already_shipped`): what is not wanted comes back with the label.
    """
    trial = await trial_for(db, actor, number, lock=True)
    if trial.status == TrialStatus.CANCELLED:
        return trial
    if trial.status not in CANCELLABLE or trial.shipped_at is not None:
        raise ConflictError(
            mark("This has been sent already. Send back what you do not want, with the label in the parcel."),
            code="already_shipped",
        )
    await move_to(db, actor, trial.id, TrialStatus.CANCELLED, reason=reason, cancelled_at=clock.now())
    for charge in trial.charges:
        if charge.status == ChargeStatus.PLANNED:
            await charge_to(db, actor, charge.id, ChargeStatus.CANCELED)
    # What the gateway holds, or may hold, is let go by jobs; a deposit or a purchase that was paid is refunded by them.
    await defer(db, "tryon.unwind", trial_id=str(trial.id))
    if trial.return_id is not None and trial.return_status == ReturnStatus.FILED:
        await move_return(db, actor, trial.return_id, ReturnStatus.CANCELLED, "cancelled")
    await mark_cancelled(db, trial.order_id)
    await put_back(db, trial)
    # Points that were spent with a purchase come back with its refund.
    if trial.redemption_id is not None and not any(charge.points for charge in trial.charges):
        await release(db, SYSTEM, trial.redemption_id)
    await tell(db, trial, "trial_cancelled", why=reason)
    return await trial_for(db, actor, number)


async def put_back(db: AsyncConnection, trial: TrialView) -> None:
    """Its items go back into the stock, unless they are there already. Under the order's lock."""
    if trial.stocked_at is not None:
        await run(db, _STOCKED, id=trial.id, at=None)
        await give_back_stock(db, Counter(item.variant_id for item in trial.items))


async def set_aside(db: AsyncConnection, trial: TrialView) -> None:
    """Take its items from the stock again, where they were put back. Under the order's lock.

    Raises:
        ConflictError: somebody else has bought them meanwhile (`out_of_stock`).
        InvalidError: something of it is no longer offered.
    """
    if trial.stocked_at is None:
        await take_stock(db, Counter(item.sku for item in trial.items))
        await run(db, _STOCKED, id=trial.id, at=clock.now())


_STOCKED: Final = "UPDATE trial SET stocked_at = :at WHERE id = :id"

"""The one label of a trial: its return announces whatever may still come back."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.actions import issue
from returns_portal.refunds import filing
from returns_portal.returns.actions import announce, announce_only
from returns_portal.returns.life import move_to
from returns_portal.returns.models import ReturnStatus
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.returns.rules import Policy
from returns_portal.shop.queries import current
from returns_portal.tryon.models import OPEN, Decision, Outcome
from returns_portal.tryon.queries import TrialView


async def awaited_by(db: AsyncConnection, view: ReturnView) -> str:
    """The number of the trial whose label a return is, until that is settled; empty for any other.

    What goes back with it is said on the trial's page.
    """
    rows = await run(db, _AWAITED, id=view.id, open=[status.value for status in OPEN]) if view.of_trial else []
    return str(rows[0].number) if rows else ""


_AWAITED: Final = "SELECT number FROM trial WHERE return_id = :id AND status = ANY(:open)"


async def cancel_return(db: AsyncConnection, actor: Actor, rma: str) -> None:
    """Cancel a return, as `refunds.filing.cancel` does; but not the one label of a trial.

    Raises:
        NotFoundError: none, or not the actor's.
        ConflictError: something arrived, it is cancelled already, or belongs to a trial (`trial_label`).
    """
    view = await return_for(db, actor, rma)
    if await awaited_by(db, view):
        raise ConflictError(
            mark("This is the label of your trial. Say on the trial's page what you keep; then nothing is expected."),
            code="trial_label",
        )
    await filing.cancel(db, actor, view.rma)


def may_come_back(trial: TrialView) -> list[UUID]:
    """The order lines of what was not decided to be kept, and was not charged."""
    return [
        item.order_line_id
        for item in trial.items
        if item.outcome in {Outcome.OPEN, Outcome.RETURNED, Outcome.WAIVED}
        and item.decision != Decision.KEEP
        and item.problem != "missing"
    ]


async def expect(db: AsyncConnection, actor: Actor, trial: TrialView) -> None:
    """Bring the trial's return up to what may still come back; makes it, with its label, where there is none.

    What came is left in it. A return of which nothing is expected any more is cancelled; should something of it
    arrive, it is received all the same. Under the order's lock, with the trial as it was read under it.
    """
    lines = may_come_back(trial)
    if trial.return_id is None or trial.return_status == ReturnStatus.CANCELLED:
        if lines:
            await _make(db, actor, trial, lines)
    elif lines or trial.return_status == ReturnStatus.RECEIVED:
        await announce_only(db, trial.return_id, lines)
    else:
        await move_to(db, actor, trial.return_id, ReturnStatus.CANCELLED, "cancelled")


async def _make(db: AsyncConnection, actor: Actor, trial: TrialView, lines: list[UUID]) -> None:
    shop = await current(db)
    filed = await announce(db, actor, trial.order_id, lines, policy=Policy(shop.return_days, shop.timezone))
    # It lies in the parcel that goes out, so that it is there at once, and is paid for when it is used.
    await issue(db, actor, filed.id, filed.rma, ask=False)
    await run(db, "UPDATE trial SET return_id = :return_id WHERE id = :id", id=trial.id, return_id=filed.id)

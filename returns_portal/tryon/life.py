"""The lives of a trial and of its charges: one setter each, which writes the row and the history together."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.tryon.models import CHARGE_TRANSITIONS, TRIAL_TRANSITIONS, ChargeStatus, TrialStatus

_TRIAL_SOURCES: Final = {
    status: [before.value for before, after in TRIAL_TRANSITIONS.items() if status in after] for status in TrialStatus
}
_CHARGE_SOURCES: Final = {
    status: [before.value for before, after in CHARGE_TRANSITIONS.items() if status in after] for status in ChargeStatus
}


async def move_to(
    db: AsyncConnection, actor: Actor, trial_id: UUID, status: TrialStatus, *, reason: str = "", **columns: object
) -> None:
    """Bring a trial into another status, with what was learnt. Under its order's lock.

    Raises:
        ConflictError: the life of a trial does not lead there from where it is (`wrong_status`).
    """
    told = history.values(actor, ("trial", trial_id, status.value, {"reason": reason} if reason else {}))
    values = columns | {"id": trial_id, "status": status.value, "sources": _TRIAL_SOURCES[status], "now": clock.now()}
    if not await run(db, history.moving("trial", tuple(columns)), **values, **told):
        raise ConflictError(mark("This trial is not in a state where that can be done."), code="wrong_status")


async def charge_to(
    db: AsyncConnection, actor: Actor, charge_id: UUID, status: ChargeStatus, **columns: object
) -> None:
    """Bring a charge of a trial into another status, with what was learnt. Under the order's lock.

    Raises:
        ConflictError: the life of a charge does not lead there from where it is (`wrong_status`).
    """
    data = {"failure": columns["failure"]} if columns.get("failure") else {}
    told = history.values(actor, ("trial_charge", charge_id, status.value, data))
    values = columns | {"id": charge_id, "status": status.value, "sources": _CHARGE_SOURCES[status], "now": clock.now()}
    if not await run(db, history.moving("trial_charge", tuple(columns)), **values, **told):
        raise ConflictError(mark("This charge is not in a state where that can be done."), code="wrong_status")

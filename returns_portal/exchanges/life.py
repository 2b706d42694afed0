"""The lives of an exchange and of its payment: one setter each, which writes the row and the history together."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.exchanges.models import (
    CHARGE_TRANSITIONS,
    EXCHANGE_TRANSITIONS,
    LIVE,
    ChargeStatus,
    ExchangeStatus,
)
from returns_portal.i18n import mark

_SOURCES: Final = {
    status: [before.value for before, after in EXCHANGE_TRANSITIONS.items() if status in after]
    for status in ExchangeStatus
}
_CHARGE_SOURCES: Final = {
    status: [before.value for before, after in CHARGE_TRANSITIONS.items() if status in after] for status in ChargeStatus
}


async def move_to(
    db: AsyncConnection, actor: Actor, exchange_id: UUID, status: ExchangeStatus, **columns: object
) -> None:
    """Bring an exchange into another status, with what was learnt. Under its order's lock.

    Raises:
        ConflictError: the life of an exchange does not lead there from where it is (`wrong_status`).
    """
    data = {"reason": columns["end_reason"]} if columns.get("end_reason") else {}
    told = history.values(actor, ("exchange", exchange_id, status.value, data))
    columns |= {"reserved": status in LIVE}
    values = columns | {"id": exchange_id, "status": status.value, "sources": _SOURCES[status], "now": clock.now()}
    if not await run(db, history.moving("exchange", tuple(columns)), **values, **told):
        raise ConflictError(mark("This exchange is not in a state where that can be done."), code="wrong_status")


async def charge_to(db: AsyncConnection, charge_id: UUID, status: ChargeStatus, **columns: object) -> None:
    """Bring a payment of a difference into another status, with what was learnt. Under the order's lock.

    Raises:
        ConflictError: its life does not lead there from where it is (`wrong_status`).
    """
    data = {"failure": columns["failure"]} if columns.get("failure") else {}
    told = history.values(SYSTEM, ("exchange_charge", charge_id, status.value, data))
    values = columns | {"id": charge_id, "status": status.value, "sources": _CHARGE_SOURCES[status], "now": clock.now()}
    if not await run(db, history.moving("exchange_charge", tuple(columns)), **values, **told):
        raise ConflictError(mark("This payment is not in a state where that can be done."), code="wrong_status")

"""Exchanges that do not come about: called off, never paid, never arrived. What is owed then goes back, once."""

from collections import Counter
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import give_back_stock
from returns_portal.db import Begin, run
from returns_portal.errors import ConflictError
from returns_portal.exchanges.lending import after_all, let_all_go, let_go, settle
from returns_portal.exchanges.letters import tell
from returns_portal.exchanges.life import move_to
from returns_portal.exchanges.models import ChargeStatus, EndReason, ExchangeStatus, Outcome
from returns_portal.exchanges.queries import (
    ExchangeView,
    exchange_by_id,
    exchange_for,
    exchanges_of_return,
)
from returns_portal.i18n import mark
from returns_portal.jobs import defer, defer_many
from returns_portal.orders.exchanges import move_cost
from returns_portal.returns.whose import LABELLED

S = ExchangeStatus
PROLONGED: Final = timedelta(days=14)
"""By so much the time is prolonged for goods that a carrier or the warehouse has."""


async def end(db: AsyncConnection, actor: Actor, exchange: ExchangeView, reason: EndReason) -> None:
    """End an exchange that was not sent. Under its order's lock, with the exchange as it was read under it.

    What was moved goes back to the unit, and is owed from then on; a job writes the refunds of that, and of what was
    paid on top. A replacement that turned out to be missing does not go back into the stock.
    """
    if exchange.unit is not None and exchange.moved:
        await move_cost(db, exchange.order_line_id, exchange.unit, -exchange.moved, -exchange.moved_tax)
    await move_to(
        db,
        actor,
        exchange.id,
        S.ENDED,
        end_reason=reason.value,
        ended_at=clock.now(),
        owed=exchange.moved,
        owed_tax=exchange.moved_tax,
        moved=0,
        moved_tax=0,
    )
    if reason is not EndReason.SOLD_OUT:
        await give_back_stock(db, Counter([exchange.variant_id]))
    await let_all_go(db, exchange)
    # Refunds stand above exchanges, and are not imported here.
    await defer(db, "refunds.end_exchange", exchange_id=str(exchange.id))
    told = await exchange_by_id(db, exchange.id)
    if told is not None and reason is not EndReason.RETURN_CANCELLED:
        await tell(db, "exchange_ended", [told])


async def call_off(
    db: AsyncConnection, actor: Actor, number: str, reason: EndReason = EndReason.CUSTOMER
) -> ExchangeView:
    """Let the money go back instead: by the customer, or by the shop that finds the piece missing. Again, no change.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ForbiddenError: staff who are neither of support nor of the warehouse.
        ConflictError: it was sent (`already_sent`).
    """
    if actor.kind != "customer":
        actor.require("exchanges:write", "support", "warehouse")
    exchange = await exchange_for(db, actor, number, lock=True)
    if exchange.status == S.ENDED:
        return exchange
    if exchange.status == S.SENT:
        raise ConflictError(
            mark("It has been sent already. What you do not want of it can be sent back like anything else."),
            code="already_sent",
        )
    await end(db, actor, exchange, reason)
    return await exchange_for(db, actor, number)


async def send_later(db: AsyncConnection, actor: Actor, number: str) -> ExchangeView:
    """Let it be sent once the goods are here, not at once: nothing is held then. Again, it changes nothing.

    Raises:
        NotFoundError: there is none, or it is not the actor's.
        ConflictError: it has left already, or has ended (`wrong_status`).
    """
    exchange = await exchange_for(db, actor, number, lock=True)
    if not exchange.at_once:
        return exchange
    if exchange.status not in {S.AWAITING_HOLD, S.TO_SEND} or exchange.outcome is not None:
        raise ConflictError(
            mark("It has left already, or has ended, so this cannot change any more."), code="wrong_status"
        )
    await after_all(db, actor, exchange)
    return await exchange_for(db, actor, number)


async def end_of_return(db: AsyncConnection, actor: Actor, return_id: UUID) -> None:
    """Its return was cancelled: nothing comes back, so nothing is exchanged. Under the order's lock.

    What was sent at once already is kept, and paid for.
    """
    for exchange in await exchanges_of_return(db, actor, return_id):
        if exchange.is_lent:
            await settle(db, actor, exchange, Outcome.KEPT, exchange.price)
        elif exchange.status not in {S.SENT, S.ENDED}:
            await end(db, actor, exchange, EndReason.RETURN_CANCELLED)


# Labels and the warehouse are not imported here; that they have the goods, or look at them, is all that matters.
ON_ITS_WAY: Final = f"""
    (EXISTS (SELECT FROM returns r JOIN label b ON b.return_id = {LABELLED}
        WHERE r.id = e.return_id AND b.status IN ('in_transit', 'delivered'))
     OR EXISTS (SELECT FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE p.return_id = e.return_id
        AND p.undone_at IS NULL AND i.order_line_id = e.order_line_id AND i.acceptance = 'waiting'))
"""  # noqa: S608 - our own text
_DUE: Final = f"""
    SELECT e.id, e.status = 'awaiting_payment' AS unpaid, e.arrived_at IS NULL AND {ON_ITS_WAY} AS on_its_way
    FROM exchange e
    WHERE e.status IN ('awaiting_hold', 'awaiting_payment', 'awaiting_goods') AND e.reserved_until <= :now
      AND (CAST(:only AS uuid) IS NULL OR e.id = :only)
      -- What a bank is just being asked about is not ended over its head.
      AND NOT EXISTS (
        SELECT FROM exchange_charge c WHERE c.exchange_id = e.id AND c.status IN ('submitting', 'unknown'))
    ORDER BY e.reserved_until LIMIT 100
"""  # noqa: S608 - our own text
_PROLONG: Final = "UPDATE exchange SET reserved_until = :until WHERE id = :id"
_STUCK: Final = """
    SELECT id FROM exchange_charge
    WHERE status IN ('submitting', 'unknown', 'capturing', 'canceling') AND changed_at < :before
       OR status = 'action_needed' AND reference IS NOT NULL AND changed_at < :soon AND changed_at > :idle
    ORDER BY changed_at LIMIT 100
"""
_IDLE: Final = """
    SELECT c.id, c.exchange_id FROM exchange_charge c
    WHERE c.status = 'action_needed' AND c.changed_at <= :idle ORDER BY c.changed_at LIMIT 100
"""
_UNSETTLED: Final = """
    SELECT e.id FROM exchange e WHERE e.status = 'ended' AND e.changed_at < :before AND (
        e.owed > 0 AND e.settled_at IS NULL
        OR e.payment_id IS NOT NULL AND e.paid_back_at IS NULL)
    LIMIT 100
"""


async def sweep(begin: Begin) -> None:
    """End what waits for too long, and set going again what hangs."""
    now = clock.now()
    async with begin() as db:
        due = await run(db, _DUE, now=now, only=None)
        moments = {"before": clock.minutes_ago(5), "soon": clock.minutes_ago(1), "idle": now - timedelta(days=1)}
        stuck = await run(db, _STUCK, **moments)
        await defer_many(db, "exchanges.charge", [{"charge_id": str(row.id)} for row in stuck])
        idle = await run(db, _IDLE, idle=moments["idle"])
        unsettled = await run(db, _UNSETTLED, before=moments["before"])
        await defer_many(db, "refunds.end_exchange", [{"exchange_id": str(row.id)} for row in unsettled])
    for row in due:
        async with begin() as db:
            await _end_due(db, row.id)
    for row in idle:
        async with begin() as db:
            await _give_up(db, row.exchange_id, row.id)


async def _end_due(db: AsyncConnection, exchange_id: UUID) -> None:
    exchange = await exchange_by_id(db, exchange_id, lock=True)
    # Looked at again under the lock: it may have been paid for, or have arrived, meanwhile.
    rows = await run(db, _DUE, now=clock.now(), only=exchange_id)
    if exchange is None or not rows:
        return
    if rows[0].on_its_way:
        await run(db, _PROLONG, id=exchange_id, until=clock.now() + PROLONGED)
        return
    arrived_unpaid = rows[0].unpaid and exchange.arrived_at is not None
    await end(db, SYSTEM, exchange, EndReason.NOT_PAID if arrived_unpaid else EndReason.NEVER_CAME)


async def _give_up(db: AsyncConnection, exchange_id: UUID, charge_id: UUID) -> None:
    """What a customer began to pay and left is given up, so that another card can be given."""
    exchange = await exchange_by_id(db, exchange_id, lock=True)
    charge = exchange.charge if exchange else None
    if charge is not None and charge.id == charge_id and charge.status == ChargeStatus.ACTION_NEEDED:
        await let_go(db, charge_id)

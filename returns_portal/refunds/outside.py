"""Refunds that were made elsewhere, in the gateway's dashboard: found, booked, and counted against their payment.

What the gateway says of a refund of ours is written down by `settling.record`; any other refund of a payment that is
known here becomes a row of its own kind, under the order's lock. What had gone back before the payment became known is
in its `refunded_before` already.
"""

from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext
from returns_portal.payments.gateway import GatewayRefund
from returns_portal.payments.models import PaymentStatus
from returns_portal.refunds.fitting import stop_excess
from returns_portal.refunds.life import owed, transition
from returns_portal.refunds.models import Destination, Kind, Refund, RefundStatus
from returns_portal.refunds.settling import GATEWAY_STATUS, attempt_of, record

log = structlog.get_logger(__name__)


class UnderWayError(Exception):
    """A refund of ours is on its way, and with it the other one would not fit: one of them is not, so wait."""


async def take(context: JobContext, refund: GatewayRefund) -> None:
    """Write down what the gateway says of a refund, whoever made it. The same again changes nothing.

    Raises:
        UnderWayError: it cannot be told yet what is left of the payment; the same is to be done again later.
    """
    async with context.begin() as db:
        ours = await _ours(db, refund)
        if ours is None:
            await _book(db, refund)
    if ours is not None:
        await record(context, ours, refund)


async def _ours(db: AsyncConnection, refund: GatewayRefund) -> UUID | None:
    """The row of ours that asked for this refund: named in the metadata, or known by the gateway's id."""
    named = attempt_of(refund)
    rows = await run(
        db,
        "SELECT id FROM refund WHERE (id = :id OR gateway_id = :gateway_id) AND kind <> 'outside'",
        id=named[0] if named else None,
        gateway_id=refund.id,
    )
    return rows[0].id if rows else None


async def _book(db: AsyncConnection, refund: GatewayRefund) -> None:
    """Book a refund that was made elsewhere, or what became of it since."""
    payment = await lock_payment(db, refund.payment, refund.charge)
    if payment is None or payment.status != PaymentStatus.CAPTURED or await _is_counted(db, payment, refund):
        return
    status = GATEWAY_STATUS[refund.status]
    rows = await run(db, "SELECT id FROM refund WHERE gateway_id = :id", id=refund.id)
    if not rows and await _must_wait(db, payment, refund):
        raise UnderWayError(refund.id)
    refund_id = rows[0].id if rows else await _insert(db, payment, refund)
    # What was heard of it before may be newer: a refund's life goes one way.
    with suppress(ConflictError):
        await transition(
            db,
            SYSTEM,
            refund_id,
            status,
            reference=refund.reference,
            failure=refund.failure_reason,
            pending=refund.pending_reason,
        )
    if await stop_excess(db, payment):
        log.warning("refund.stopped", payment=str(payment.id), because=refund.id)


async def lock_payment(db: AsyncConnection, *references: str | None) -> Any:  # noqa: ANN401 - a row
    """The payment that the gateway knows by one of these ids, locked behind its order; None where it is not ours."""
    known = [reference for reference in references if reference]
    found = await run(
        db, "SELECT id, order_id FROM payment WHERE tender = 'stripe' AND reference = ANY(:known)", known=known
    )
    if not found:
        return None
    await run(db, "SELECT id FROM orders WHERE id = :id FOR UPDATE", id=found[0].order_id)
    rows = await run(db, "SELECT * FROM payment WHERE id = :id FOR UPDATE", id=found[0].id)
    return rows[0] if rows else None


async def _is_counted(db: AsyncConnection, payment: Any, refund: GatewayRefund) -> bool:  # noqa: ANN401 - a row
    """Whether it went back before the payment became known, so that `refunded_before` holds it."""
    if payment.refunds_before is not None:
        return refund.id in payment.refunds_before
    [known] = await run(
        db, "SELECT max(at) AS since FROM history WHERE subject_id = :id AND action = 'captured'", id=payment.id
    )
    return known.since is not None and refund.created < known.since


_UNDER_WAY: Final = """
    SELECT p.amount - p.refunded_before - coalesce(sum(f.amount), 0) AS left,
           coalesce(bool_or(f.status IN ('submitting', 'unknown')), false) AS open
    FROM payment p LEFT JOIN refund f ON f.payment_id = p.id AND f.destination = 'original'
     AND f.status IN ('submitting', 'unknown', 'pending', 'succeeded') WHERE p.id = :id GROUP BY p.id
"""


async def _must_wait(db: AsyncConnection, payment: Any, refund: GatewayRefund) -> bool:  # noqa: ANN401 - a row
    """Whether it can only be if a refund of ours that is still being sent was refused."""
    [state] = await run(db, _UNDER_WAY, id=payment.id)
    return bool(state.open and refund.amount > state.left)


async def _insert(db: AsyncConnection, payment: Any, refund: GatewayRefund) -> UUID:  # noqa: ANN401 - a row
    """Write it as one that is being sent, and owed as long as it has not succeeded."""
    now = clock.now()
    made = min(refund.created, now)
    refund_id = new_id()
    row = {
        "id": refund_id,
        "order_id": payment.order_id,
        "release_id": new_id(),
        "kind": Kind.OUTSIDE,
        "reason": refund.reason or "",
        "payment_id": payment.id,
        "status": RefundStatus.SUBMITTING,
        "destination": Destination.CARD,
        "currency": refund.currency,
        "amount": refund.amount,
        "bonus": 0,
        "tax": 0,
        "shipping": 0,
        "fee": 0,
        "fee_tax": 0,
        "attempt": 1,
        "gateway_id": refund.id,
        "gateway_reference": "",
        "failure_reason": "",
        "livemode": payment.livemode,
        "requested_at": made,
        "created_at": now,
        "due_at": made,
        "submitted_at": made,
        "changed_at": now,
    }
    await insert_rows(db, (Refund, [row]), *owed([row]))
    return refund_id

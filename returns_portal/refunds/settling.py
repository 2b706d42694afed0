"""Making refunds happen, once each, and knowing whether they did.

The order of writes (shared by every outbound effect): the row is committed as `submitting`, then the gateway is called
without any lock under a key made of the row's own id, then what it answered is recorded. An outcome that is not known
is `unknown`, and the gateway is asked before anything is sent again.
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.jobs import JobContext, defer, defer_many
from returns_portal.payments.gateway import GatewayBusyError, GatewayRefund, GatewayRefusedError, GatewayUnknownError
from returns_portal.payments.models import PaymentStatus, Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.life import letter, transition
from returns_portal.refunds.models import Destination, RefundStatus

log = structlog.get_logger(__name__)

_GATEWAY_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    # For the customer and the books a refund that the gateway took back is one that failed: it can be tried again.
    "canceled": RefundStatus.FAILED,
}

_CLAIM = """
    SELECT f.id, f.status, f.destination, f.amount, f.currency, f.due_at, f.attempt, f.gateway_id,
           p.id AS payment_id, p.tender, p.reference, p.status AS payment_status, r.rma, r.bank_account,
           r.id AS return_id, o.email, o.locale
    FROM refund f JOIN payment p ON p.id = f.payment_id LEFT JOIN returns r ON r.id = f.return_id
    JOIN orders o ON o.id = f.order_id WHERE f.id = :id FOR UPDATE OF f
"""


async def submit(context: JobContext, refund_id: UUID) -> None:
    """Make a due refund happen. Run any number of times, by any number of workers, it happens once."""
    async with context.begin() as db:
        rows = await run(db, _CLAIM, id=refund_id)
        if not rows or not await _ready(db, rows[0]):
            return
        [row] = rows
        asked_before = row.status != RefundStatus.PLANNED
        if row.status in (RefundStatus.PLANNED, RefundStatus.UNKNOWN):
            await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
    gateway = context.service(StripeGateway)
    try:
        # Whoever finds the row already submitted does not know what became of it: the gateway is asked first.
        answer = await _find(gateway, row) if asked_before else None
        if answer is None:
            answer = await gateway.refund(
                key=f"refund:{refund_id}:{row.attempt}",
                payment=row.reference,
                amount=row.amount,
                currency=row.currency,
                metadata={"refund_id": f"{refund_id}:{row.attempt}"},
            )
    except GatewayRefusedError as error:
        async with context.begin() as db:
            await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure=error.code)
    except (GatewayUnknownError, GatewayBusyError):
        # Nobody knows: the row says so, and this job tries again, asking first.
        async with context.begin() as db:
            await transition(db, SYSTEM, refund_id, RefundStatus.UNKNOWN)
        raise
    else:
        await record(context, refund_id, answer)


async def _ready(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether the gateway is to be called now; what does without it is settled here."""
    if row.status in (RefundStatus.SUBMITTING, RefundStatus.UNKNOWN):
        return True
    if row.status != RefundStatus.PLANNED:
        return False
    if row.due_at > clock.now():
        # A job can only be early when the clock was set back; it is asked for again in time.
        await defer(db, "refunds.submit", at=row.due_at, refund_id=str(row.id))
        return False
    if row.destination == Destination.CARD and row.tender == Tender.STRIPE:
        return await _is_captured(db, row)
    await _settle_here(db, row)
    return False


async def _settle_here(db: AsyncConnection, row: Any) -> None:  # noqa: ANN401 - a row
    """Points are credited; money that came from elsewhere awaits finance's transfer."""
    if row.destination == Destination.POINTS:
        await transition(db, SYSTEM, row.id, RefundStatus.SUCCEEDED)
        return
    if row.destination == Destination.CARD:
        # The payment turned out to be another account's when it was looked up: only a transfer can pay it back.
        await run(db, "UPDATE refund SET destination = 'transfer' WHERE id = :id", id=row.id)
        await history.record(db, SYSTEM, ("refund", row.id, "turned_into_transfer", {}))
    await transition(db, SYSTEM, row.id, RefundStatus.AWAITING_TRANSFER)
    if row.bank_account is None:
        await insert_rows(db, letter(row, "transfer_needed"))


async def _is_captured(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether the payment is known to be there; when it is, its own job sets this refund going."""
    if row.payment_status == PaymentStatus.CAPTURED:
        return True
    # Whoever is writing the payment just now did not see this refund wait: so look again, behind them.
    behind = text("SELECT status FROM payment WHERE id = :id FOR SHARE")
    if (await db.execute(behind, {"id": row.payment_id})).scalar_one() == PaymentStatus.CAPTURED:
        await defer(db, "refunds.submit", refund_id=str(row.id))
    return False


async def _find(gateway: StripeGateway, row: Any) -> GatewayRefund | None:  # noqa: ANN401 - a row
    """The gateway's refund for this attempt of ours, if it ever came to be."""
    try:
        candidates = await gateway.find_refunds(row.reference)
    except GatewayRefusedError as error:
        # A key that may not list proves nothing about what was done before.
        raise GatewayUnknownError(str(error)) from error
    ours = f"{row.id}:{row.attempt}"
    return next((candidate for candidate in candidates if candidate.our_id == ours), None)


async def record(context: JobContext, refund_id: UUID, answer: GatewayRefund) -> None:
    """Write down what the gateway says of a refund; saying the same again changes nothing."""
    status = _GATEWAY_STATUS[answer.status]
    async with context.begin() as db:
        try:
            await transition(
                db,
                SYSTEM,
                refund_id,
                status,
                gateway_id=answer.id,
                reference=answer.reference,
                failure=answer.failure_reason,
            )
        except ConflictError:
            [current] = await run(db, "SELECT status FROM refund WHERE id = :id", id=refund_id)
            if current.status != status:
                log.warning("refund.unexpected", refund=str(refund_id), have=current.status, gateway=answer.status)


async def poll(context: JobContext) -> None:
    """Ask the gateway about refunds that it has not finished, and set going what was left behind.

    A planned refund that is long due, or a submitted one that nobody works on, has lost its job (staff deleted it, a
    restored backup): it gets a new one.
    """
    async with context.begin() as db:
        rows = await db.execute(
            text(
                "SELECT id, gateway_id, status FROM refund WHERE (status = 'pending' AND changed_at < :soon)"
                " OR (status IN ('submitting', 'unknown', 'planned') AND changed_at < :late AND due_at < :late)"
                " ORDER BY changed_at LIMIT 200"
            ),
            {"soon": clock.now(), "late": clock.minutes_ago(5)},
        )
        found = [(row.id, row.gateway_id, row.status) for row in rows]
        await defer_many(
            db,
            "refunds.submit",
            [{"refund_id": str(id_)} for id_, _, status in found if status != RefundStatus.PENDING],
        )
    gateway = context.service(StripeGateway)
    for refund_id, gateway_id, status in found:
        if status == RefundStatus.PENDING and gateway_id:
            try:
                answer = await gateway.read_refund(gateway_id)
            except (GatewayUnknownError, GatewayBusyError):
                continue  # The next round asks again; what is pending stays pending until then.
            await record(context, refund_id, answer)


async def retry(db: AsyncConnection, actor: Actor, refund_id: UUID) -> None:
    """Let a failed refund be tried again: a new attempt, a new effect, a new key. Under the order's lock.

    Raises:
        NotFoundError: there is no such refund.
        ConflictError: it has not failed, or the payment has too little left for it.
    """
    actor.require("finance")
    order_id = (
        await db.execute(text("SELECT order_id FROM refund WHERE id = :id"), {"id": refund_id})
    ).scalar_one_or_none()
    if order_id is None:
        raise NotFoundError("There is no such refund.")
    await db.execute(text("SELECT id FROM orders WHERE id = :id FOR UPDATE"), {"id": order_id})
    enough = (
        await db.execute(
            text(
                "SELECT p.amount - p.refunded_before - coalesce((SELECT sum(x.amount) FROM refund x WHERE"
                " x.payment_id = p.id AND x.status NOT IN ('failed', 'canceled')), 0) >= f.amount"
                " FROM refund f JOIN payment p ON p.id = f.payment_id WHERE f.id = :id"
            ),
            {"id": refund_id},
        )
    ).scalar_one()
    if not enough:
        raise ConflictError("The payment has less left than this refund.", code="nothing_left")
    await transition(db, actor, refund_id, RefundStatus.PLANNED, again=True, failure="")
    await defer(db, "refunds.submit", refund_id=str(refund_id))


async def confirm_transfer(db: AsyncConnection, actor: Actor, refund_id: UUID, reference: str) -> None:
    """Record that finance made a bank transfer, with the bank's reference; the account number is then forgotten.

    Raises:
        ConflictError: the refund does not await a transfer.
    """
    actor.require("finance")
    row = await transition(db, actor, refund_id, RefundStatus.SUCCEEDED, reference=reference.strip()[:140])
    await db.execute(
        text(
            "UPDATE returns SET bank_account = NULL WHERE id = :id AND NOT EXISTS (SELECT 1 FROM refund"
            " WHERE return_id = :id AND destination = 'transfer' AND status IN ('planned', 'awaiting_transfer'))"
        ),
        {"id": row.return_id},
    )

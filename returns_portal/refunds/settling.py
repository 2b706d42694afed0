"""Making refunds happen, once each, and knowing whether they did.

The order of writes (shared by every outbound effect): the row is committed as `submitting`, then the gateway is called
without any lock under a key made of the row's own id, then what it answered is recorded. An outcome that is not known
is `unknown`, and the gateway is asked before anything is sent again.
"""

import re
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.jobs import JobContext, defer, defer_many
from returns_portal.payments import disputes
from returns_portal.payments.gateway import GatewayBusyError, GatewayRefund, GatewayRefusedError, GatewayUnknownError
from returns_portal.payments.models import PaymentStatus, Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.forgetting import forget_account
from returns_portal.refunds.life import letter, transition
from returns_portal.refunds.models import NOT_TOLD, Destination, RefundStatus
from returns_portal.returns.whose import EMAIL, LOCALE, WITH_GIFT

log = structlog.get_logger(__name__)

GATEWAY_STATUS = {
    "succeeded": RefundStatus.SUCCEEDED,
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "failed": RefundStatus.FAILED,
    # For the customer and the books a refund that the gateway took back is one that failed: it can be tried again.
    "canceled": RefundStatus.FAILED,
}

_OUR_ID: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([1-9][0-9]{0,8})")

_CLAIM = f"""
    SELECT f.id, f.status, f.destination, f.amount, f.currency, f.due_at, f.attempt, f.gateway_id,
           f.held_at, EXISTS (SELECT FROM dispute d WHERE d.payment_id = p.id AND d.closed_at IS NULL) AS disputed,
           p.id AS payment_id, p.tender, p.reference, p.status AS payment_status, r.rma,
           coalesce(f.bank_account, r.bank_account) AS bank_account, r.id AS return_id, r.gift_id,
           o.number AS order_number, {EMAIL} AS email, {LOCALE} AS locale
    FROM refund f JOIN payment p ON p.id = f.payment_id LEFT JOIN returns r ON r.id = f.return_id {WITH_GIFT}
    JOIN orders o ON o.id = f.order_id WHERE f.id = :id FOR UPDATE OF f
"""  # noqa: S608 - the interpolated text is our own


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
        await _note(context, row, RefundStatus.FAILED, error.code)
    except (GatewayUnknownError, GatewayBusyError):
        # Nobody knows: the row says so, and this job tries again, asking first.
        await _note(context, row, RefundStatus.UNKNOWN)
        raise
    else:
        await record(context, refund_id, answer)


async def _note(context: JobContext, row: Any, status: RefundStatus, failure: str | None = None) -> None:  # noqa: ANN401 - a row
    """Write down what became of an attempt, unless another worker that made the same has written as much."""
    async with context.begin() as db:
        with suppress(ConflictError):
            await transition(db, SYSTEM, row.id, status, failure=failure, attempt=row.attempt)


async def _ready(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether the gateway is to be called now; what does without it is settled here."""
    if row.status in (RefundStatus.SUBMITTING, RefundStatus.UNKNOWN):
        return True
    if row.status != RefundStatus.PLANNED:
        return False
    if row.due_at > clock.now():
        # A job can only be early when our clock was set back, or runs behind the database's, which calls the jobs. By
        # that one it may be due all the time: so it is looked at again a little later, however long that goes on.
        [soon] = await run(db, _SOON, wait=row.due_at - clock.now())
        await defer(db, "refunds.submit", at=soon.at, refund_id=str(row.id))
        return False
    if (row.disputed or row.held_at) and await _is_held(db, row):
        return False
    if row.destination == Destination.CARD and row.tender == Tender.STRIPE:
        return await _is_captured(db, row)
    await _settle_here(db, row)
    return False


_SOON = "SELECT now() + least(CAST(:wait AS interval), interval '1 minute') AS at"


async def _is_held(db: AsyncConnection, row: Any) -> bool:  # noqa: ANN401 - a row
    """Whether the refund waits, because its payment is disputed; what goes on no longer does.

    Looked at again behind the lock of the refund's row: whoever writes a dispute holds that, too (`disputed.py`).
    """
    held = await disputes.is_open(db, row.payment_id)
    if held == (row.held_at is not None):
        return held
    since = clock.now() if held else None
    await run(db, "UPDATE refund SET held_at = CAST(:since AS timestamptz) WHERE id = :id", id=row.id, since=since)
    await history.record(db, SYSTEM, ("refund", row.id, "held" if held else "released", {}))
    return held


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


# What it waits for may change while it waits.
_PENDING = """
    UPDATE refund SET pending_reason = :reason
    WHERE id = :id AND gateway_id = :gateway_id AND status = 'pending' AND pending_reason IS DISTINCT FROM :reason
"""


async def record(context: JobContext, refund_id: UUID, answer: GatewayRefund) -> None:
    """Write down what the gateway says of a refund; saying the same again changes nothing."""
    status = GATEWAY_STATUS[answer.status]
    named = attempt_of(answer)
    attempt = named[1] if named and named[0] == refund_id else None
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
                pending=answer.pending_reason,
                attempt=attempt,
            )
        except ConflictError:
            await run(db, _PENDING, id=refund_id, gateway_id=answer.id, reason=answer.pending_reason)
            [current] = await run(db, "SELECT status, attempt FROM refund WHERE id = :id", id=refund_id)
            # An attempt that failed stays failed, whatever became of the refund by the next one.
            over = attempt is not None and attempt < current.attempt and status is RefundStatus.FAILED
            if current.status != status and not over:
                log.warning("refund.unexpected", refund=str(refund_id), have=current.status, gateway=answer.status)


def attempt_of(answer: GatewayRefund) -> tuple[UUID, int] | None:
    """Which refund of ours, and which attempt at it, the gateway's refund is; None where its metadata do not say."""
    named = _OUR_ID.fullmatch(answer.our_id or "")
    return (UUID(named[1]), int(named[2])) if named else None


async def poll(context: JobContext) -> None:
    """Ask the gateway about refunds that it has not finished, and set going what was left behind.

    A planned refund that is long due, or a submitted one that nobody works on, has lost its job (staff deleted it, a
    restored backup): it gets a new one.
    """
    async with context.begin() as db:
        rows = await db.execute(
            text(
                "SELECT id, gateway_id, status FROM refund WHERE status = 'pending'"
                " OR (status IN ('submitting', 'unknown', 'planned') AND held_at IS NULL"
                " AND changed_at < :late AND due_at < :late)"
                # Banks may keep more of them pending than a round can ask about: chance lets each have its turn.
                " ORDER BY status = 'pending', CASE WHEN status = 'pending' THEN random() END, changed_at LIMIT 200"
            ),
            {"late": clock.minutes_ago(5)},
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
            except GatewayRefusedError as error:
                # The others are asked all the same. Finance sees this one, until a round has an answer for it.
                log.warning("refund.not_told", refund=str(refund_id), code=error.code)
                async with context.begin() as db:
                    await run(db, _PENDING, id=refund_id, gateway_id=gateway_id, reason=NOT_TOLD)
                continue
            await record(context, refund_id, answer)


async def confirm_transfer(db: AsyncConnection, actor: Actor, refund_id: UUID, reference: str) -> None:
    """Record that finance made a bank transfer, with the bank's reference; the account number is then forgotten.

    Raises:
        ConflictError: the refund does not await a transfer.
    """
    actor.require("finance")
    rows = await run(db, "SELECT status FROM refund WHERE id = :id FOR UPDATE", id=refund_id)
    if not rows or rows[0].status != RefundStatus.AWAITING_TRANSFER:
        raise ConflictError(
            "This refund does not await a transfer (any more). Nothing was changed.", code="wrong_status"
        )
    row = await transition(db, actor, refund_id, RefundStatus.SUCCEEDED, reference=reference.strip()[:140])
    await forget_account(db, return_id=row.return_id, refund_id=refund_id)

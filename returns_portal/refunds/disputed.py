"""Disputes: read from the gateway, held against refunds of the same payment, and booked.

A refund and a chargeback together would pay the customer twice. While a dispute is open no refund of its payment is
set going; what was planned waits. Once it is won (or closed as an inquiry) the refunds go on; once it is lost, those
that exceed what is left are stopped.

The row, its history, its books and the hold are written in one transaction, under the order's lock. A refund is set
going under the lock of its own row, which is why those rows are locked before the dispute is dated: whatever was set
going before is older than the dispute, and whatever comes later sees it.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import SYSTEM
from returns_portal.db import Rows, insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, defer
from returns_portal.ledger import actions as ledger
from returns_portal.ledger.actions import Posting
from returns_portal.ledger.models import Account
from returns_portal.payments import disputes
from returns_portal.payments.gateway import GatewayDispute
from returns_portal.payments.models import CLOSED_DISPUTES, Dispute, DisputeStatus, PaymentStatus
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.fitting import stop_excess
from returns_portal.refunds.outside import lock_payment

_TRIES: Final = 5


class ChangingError(Exception):
    """A dispute was written each time while it was being read; the same is to be done again later."""


async def read(context: JobContext, gateway_id: str) -> None:
    """Read a dispute from the gateway and write down what it says.

    What was read before somebody else wrote the row may be older than what stands there, so it is read again then.

    Raises:
        ChangingError: that happened too often.
        GatewayError: the gateway refused, or gave no answer.
    """
    gateway = context.service(StripeGateway)
    for _ in range(_TRIES):
        async with context.begin() as db:
            before = await disputes.of_gateway(db, gateway_id)
        answer = await gateway.read_dispute(gateway_id)
        async with context.begin() as db:
            if await record(db, answer, seen=before.version if before else 0):
                return
    raise ChangingError(gateway_id)


async def record(db: AsyncConnection, answer: GatewayDispute, *, seen: int) -> bool:
    """Write down what the gateway says of a dispute; false where it was written since its version `seen`."""
    payment = await lock_payment(db, answer.payment, answer.charge)
    if payment is None:
        return True  # Of another sale in the same Stripe account.
    before = await disputes.of_gateway(db, answer.id)
    if (before.version if before else 0) != seen:
        return False
    planned = "SELECT id FROM refund WHERE payment_id = :id AND status = 'planned' ORDER BY id FOR UPDATE"
    await run(db, planned, id=payment.id)
    after = _row(payment, before, answer)
    writes: list[Rows] = _postings(before, after)
    after["postings"] += len(writes) // 2
    if before is None:
        writes = [(Dispute, [after]), *writes]
    else:
        await run(db, _CHANGE, **after)
    if before is None or (before.status, before.withdrawn) != (after["status"], after["withdrawn"]):
        told = {"withdrawn": after["withdrawn"], "payment": str(payment.id)}
        writes.append(history.rows(SYSTEM, ("dispute", after["id"], after["status"], told)))
    await insert_rows(db, *writes)
    await _hold_or_release(db, payment, DisputeStatus(after["status"]))
    return True


_CHANGE: Final = """
    UPDATE dispute SET status = :status, reason = :reason, amount = :amount, withdrawn = :withdrawn,
        evidence_due_by = :evidence_due_by, recorded_at = :recorded_at, closed_at = :closed_at, version = :version,
        postings = :postings
    WHERE id = :id
"""


def _row(payment: Any, before: Any, answer: GatewayDispute) -> dict[str, Any]:  # noqa: ANN401 - rows
    now = clock.now()
    status = DisputeStatus(answer.status)
    closed = status in CLOSED_DISPUTES
    opened_anew = before is None or (before.closed_at is not None and not closed)
    return {
        "id": before.id if before else new_id(),
        "payment_id": payment.id,
        "gateway_id": answer.id,
        "charge": answer.charge,
        "status": status.value,
        "reason": answer.reason,
        "currency": answer.currency,
        "amount": answer.amount,
        "withdrawn": answer.withdrawn,
        "evidence_due_by": answer.evidence_due_by,
        "opened_at": answer.created,
        "recorded_at": now if opened_anew else before.recorded_at,
        "closed_at": ((before and before.closed_at) or now) if closed else None,
        "version": (before.version if before else 0) + 1,
        "postings": before.postings if before else 0,
    }


def _postings(before: Any, after: dict[str, Any]) -> list[Rows]:  # noqa: ANN401 - a row
    """What is booked: what the bank took or gave back since, and whether it counts as open or as lost.

    What an account should hold follows from the dispute alone, so that any way to the same end books the same sums.
    """
    was, is_ = _held(before.status, before.withdrawn) if before else (0, 0), _held(after["status"], after["withdrawn"])
    moved = [
        Posting(Account.DISPUTES_OPEN, is_[0] - was[0]),
        Posting(Account.DISPUTE_LOSSES, is_[1] - was[1]),
        Posting(Account.GATEWAY_CLEARING, sum(was) - sum(is_)),
    ]
    if not any(posting.amount for posting in moved):
        return []
    cause = ("dispute", after["id"])
    return [*ledger.rows("dispute", cause, after["currency"], moved, sequence=after["postings"] + 1)]


def _held(status: str, withdrawn: int) -> tuple[int, int]:
    """What should stand on the accounts of open and of lost disputes."""
    return (0, withdrawn) if status == DisputeStatus.LOST else (withdrawn, 0)


async def _hold_or_release(db: AsyncConnection, payment: Any, status: DisputeStatus) -> None:  # noqa: ANN401 - a row
    if status is DisputeStatus.LOST:
        await stop_excess(db, payment)
    if await disputes.is_open(db, payment.id):
        await hold(db, payment.id)
    else:
        await _release(db, payment)


async def hold(db: AsyncConnection, payment_id: UUID) -> None:
    """Let the planned refunds of a payment wait until no dispute of it is open."""
    held = await run(
        db,
        "UPDATE refund SET held_at = :now WHERE payment_id = :id AND status = 'planned' AND held_at IS NULL"
        " RETURNING id",
        id=payment_id,
        now=clock.now(),
    )
    if held:
        await history.record(db, SYSTEM, *(("refund", refund.id, "held", {}) for refund in held))


async def _release(db: AsyncConnection, payment: Any) -> None:  # noqa: ANN401 - a row
    """Let the refunds that waited go on."""
    freed = await run(
        db,
        "UPDATE refund SET held_at = NULL WHERE payment_id = :id AND status = 'planned' AND held_at IS NOT NULL"
        " RETURNING id, due_at",
        id=payment.id,
    )
    if freed:
        await history.record(db, SYSTEM, *(("refund", refund.id, "released", {}) for refund in freed))
    if payment.status == PaymentStatus.CAPTURED:
        for refund in freed:
            await defer(db, "refunds.submit", at=refund.due_at, refund_id=str(refund.id))

"""Writing refunds: the rows, what they pay for, what is owed by them, and the jobs that do them, all at once.

The caller holds the order's lock and has planned; `settling.py` moves the money.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Rows, insert_rows, run
from returns_portal.ids import new_id
from returns_portal.jobs import defer_many
from returns_portal.payments.models import PaymentStatus
from returns_portal.refunds.life import owed
from returns_portal.refunds.models import Kind, Refund, RefundLine, RefundStatus
from returns_portal.refunds.rules import OrderBalance, PlannedLine, RefundPlan


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why refunds come to be. `requested_at` is when the return was filed, or the gesture asked for."""

    release_id: UUID
    order_id: UUID
    kind: Kind
    requested_at: datetime
    return_id: UUID | None = None
    parcel_id: UUID | None = None
    reason: str = ""
    points_consent_at: datetime | None = None


async def release(
    db: AsyncConnection,
    balance: OrderBalance,
    planned: RefundPlan,
    cause: Cause,
    *more: Rows,
    due_at: datetime,
    livemode: bool,
) -> list[UUID]:
    """Write the refunds of a plan, with `more` rows in the same statement, and the jobs that do them; their ids."""
    refunds = _refund_rows(cause, planned, due_at, livemode=livemode)
    await insert_rows(db, *more, (RefundLine, _lines(cause, planned.lines)), (Refund, refunds), *owed(refunds))
    ready = await _known_payments(db, balance, planned)
    jobs = [{"refund_id": str(refund["id"])} for refund in refunds if refund["payment_id"] in ready]
    await defer_many(db, "refunds.submit", jobs, at=due_at)
    return [refund["id"] for refund in refunds]


async def _known_payments(db: AsyncConnection, balance: OrderBalance, planned: RefundPlan) -> set[UUID]:
    """The payments whose refunds can be set going; the job that makes or reads another one sets its refunds going.

    Those are looked at again behind whoever is writing them, who would else not see the refunds of this transaction.
    """
    wanted = {leg.payment_id for leg in planned.legs}
    unknown = wanted & {tender.payment_id for tender in balance.tenders if not tender.known}
    if unknown:
        found = await run(db, "SELECT id, status FROM payment WHERE id = ANY(:ids) FOR SHARE", ids=list(unknown))
        unknown -= {row.id for row in found if row.status == PaymentStatus.CAPTURED}
    return wanted - unknown


def _lines(cause: Cause, lines: Sequence[PlannedLine]) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "order_id": cause.order_id,
            "parcel_id": cause.parcel_id,
            "release_id": cause.release_id,
            "order_line_id": line.line_id,
            "first_unit": line.first_unit,
            "quantity": line.quantity,
            "amount": line.amount,
            "tax": line.tax,
        }
        for line in lines
    ]


def _refund_rows(cause: Cause, planned: RefundPlan, due_at: datetime, *, livemode: bool) -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "id": new_id(),
            "order_id": cause.order_id,
            "return_id": cause.return_id,
            "parcel_id": cause.parcel_id,
            "release_id": cause.release_id,
            "kind": cause.kind,
            "reason": cause.reason,
            "payment_id": leg.payment_id,
            "status": RefundStatus.PLANNED,
            "destination": leg.destination,
            "currency": planned.currency,
            "amount": leg.amount,
            "bonus": leg.bonus,
            "tax": leg.tax,
            "shipping": leg.shipping,
            "fee": leg.fee,
            "fee_tax": leg.fee_tax,
            "attempt": 1,
            "gateway_reference": "",
            "failure_reason": "",
            "points_consent_at": cause.points_consent_at,
            "livemode": livemode,
            "requested_at": cause.requested_at,
            "created_at": now,
            "due_at": due_at,
            "changed_at": now,
        }
        for leg in planned.legs
    ]

"""Keeping planned refunds within their payment, after money went back of it in another way.

A refund in the gateway's dashboard, or a dispute that was lost, may leave less of a payment than what is planned to go
back. What does not fit is stopped before it is sent: it fails, for a reason that says so, and finance decides. Nothing
is lowered or forgotten silently, and nobody is paid twice. Which of the two came first makes no difference.
"""

from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import SYSTEM
from returns_portal.db import run
from returns_portal.payments.disputes import LOST
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import LIVE, RefundStatus

STOPPED: Final = "nothing_left"
"""Why a refund was stopped: a word of ours, beside the gateway's own."""

_STOPPABLE: Final = frozenset({RefundStatus.PLANNED, RefundStatus.AWAITING_TRANSFER})

_LEFT: Final = f"SELECT p.amount - p.refunded_before - {LOST} AS amount FROM payment p WHERE p.id = :id"  # noqa: S608 - our own text
# Those that are on their way already are counted first, since nothing can stop them here.
_LIVE: Final = """
    SELECT id, status, amount FROM refund WHERE payment_id = :id AND status = ANY(:live)
    ORDER BY status IN ('planned', 'awaiting_transfer'), created_at, id FOR UPDATE
"""


async def stop_excess(db: AsyncConnection, payment: Any) -> int:  # noqa: ANN401 - a row with `id`
    """Stop the planned refunds that no longer fit, the latest first; returns how many. Under the order's lock."""
    [left] = await run(db, _LEFT, id=payment.id)
    room = int(left.amount)
    stopped = 0
    for refund in await run(db, _LIVE, id=payment.id, live=[status.value for status in LIVE]):
        if refund.status in _STOPPABLE and refund.amount > room:
            await transition(db, SYSTEM, refund.id, RefundStatus.FAILED, failure=STOPPED)
            stopped += 1
        else:
            room -= refund.amount
    return stopped

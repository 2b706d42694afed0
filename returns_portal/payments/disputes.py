"""Reads of disputes, for those who decide whether a payment can be refunded."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark

LOST: Final = "coalesce((SELECT sum(d.withdrawn) FROM dispute d WHERE d.payment_id = p.id AND d.status = 'lost'), 0)"
"""SQL: what payment `p` has lost to its payer's bank for good, which can never be refunded."""

OPEN: Final = "EXISTS (SELECT FROM dispute d WHERE d.payment_id = p.id AND d.closed_at IS NULL)"
"""SQL: whether payment `p` is disputed now, so that no refund of it is set going."""


async def is_open(db: AsyncConnection, payment_id: UUID) -> bool:
    """Whether a dispute of a payment is open now."""
    [row] = await run(db, f"SELECT {OPEN} AS disputed FROM payment p WHERE p.id = :id", id=payment_id)  # noqa: S608 - our own text
    return bool(row.disputed)


_DISPUTED: Final = f"SELECT p.id FROM payment p WHERE p.order_id = :id AND {OPEN} LIMIT 1"  # noqa: S608 - our own text


async def refuse_disputed(db: AsyncConnection, order_id: UUID, number: str) -> None:
    """Let nothing be sent for an order whose payment is disputed: sent and charged back, it would be lost twice.

    Raises:
        ConflictError: a dispute of it is open (`disputed`); `number` is what waits for its end.
    """
    if await run(db, _DISPUTED, id=order_id):
        raise ConflictError(
            mark("A bank is asking about the payment of this order. {number} waits until it has decided."),
            code="disputed",
            number=number,
        )


async def of_gateway(db: AsyncConnection, gateway_id: str) -> Any:  # noqa: ANN401 - a row
    """A dispute with all its columns, by the gateway's id of it; None where it is not known."""
    rows = await run(db, "SELECT * FROM dispute WHERE gateway_id = :id", id=gateway_id)
    return rows[0] if rows else None


async def open_ids(db: AsyncConnection, limit: int) -> list[str]:
    """The gateway's ids of open disputes, the most urgent first."""
    rows = await run(
        db, "SELECT gateway_id FROM dispute WHERE closed_at IS NULL ORDER BY evidence_due_by LIMIT :limit", limit=limit
    )
    return [row.gateway_id for row in rows]


async def known_ids(db: AsyncConnection, gateway_ids: list[str]) -> set[str]:
    """Which of these disputes are known."""
    rows = await run(db, "SELECT gateway_id FROM dispute WHERE gateway_id = ANY(:ids)", ids=gateway_ids)
    return {row.gateway_id for row in rows}

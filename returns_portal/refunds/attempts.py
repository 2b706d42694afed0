"""Attempts at a refund that are over: what each of them was, kept when the refund is changed for another one.

The refund's row says what is paid now. The books, the files of closed months and the credit notes tell of the attempt
that was booked, which may have been of another amount, to another place and for lines that were worth more.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run

LINES: Final = """
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'title', coalesce(l.title, ''), 'sku', coalesce(l.sku, ''), 'size', coalesce(l.size, ''),
               'color', coalesce(l.color, ''), 'quantity', c.quantity, 'amount', c.amount, 'tax', c.tax)
               ORDER BY l.position NULLS LAST, c.first_unit), '[]') AS lines
    FROM refund_line c LEFT JOIN order_line l ON l.id = c.order_line_id
    WHERE c.release_id = f.release_id AND c.voided_at IS NULL
"""
"""What a refund `f` pays for, together with the others of its release: goods, and shipping without a title."""

OTHERS: Final = """
    SELECT CAST(coalesce(sum(x.amount + x.fee), 0) AS bigint) AS others FROM refund x
    WHERE x.order_id = f.order_id AND x.release_id = f.release_id AND x.id <> f.id AND x.status <> 'canceled'
"""
"""What those others pay, with what is kept of them for postage."""

AS_BOOKED: Final = """
    LEFT JOIN refund_attempt k ON k.refund_id = t.cause_id AND k.attempt = t.sequence
    JOIN refund present ON present.id = t.cause_id
    CROSS JOIN LATERAL jsonb_populate_record(present, coalesce(to_jsonb(k), '{}') || '{"status": "succeeded"}') AS f
"""
"""Joins a posting `t` of a refund with the refund `f` as it was booked: of an attempt that is over, as that was."""

_KEEP: Final = f"""
    INSERT INTO refund_attempt (refund_id, attempt, destination, amount, bonus, tax, shipping, fee, fee_tax,
        gateway_id, gateway_reference, failure_reason, submitted_at, settled_at, lines, others)
    SELECT f.id, f.attempt, f.destination, f.amount, f.bonus, f.tax, f.shipping, f.fee, f.fee_tax,
           f.gateway_id, f.gateway_reference, f.failure_reason, f.submitted_at, f.settled_at, w.lines, y.others
    FROM refund f CROSS JOIN LATERAL ({LINES}) AS w CROSS JOIN LATERAL ({OTHERS}) AS y
    WHERE f.id = :id AND f.status = 'failed' FOR UPDATE OF f
"""  # noqa: S608 - the interpolated text is our own


async def keep(db: AsyncConnection, refund_id: UUID) -> None:
    """Keep the attempt that has failed as it was; to be called before anything of the refund or its lines changes."""
    await run(db, _KEEP, id=refund_id)

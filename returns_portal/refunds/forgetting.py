"""Account numbers are kept as long as something may be transferred there, and no longer (GDPR, Art. 5(1)(e))."""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run

# A transfer that failed may be tried again; and what waits for a person may come to be one.
_OF_RETURN: Final = """
    UPDATE returns r SET bank_account = NULL
    WHERE r.id = :id AND r.bank_account IS NOT NULL AND r.status <> 'filed'
      AND NOT EXISTS (SELECT FROM refund f WHERE f.return_id = r.id AND f.destination = 'transfer'
                      AND f.status IN ('planned', 'awaiting_transfer', 'failed'))
      AND NOT EXISTS (SELECT FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id
                      WHERE p.return_id = r.id AND p.undone_at IS NULL AND i.acceptance = 'waiting')
"""
_OF_REFUND: Final = """
    UPDATE refund SET bank_account = NULL
    WHERE id = :id AND bank_account IS NOT NULL AND (destination <> 'transfer' OR status IN ('succeeded', 'canceled'))
"""


async def forget_account(db: AsyncConnection, *, return_id: UUID | None, refund_id: UUID | None = None) -> None:
    """Delete the account number of a return, or of a refund of its own, that nothing will be transferred to."""
    if return_id is not None:
        await run(db, _OF_RETURN, id=return_id)
    if refund_id is not None:
        await run(db, _OF_REFUND, id=refund_id)

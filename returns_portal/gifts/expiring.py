"""Returns of gifts that nobody sends: what they announce is free again after a while.

A receiver needs no more than what stands on a parcel, and what they announce cannot be announced by whoever bought it,
who is not told why. So it must not stand for ever.
"""

from datetime import timedelta
from typing import Final

import structlog

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, run
from returns_portal.errors import ConflictError
from returns_portal.refunds.filing import cancel

KEPT: Final = timedelta(days=30)
"""For the way to the post office; a parcel that comes later is counted, and paid for, all the same."""
_AT_ONCE: Final = 100
_UNSENT: Final = """
    SELECT r.rma FROM returns r WHERE r.gift_id IS NOT NULL AND r.status = 'filed' AND r.created_at < :before
        AND r.proof_at IS NULL
        AND NOT EXISTS (SELECT FROM label b WHERE b.return_id = r.id AND b.first_scan_at IS NOT NULL)
    ORDER BY r.created_at LIMIT :most
"""

log = structlog.get_logger(__name__)


async def cancel_unsent(begin: Begin) -> None:
    """Cancel returns of gifts of which nothing was handed in for so long; their receivers are told."""
    async with begin() as db:
        found = await run(db, _UNSENT, before=clock.now() - KEPT, most=_AT_ONCE)
    for row in found:
        try:
            async with begin() as db:
                await cancel(db, SYSTEM, row.rma)
        except ConflictError:
            # It was handed in, or cancelled, between the look and the lock.
            log.info("gift.not_cancelled", rma=row.rma)

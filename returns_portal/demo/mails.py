"""The e-mails of the demo's year: they went out in their time."""

from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run

_MAILS: Final = """
    UPDATE email SET status = 'sent', sent_at = created_at, attempts = 1
    WHERE status = 'queued' AND created_at < :day
"""


async def all_told(db: AsyncConnection, day: datetime) -> None:
    """Note in the transaction that wrote them that the year's e-mails went out in their time: they do not go today."""
    await run(db, _MAILS, day=day)

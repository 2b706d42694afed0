"""What may be used once: links that let in, and what the shop signs."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.accounts.rules import digest
from returns_portal.db import run

TWICE: Final = timedelta(minutes=1)
"""For how long the same browser may send the same form once more: it clicked twice, or lost the answer."""

# A twin that arrives meanwhile waits here until the first has committed, and then is compared with it.
_SPEND: Final = """
    INSERT INTO spent_link (digest, browser, used_at, expires_at) VALUES (:digest, :browser, :now, :expires_at)
    ON CONFLICT (digest) DO UPDATE SET browser = excluded.browser
    WHERE spent_link.browser = excluded.browser AND spent_link.used_at > :since
    RETURNING digest
"""


async def spend(db: AsyncConnection, what: str, *, browser: str, expires_at: datetime) -> bool:
    """Use something up; whether that was possible. The browser that has just used it may send it once more.

    Args:
        db: The request's transaction.
        what: The link's token, or what else is unlike all others.
        browser: What only this browser sends along.
        expires_at: From when on it opens nothing anyway.
    """
    now = clock.now()
    values = {"digest": digest(what), "browser": digest(browser), "expires_at": expires_at}
    return bool(await run(db, _SPEND, now=now, since=now - TWICE, **values))


async def forget(db: AsyncConnection) -> None:
    """Drop what is too old to be tried again."""
    await run(db, "DELETE FROM spent_link WHERE expires_at < :now", now=clock.now())

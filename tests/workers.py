"""A worker beside a test: the real one, in the test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import OperationalError

from returns_portal import worker
from tests.portal import Portal


@asynccontextmanager
async def working(portal: Portal, *, concurrency: int = 2) -> AsyncIterator[None]:
    """A worker of this portal's jobs, until it is told to stop; it must not have ended before."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.keep_working(portal._url, portal.context, concurrency, stop))
    try:
        yield
        assert not task.done()
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def until(portal: Portal, query: str, seconds: float = 20) -> None:
    """Wait until a query has rows.

    Raises:
        TimeoutError: it has none for so long.
    """
    async with asyncio.timeout(seconds):
        while True:
            # A connection that the test kept may have ended with a server that was stopped; the next one is new.
            with suppress(OperationalError):
                if await portal.rows(query):
                    return
            await asyncio.sleep(0.05)

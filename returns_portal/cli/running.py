"""What commands share: settings, a database that runs, and one transaction in it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import logs
from returns_portal.actor import Actor
from returns_portal.db import create_engine
from returns_portal.embedded import running
from returns_portal.prepare import prepare
from returns_portal.settings import Settings, load_settings

T = TypeVar("T")

OPERATOR: Final = Actor(kind="system", id="command-line")
"""Whoever may run commands on this machine may do everything."""


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the portal's database; the embedded one is started and brought up to date where it has to be.

    A database of the shop's own is changed only when `migrate` is asked for.
    """
    # A command speaks to people, and to programs on standard output: of the logs only what is wrong, on the other.
    logs.configure("warning")
    with running(settings) as url:
        if settings.embedded:
            prepare(url)
        yield url


def in_transaction(action: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run one action on the portal's database, and commit it."""
    with database(load_settings()) as url:
        return asyncio.run(_commit(url, action))


async def _commit(url: str, action: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    engine = create_engine(url, size=1, name="returns-portal command")
    try:
        async with engine.begin() as db:
            return await action(db)
    finally:
        await engine.dispose()

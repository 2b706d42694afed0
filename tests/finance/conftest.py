"""What the tests of finance share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin
from returns_portal.settings import Settings
from tests.webclient import Browser, browsing, staff_signs_in


@pytest.fixture
def inside(db: AsyncConnection) -> Begin:
    """Opens nothing new: what is asked sees what the test has written, and all of it is rolled back."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[AsyncConnection]:
        yield db

    return begin


@pytest.fixture
async def browser(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    """A browser in which finance is signed in."""
    async with browsing(settings, database_url) as client:
        await staff_signs_in(client, begin, "finance")
        yield client

"""What the tests of finance share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin


@pytest.fixture
def inside(db: AsyncConnection) -> Begin:
    """Opens nothing new: what is asked sees what the test has written, and all of it is rolled back."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[AsyncConnection]:
        yield db

    return begin

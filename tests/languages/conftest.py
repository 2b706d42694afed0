"""A visitor who has not come in."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.settings import Settings
from tests.webclient import Browser, browsing


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client

"""The browser of a giver or a receiver."""

from collections.abc import AsyncIterator

import pytest

from tests.portal import Portal
from tests.webclient import Browser, browsing


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client

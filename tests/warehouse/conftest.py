"""A browser in which somebody of the warehouse is signed in."""

from collections.abc import AsyncIterator

import pytest

from tests.portal import Portal
from tests.returns.visits import sign_in
from tests.webclient import Browser, browsing


@pytest.fixture
async def station(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "mira@example.com", "warehouse")
        yield client

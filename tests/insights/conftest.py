"""A browser at the end of the year that the tests write."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.settings import Settings
from tests.insights.year import START
from tests.webclient import Browser, browsing

NOW = START + timedelta(days=366)


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as made:
        with clock.at(NOW):
            yield made

"""A portal with carriers."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.payments.stripe import StripeGateway
from tests.labels.carried import Carried, carrying
from tests.portal import Portal


@pytest.fixture
async def carried(portal: Portal, gateway: StripeGateway) -> AsyncIterator[Carried]:
    async with carrying(portal, gateway) as made:
        yield made

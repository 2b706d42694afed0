"""What is done about new orders, as the admin sets it."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.shop.confirming import Confirming
from returns_portal.shop.queries import read
from tests.portal import Portal
from tests.returns.visits import post, sign_in
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

SETTINGS = "/staff/confirming"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def chosen(portal: Portal) -> Confirming:
    async with portal.begin() as db:
        return (await read(db)).confirming


async def test_it_is_off_until_the_admin_switches_it_on_and_off_again(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "alex@example.com", "admin")
    assert await chosen(portal) == Confirming()
    assert " checked" not in (await browser.get(SETTINGS)).text
    answer = await post(browser, SETTINGS, {"order_received_mail": "yes"})
    assert answer.headers["location"] == SETTINGS
    assert await chosen(portal) == Confirming(order_received_mail=True)
    assert 'name="order_received_mail" value="yes" checked' in (await browser.get(SETTINGS)).text
    await post(browser, SETTINGS, {})
    assert await chosen(portal) == Confirming()


async def test_nobody_else_sets_it(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "stefan@example.com", "support", "finance", "warehouse")
    assert (await browser.get(SETTINGS)).status_code == 403
    assert (await post(browser, SETTINGS, {"order_received_mail": "yes"})).status_code == 403
    assert await chosen(portal) == Confirming()

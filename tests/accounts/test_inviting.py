"""What the shop hands out itself: links for its own e-mails, the code for its own slips."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from httpx import Response

from returns_portal import clock
from returns_portal.accounts import actions
from returns_portal.accounts.doors import DOOR_LASTS
from returns_portal.actor import SYSTEM
from returns_portal.cli import cli
from tests.portal import Portal, at_once
from tests.returns.visits import post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def call(browser: Browser, portal: Portal, number: str, scope: str = "orders:write") -> Response:
    async with portal.begin() as db:
        key = await actions.create_api_key(db, SYSTEM, "shop", [scope])
    headers = {"Authorization": f"Bearer {key}"}
    return await browser.post("/api/v1/order-links", json={"order_number": number}, headers=headers)


def local(portal: Portal, url: str) -> str:
    assert url.startswith(portal.settings.public_url)
    return url.removeprefix(portal.settings.public_url)


async def test_the_shop_gets_a_link_that_shows_and_one_that_lets_in_once(browser: Browser, portal: Portal) -> None:
    await portal.order(number="A/1 x")
    made = (await call(browser, portal, "#A/1 x")).json()
    assert made["order_number"] == "A/1 x"
    assert "@" not in made["view"] + made["once"]
    assert (await browser.get(local(portal, made["view"]))).headers["location"] == "/orders/A%2F1%20x"
    door = local(portal, made["once"])
    assert "Order A/1 x" in words(await browser.get(door))
    opened = await post(browser, "/in", {"token": door.rpartition("/")[2]})
    assert (opened.status_code, opened.headers["location"]) == (303, "/orders/A%2F1%20x")
    assert "we ask for a code" not in words(await browser.get("/orders/A/1 x"))


async def test_a_door_opens_once_and_a_double_click_is_once(
    browser: Browser, portal: Portal, database_url: str
) -> None:
    await portal.order(number="1001")
    token = (await call(browser, portal, "1001")).json()["once"].rpartition("/")[2]
    await browser.get("/")
    answers = await at_once(*(post(browser, "/in", {"token": token}) for _ in range(2)))
    assert [answer.headers["location"] for answer in answers] == ["/orders/1001"] * 2
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert (await post(browser, "/in", {"token": token})).headers["location"] == "/my-orders"
    async with browsing(portal.settings, database_url) as thief:
        refused = await post(thief, "/in", {"token": token})
        assert refused.headers["location"] == "/my-orders"
        assert "This link was used already" in words(await thief.get("/my-orders"))
        assert (await thief.get("/orders/1001")).status_code == 303


async def test_it_lets_in_for_ten_minutes(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    door = local(portal, (await call(browser, portal, "1001")).json()["once"])
    with clock.at(clock.now() + DOOR_LASTS + timedelta(seconds=1)):
        assert (await browser.get(door)).headers["location"] == "/my-orders"


async def test_who_may_not_and_what_is_not_there(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    assert (await call(browser, portal, "1001", "orders:read")).status_code == 403
    assert (await call(browser, portal, "1002")).json()["code"] == "order_not_found"
    assert (await call(browser, portal, "")).status_code == 422
    assert (await call(browser, portal, "\x00")).status_code == 422


async def test_the_code_for_a_slip_comes_as_a_picture(browser: Browser, portal: Portal) -> None:
    await portal.order(number="A/1 x")
    async with portal.begin() as db:
        key = await actions.create_api_key(db, SYSTEM, "shop", ["orders:read"])
    headers = {"Authorization": f"Bearer {key}"}
    vectors = await browser.get("/api/v1/slip-codes/A/1%20x", headers=headers)
    assert vectors.headers["content-type"].startswith("image/svg+xml")
    picture = await browser.get("/api/v1/slip-codes/A/1%20x?kind=png", headers=headers)
    assert picture.content.startswith(b"\x89PNG")
    assert (await browser.get("/api/v1/slip-codes/nothing", headers=headers)).status_code == 404
    assert (await browser.get("/api/v1/slip-codes/A/1%20x?kind=gif", headers=headers)).status_code in {400, 422}
    assert (await browser.get("/api/v1/slip-codes/A/1%20x")).status_code == 401


def test_a_slip_s_code_is_written_as_svg_or_png_alone() -> None:
    answer = CliRunner().invoke(cli, ["slip-qr", "1001", "-o", "/nonexistent/x.gif"])
    assert answer.exit_code == 2
    assert "must end with .svg or .png" in answer.output

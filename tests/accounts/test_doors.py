"""Who does not know an order number gets the list of their orders by e-mail, and is let in by its links."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.accounts.doors import DOOR_LASTS, MOST, behind, door
from returns_portal.ids import new_id
from returns_portal.settings import Settings
from returns_portal.web.signing import derive, seal
from tests.portal import Portal
from tests.returns.visits import post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

SECRET = b"s" * 32


@pytest.fixture
async def stranger(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client


async def links(portal: Portal) -> list[dict[str, Any]]:
    """What the newest list holds."""
    rows = await portal.rows("SELECT values FROM email WHERE template = 'your_orders' ORDER BY id DESC LIMIT 1")
    return rows[0].values["orders"] if rows else []


def path(link: str) -> str:
    return "/in/" + link.rpartition("/in/")[2]


async def test_the_list_comes_by_e_mail_and_a_link_of_it_lets_in(stranger: Browser, portal: Portal) -> None:
    for number in ("1001", "1002"):
        await portal.order(number=number, email="Maria@Example.com")
    await portal.order(number="9999", email="somebody@example.com")
    answer = await post(stranger, "/my-orders", {"email": " maria@example.COM "})
    assert answer.headers["location"] == "/my-orders"
    assert "the list of them is on its way" in words(await stranger.get("/my-orders"))
    listed = await links(portal)
    assert sorted(order["number"] for order in listed) == ["1001", "1002"]
    second = next(order for order in listed if order["number"] == "1002")
    page = await stranger.get(path(second["link"]))
    assert "Order 1002" in words(page)
    # To look at it opens nothing: programs that look for harm follow every link.
    assert (await stranger.get("/orders/1002")).status_code in {303, 404}
    opened = await post(stranger, "/in", {"token": second["link"].rpartition("/")[2]})
    assert opened.headers["location"] == "/orders/1002"
    assert (await stranger.get("/orders/1002")).status_code == 200
    assert (await stranger.get("/orders/1001")).status_code == 404


async def test_an_address_without_orders_is_answered_in_the_same_way(stranger: Browser, portal: Portal) -> None:
    answer = await post(stranger, "/my-orders", {"email": "nobody@example.com"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/my-orders")
    assert "the list of them is on its way" in words(await stranger.get("/my-orders"))
    assert await portal.rows("SELECT FROM email") == []


@pytest.mark.parametrize("email", ["", "maria", "@", "a@b" * 200])
async def test_what_is_no_address_is_said_at_its_field(stranger: Browser, email: str) -> None:
    answer = await post(stranger, "/my-orders", {"email": email})
    assert answer.status_code == 422
    assert "Please give the e-mail address" in words(answer)


async def test_nobody_s_mailbox_is_filled(stranger: Browser, portal: Portal) -> None:
    await portal.order(email="maria@example.com")
    answers = [(await post(stranger, "/my-orders", {"email": "maria@example.com"})).status_code for _ in range(5)]
    assert answers == [303, 303, 303, 429, 429]
    assert len(await portal.rows("SELECT FROM email")) == 3


async def test_a_long_history_is_the_newest_of_it(stranger: Browser, portal: Portal) -> None:
    for number in range(MOST + 2):
        await portal.order(number=str(1000 + number), email="maria@example.com")
    await post(stranger, "/my-orders", {"email": "maria@example.com"})
    assert len(await links(portal)) == MOST


@pytest.mark.parametrize("token", ["x", "", "%00", "a" * 5000])
async def test_a_link_that_leads_nowhere_says_what_to_do(stranger: Browser, token: str) -> None:
    for answer in (await stranger.get(f"/in/{token or 'x'}"), await post(stranger, "/in", {"token": token})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/my-orders")
    assert "This link is not valid any more" in words(await stranger.get("/my-orders"))


async def test_the_link_of_an_order_that_is_gone_is_no_fault_of_ours(stranger: Browser, portal: Portal) -> None:
    assert portal.settings.secret_key is not None
    gone = door(portal.settings.secret_key.get_secret_value().encode(), new_id())
    for answer in (await stranger.get(gone), await post(stranger, "/in", {"token": gone.removeprefix("/in/")})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/my-orders")


def test_a_door_is_open_for_its_time_and_by_its_own_key_alone() -> None:
    order_id = new_id()
    token = door(SECRET, order_id).removeprefix("/in/")
    assert behind(SECRET, token) == order_id
    assert behind(b"t" * 32, token) is None
    assert behind(SECRET, token[:-2] + ("AA" if token[-2:] != "AA" else "BB")) is None
    assert behind(SECRET, seal(derive(SECRET, "access"), str(order_id), lasting=DOOR_LASTS)) is None
    with clock.at(clock.now() + DOOR_LASTS + timedelta(seconds=1)):
        assert behind(SECRET, token) is None

"""The connection is lost while a transaction is being committed: before the database got to know of it, or after.

Whoever asked sees an error that claims neither, what is asked again under the same key is done once, and money goes
back once.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from httpx import Response
from sqlalchemy.exc import DBAPIError

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.db import beginner, create_engine
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import settling
from tests.database.proxy import Cut, Proxy, between
from tests.points.purse import ANA, give
from tests.portal import Portal
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.returns.visits import come_in, post, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

CUTS = pytest.mark.parametrize("cut", ["before", "after"])


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    with between(database_url) as proxy:
        yield proxy


@pytest.fixture
async def client(portal: Portal, proxy: Proxy) -> AsyncIterator[Browser]:
    """A program that speaks to an application whose way to the database can be cut."""
    async with browsing(portal.settings, proxy.url) as client:
        async with portal.begin() as db:
            key = await create_api_key(db, SYSTEM, "shop", ["all"])
        client.headers.update({"Authorization": f"Bearer {key}"})
        yield client


async def ask(client: Browser, path: str, body: dict[str, Any]) -> Response:
    return await client.post(f"/api/v1/{path}", json=body, headers={"Idempotency-Key": "the same"})


async def is_done_once(portal: Portal, client: Browser, proxy: Proxy, cut: Cut, call: tuple[str, Any, str]) -> None:
    """Ask for something while the connection is cut, and again afterwards; `counting` tells how often it was done."""
    path, body, counting = call
    proxy.cut(cut)
    lost = await ask(client, path, body)
    assert proxy.cuts == 1
    assert (lost.status_code, lost.json()["code"]) == (503, "outcome_unknown"), lost.text
    assert "Nothing was changed" not in lost.text
    [done] = await portal.rows(counting)
    assert done.count == (1 if cut == "after" else 0)
    again = await ask(client, path, body)
    assert again.status_code == 201, again.text
    assert (await ask(client, path, body)).json() == again.json()
    [done] = await portal.rows(counting)
    assert done.count == 1


@CUTS
async def test_a_return_is_filed_once(portal: Portal, client: Browser, proxy: Proxy, cut: Cut) -> None:
    order, [line] = await portal.order()
    body = {"order_number": order.number, "lines": [{"line_id": str(line), "quantity": 1}]}
    await is_done_once(portal, client, proxy, cut, ("returns", body, "SELECT count(*) FROM returns"))


@CUTS
async def test_a_parcel_is_checked_in_once_and_paid_for_once(
    portal: Portal, client: Browser, proxy: Proxy, cut: Cut
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    body = {"code": filed.rma, "lines": [{"line_id": str(line), "quantity": 1, "condition": "resellable"}]}
    await is_done_once(portal, client, proxy, cut, ("check-ins", body, "SELECT count(*) FROM parcel"))
    await portal.work()
    assert (await paid_by_gateway(portal, order.number))[1] == 15_900


@CUTS
async def test_points_are_held_once(portal: Portal, client: Browser, proxy: Proxy, cut: Cut) -> None:
    await give(portal, 1_000)
    body = {"email": ANA, "currency": "EUR", "amount": 400}
    counting = "SELECT count(*) FROM points_redemption WHERE amount = 400"
    await is_done_once(portal, client, proxy, cut, ("points/redemptions", body, counting))


@CUTS
async def test_a_page_does_not_say_what_nobody_knows(portal: Portal, proxy: Proxy, cut: Cut) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    async with browsing(portal.settings, proxy.url) as browser:
        await come_in(browser, portal, order.number)
        await browser.get(f"/returns/{filed.rma}")
        proxy.cut(cut)
        lost = await post(browser, f"/returns/{filed.rma}/cancellation")
        assert (lost.status_code, proxy.cuts) == (503, 1)
        assert "nobody knows yet" in words(lost)
        # The page that is looked at says what is so; where nothing was done, it can be done now.
        assert ("cancelled" in words(await browser.get(f"/returns/{filed.rma}")).lower()) is (cut == "after")
        await post(browser, f"/returns/{filed.rma}/cancellation")
    assert (await portal.mails()).count("return_cancelled") == 1


@pytest.mark.parametrize(
    "plan", [("before",), ("after",), (None, "before"), (None, "after"), ("after", "after", "before", None, "after")]
)
async def test_a_refund_that_was_sent_is_found_again(
    portal: Portal, proxy: Proxy, gateway: StripeGateway, plan: tuple[Cut | None, ...]
) -> None:
    """The claim of the row is lost, or the note of what the gateway answered, or several of them."""
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    released = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    engine = create_engine(proxy.url)
    worker = Portal(beginner(engine), portal.settings, gateway, proxy.url)
    proxy.cut(*plan)
    for _ in range(len(plan) + 1):
        with suppress(DBAPIError):
            await settling.submit(worker.context, released.refund_ids[0])
    await engine.dispose()
    assert proxy.cuts == len([cut for cut in plan if cut])
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await portal.mails()).count("refunded") == 1
    assert (await paid_by_gateway(portal, order.number))[1] == 15_900

"""Who opens the link of an e-mail without a session gives order number and e-mail first, and then is where it leads."""

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import quote

import pytest
from httpx import Response

from tests.portal import Portal
from tests.returns.visits import come_in, value, words
from tests.webclient import Browser, browsing, send

pytestmark = pytest.mark.anyio

EMAIL = "kunde@example.com"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def filed(portal: Portal, number: str = "1001") -> str:
    """A return's path."""
    _order, (shoes,) = await portal.order(number=number)
    return f"/returns/{(await portal.file(number, (shoes, 1))).rma}"


async def come_in_at(browser: Browser, portal: Portal, landing: str, number: str = "1001") -> Response:
    """Give order number and e-mail on this landing page as it is, then the code of the newest e-mail."""
    page = await browser.get(landing)
    hidden = {name: unescape(text) for name, text in re.findall(r'name="(next)" value="([^"]*)"', page.text)}
    asked = await send(browser, "/access", {"number": number, "email": EMAIL, **hidden})
    assert (asked.status_code, asked.headers["location"]) == (303, "/access/code")
    rows = await portal.rows("SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code' ORDER BY id")
    return await send(browser, "/access/code", {"code": rows[-1].code})


async def test_the_link_of_an_e_mail_leads_to_its_return(browser: Browser, portal: Portal) -> None:
    path = await filed(portal)
    stopped = await browser.get(path)
    came = await come_in_at(browser, portal, stopped.headers["location"])
    assert (came.status_code, came.headers["location"]) == (303, path)
    assert "Your label is ready" in words(await browser.get(path))


async def test_a_mistake_on_the_way_does_not_lose_it(browser: Browser, portal: Portal) -> None:
    path = await filed(portal)
    landing = (await browser.get(path)).headers["location"]
    hidden = value(await browser.get(landing), "next")
    wrong = await send(browser, "/access", {"number": "1001", "email": "nobody", "next": hidden})
    assert wrong.status_code == 422
    assert value(wrong, "next") == path
    assert (await come_in_at(browser, portal, landing)).headers["location"] == path


async def test_a_return_of_another_order_is_not_where_it_leads(browser: Browser, portal: Portal) -> None:
    path = await filed(portal)
    await portal.order(number="2002")
    for target in (path, "/returns/R-0000-0000", "/returns/%00"):
        came = await come_in_at(browser, portal, f"/?next={quote(target, safe='')}", number="2002")
        assert came.headers["location"] == "/orders/2002"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/returns",
        "https://evil.example/returns/R-1",
        "/returns\\evil.example",
        "/returns/\n/evil.example",
        "/returns@evil.example",
        "/returnsevil",
        "/finance",
        "returns",
        "/returns/" + "x" * 300,
    ],
)
async def test_it_never_leads_away(browser: Browser, portal: Portal, target: str) -> None:
    await portal.order()
    for landing in (f"/?next={quote(target, safe='')}", "/"):
        came = await come_in_at(browser, portal, landing)
        assert (came.status_code, came.headers["location"]) == (303, "/orders/1001")
    assert 'name="next"' not in (await browser.get(f"/?next={quote('//evil.example', safe='')}")).text


async def test_a_list_of_returns_is_come_to_as_well(browser: Browser, portal: Portal) -> None:
    await portal.order()
    landing = (await browser.get("/returns")).headers["location"]
    assert (await come_in_at(browser, portal, landing)).headers["location"] == "/returns"


async def test_who_came_in_for_another_order_is_led_back_too(browser: Browser, portal: Portal) -> None:
    path = await filed(portal)
    await portal.order(number="2002")
    await come_in(browser, portal, "2002")
    missing = await browser.get(path)
    assert missing.status_code == 404
    link = re.search(r'<a class="button" href="([^"]*)"', missing.text)
    assert link
    came = await come_in_at(browser, portal, unescape(link[1]))
    assert came.headers["location"] == path

"""The customer's page of points, and the statement on paper."""

import io
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape

import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest

from returns_portal import clock
from returns_portal.payments.models import Tender
from returns_portal.points import expiry
from returns_portal.returns.models import RefundTo
from tests.points.purse import buy, capture, give, hold, policy, release, send_back
from tests.portal import Portal
from tests.returns.visits import come_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def whole_life(portal: Portal) -> None:
    """Everything that can happen to points."""
    await policy(portal, points_rate=30)
    order, line = await buy(portal, "1001", (Tender.STRIPE, 10_000))
    await portal.work()
    await send_back(portal, order.number, line, 1, to=RefundTo.POINTS)
    await give(portal, 70, months=1)
    with clock.shifted(timedelta(days=40)):
        await expiry.expire(portal.begin)
    await capture(portal, (await hold(portal, 1_000, reference="cart 7")).id, 600, order="1002")
    await release(portal, (await hold(portal, 5)).id)
    paid, unit = await buy(portal, "1002", (Tender.POINTS, 600), units=1)
    await send_back(portal, paid.number, unit, 1)
    await hold(portal, 50, order_number="1003")
    await give(portal, -1)


async def test_every_movement_is_told_in_words(portal: Portal, browser: Browser) -> None:
    await whole_life(portal)
    await come_in(browser, portal, "1001")
    answer = await browser.get("/points")
    assert answer.status_code == 200, answer.text
    said = words(answer)
    [(rma,), (other,)] = await portal.rows("SELECT rma FROM returns ORDER BY created_at")
    for sentence in (
        "5,599 points",
        "Worth €55.99 at our checkout. Another 50 points are set aside for a purchase.",
        "5,599 points without an end",
        "Earned with order 1001 +300",
        "Earned with order 1001, of which goods came back −150",
        f"Refund for return {rma}, with a bonus of 500 +5,500",
        "From us: a birthday +70",
        "Expired −70",
        "Paid with points: 1002 −1,000",
        "Not needed for 1002: back to you +400",
        "Set aside for a purchase −5",
        "The purchase was not made: back to you +5",
        f"Points back for return {other} +600",
        "Set aside for a purchase: 1003 −50",
        "Corrected by us: a birthday −1",
    ):
        assert sentence in said, sentence
    assert "style=" not in answer.text


async def test_the_statement_on_paper_says_the_same(portal: Portal, browser: Browser) -> None:
    await whole_life(portal)
    await come_in(browser, portal, "1001")
    answer = await browser.get("/points/statement.pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    document = pypdfium2.PdfDocument(io.BytesIO(answer.content))
    said = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in document).split())
    for sentence in (
        "Statement of points",
        "ana@example.com",
        "5,599 points",
        "Points back for return",
        "-1,000",
        "Sandbox",
    ):
        assert sentence in said, sentence
    assert (await browser.get("/points/statement.pdf")).content == answer.content


async def test_who_has_none_is_told_so(portal: Portal, browser: Browser) -> None:
    await buy(portal, "1001", (Tender.EXTERNAL, 1_000))
    await come_in(browser, portal, "1001")
    assert "You have no points yet." in words(await browser.get("/points"))
    paper = await browser.get("/points/statement.pdf")
    assert paper.content.startswith(b"%PDF")


async def test_strangers_are_shown_the_door_and_others_see_nothing_of_it(portal: Portal, browser: Browser) -> None:
    await give(portal, 777)
    for path in ("/points", "/points/statement.pdf"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    await buy(portal, "2001", (Tender.EXTERNAL, 1_000), email="eva@example.com")
    await come_in(browser, portal, "2001")
    assert "777" not in words(await browser.get("/points"))


async def test_old_movements_are_a_page_further(portal: Portal, browser: Browser) -> None:
    for number in range(1, 54):
        await give(portal, number)
    await buy(portal, "1001", (Tender.EXTERNAL, 1_000))
    await come_in(browser, portal, "1001")
    first = await browser.get("/points")
    assert words(first).count("From us") == 50
    following = first.text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = await browser.get(unescape(following))
    assert words(second).count("From us") == 3
    assert "+1 1" in words(second)
    assert 'rel="next"' not in second.text


async def test_two_currencies_stand_apart(portal: Portal, browser: Browser) -> None:
    await give(portal, 100)
    await give(portal, 5_000, currency="JPY")
    await buy(portal, "1001", (Tender.EXTERNAL, 1_000))
    await come_in(browser, portal, "1001")
    said = words(await browser.get("/points"))
    assert "Worth €1.00" in said
    assert "Worth ¥5,000" in said
    assert "+5,000 JPY 5,000" in said

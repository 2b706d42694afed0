"""Opening hours as the admin sets them and everybody reads them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.shop import queries
from returns_portal.shop.actions import pause
from returns_portal.shop.queries import DEFAULT
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

HOURS = "/staff/hours"
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
"""Ten o'clock in Sofia."""
WEEK = {f"phone-{day}": "9:00–18:00" for day in range(5)} | {"written-0": "9:00–12:00"}
FORM = {**WEEK, "closed": "2026-11-24 Inventory <b>", "goal": "4"}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


def foot(text: str) -> str:
    return text.split('<footer class="foot">', 1)[1]


async def test_every_page_says_who_is_there_in_the_readers_language(browser: Browser, portal: Portal) -> None:
    assert "Open" not in foot((await browser.get("/")).text)
    assert "Closed" not in words(await browser.get("/contact"))
    await sign_in(browser, portal, "mira@example.com", "admin")
    assert (await post(browser, HOURS, FORM)).status_code == 303
    queries.forget()
    await browser.get("/")
    # Each page says it of its own moment, whatever was kept in memory since.
    for moment, said in (
        (MONDAY, "Open now, until 18:00"),
        (MONDAY.replace(hour=5), "Opens today at 09:00"),
        (MONDAY.replace(day=24, hour=22), "Opens today at 09:00"),
        (MONDAY.replace(day=24, hour=8), "Opens tomorrow at 09:00"),
        (MONDAY.replace(day=28), "Opens Monday 30 November, 09:00"),
    ):
        with clock.at(moment):
            page = await browser.get("/nowhere")
            assert said in foot(page.text).replace(",\N{NO-BREAK SPACE}", ", "), moment
    with clock.at(MONDAY):
        contact = words(await browser.get("/contact"))
        assert "By telephone Monday 9:00–18:00 Tuesday 9:00–18:00" in contact
        assert "Saturday not open" in contact
        assert "not open Inventory <b>" in contact
        assert "Eastern European Standard Time, UTC+02:00" in contact
        assert (await browser.get("/contact")).headers["cache-control"] == "no-store"


async def test_who_is_there_costs_no_statement(browser: Browser, portal: Portal, statements: list[str]) -> None:
    await browser.get("/")
    statements.clear()
    await browser.get("/")
    without = len(statements)
    await sign_in(browser, portal, "mira@example.com", "admin")
    await post(browser, HOURS, FORM)
    browser.cookies.clear()
    queries.forget()
    await browser.get("/")
    statements.clear()
    assert "Open" in foot((await browser.get("/")).text)
    assert len(statements) == without


async def test_what_cannot_be_is_told_beside_what_was_typed(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    answer = await post(browser, HOURS, {**FORM, "written-2": "noon", "closed": "2026-11-24 Inventory"})
    assert answer.status_code == 422
    assert 'id="written-2-error"' in answer.text
    assert 'value="noon"' in answer.text
    assert "2026-11-24 Inventory" in answer.text
    queries.forget()
    async with portal.begin() as db:
        assert await queries.current(db) == DEFAULT


async def test_support_says_that_nobody_is_there_just_now(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    await post(browser, HOURS, FORM)
    await sign_in(browser, portal, "olga@example.com", "support")
    assert (await post(browser, HOURS, FORM)).status_code == 403
    with clock.at(MONDAY):
        queries.forget()
        assert "Closed days" not in words(await browser.get(HOURS))
        await post(browser, f"{HOURS}/pause", {"channel": "phone", "for": "60"})
        queries.forget()
        assert "Opens today at 11:00" in foot((await browser.get("/")).text)
        await post(browser, f"{HOURS}/pause", {"channel": "phone", "for": "back"})
        queries.forget()
        assert "Open now, until 18:00" in foot((await browser.get("/")).text)
        await post(browser, f"{HOURS}/pause", {"channel": "phone", "for": "today"})
        queries.forget()
        assert "Opens Wednesday 25 November, 09:00" in foot((await browser.get("/")).text)
    assert (await post(browser, f"{HOURS}/pause", {"channel": "fax", "for": "60"})).status_code == 422
    told = await portal.rows("SELECT data FROM history WHERE action = 'channel_paused' ORDER BY id")
    assert [row.data["until"] for row in told] == ["2026-11-23T09:00:00+00:00", None, "2026-11-23T22:00:00+00:00"]


async def test_hours_are_for_those_who_serve(browser: Browser, portal: Portal) -> None:
    assert (await browser.get(HOURS)).headers["location"].startswith("/sign-in")
    await sign_in(browser, portal, "w@example.com", "warehouse")
    assert (await browser.get(HOURS)).status_code == 403


async def test_a_pause_is_no_part_of_what_is_promised(portal: Portal) -> None:
    async with portal.begin() as db:
        await pause(db, SYSTEM, "written", MONDAY)
        shop = await queries.read(db)
    assert shop.hours.written.paused_until == MONDAY
    assert shop.hours.schedule("written", shop.timezone).frozen().paused_until is None

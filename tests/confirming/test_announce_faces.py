"""Announcing a courier on the page, by the API, and what the demo shows of it."""

from collections.abc import AsyncIterator

import pytest

from returns_portal import clock
from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from tests.confirming.things import MONDAY, between, choose, new_order, said, tell
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


PAGE = "/staff/announce"


async def test_by_hand_an_order_is_found_and_its_courier_announced(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "olga@example.com", "support")
    await new_order(portal, locale="en")
    assert "Order number" in words(await browser.get(PAGE))
    lost = await browser.get(f"{PAGE}?number=77")
    assert (lost.status_code, "neither an order nor a parcel" in words(lost)) == (404, True)
    with clock.at(MONDAY):
        found = await browser.get(f"{PAGE}?number=1042")
        assert "Order 1042 · Мария Георгиева, София" in words(found)
        assert "Eastern European" in words(found)
        typed = {"number": "1042", "courier": "Oleksandr", "on": "2026-11-23", "begins": "9:00", "ends": "x"}
        for field, sent in (
            ("begins", typed),
            ("ends", typed | {"begins": "09:00"}),
            ("ends", typed | {"begins": "09:00", "ends": "10:00"}),
            ("hours", typed | {"hours": "99"}),
            ("on", typed | {"on": ""}),
            ("begins", typed | {"on": "9999-12-31", "begins": "23:00", "ends": "01:00"}),
        ):
            wrong = await post(browser, PAGE, sent)
            assert wrong.status_code == 422
            assert f'id="{field}-error"' in wrong.text
            assert 'value="Oleksandr"' in wrong.text
        done = await post(browser, PAGE, typed | {"hours": "2"})
        assert done.headers["location"] == PAGE
        assert "Announced." in words(await browser.get(PAGE))
        await post(browser, PAGE, typed | {"hours": "2"})
        assert "announced before" in words(await browser.get(PAGE))
        await post(browser, PAGE, typed | {"begins": "14:00", "ends": "16:00"})
        assert "between 14:00 and 15:00" in words(await browser.get(f"{PAGE}?number=1042"))
    assert len(await said(portal)) == 2


async def test_finance_announces_nobody(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "finance")
    assert (await browser.get(PAGE)).status_code == 403


async def test_the_shops_program_announces(browser: Browser, portal: Portal) -> None:
    await new_order(portal, locale="en")
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["orders:write"])
        reads = await create_api_key(db, SYSTEM, "looks", ["orders:read"])
    path, asked = "/api/v1/courier-announcements", {"order": "1042", "courier": "Oleksandr"}
    with clock.at(MONDAY):
        window = {"begins_at": "2026-11-23T12:00:00Z", "ends_at": "2026-11-23T16:00:00+02:00"}
        browser.headers["Authorization"] = f"Bearer {reads}"
        assert (await browser.post(path, json=asked | window)).status_code == 403
        browser.headers["Authorization"] = f"Bearer {key}"
        first, again = [(await browser.post(path, json=asked | window)).json() for _twice in range(2)]
        assert (first["order_number"], first["repeated"], again["repeated"]) == ("1042", False, True)
        late = await browser.post(
            path, json=asked | {"begins_at": "2026-11-23T08:00:00Z", "ends_at": "2026-11-23T09:00:00Z"}
        )
        assert (late.status_code, late.json()["code"]) == (422, "too_late")
        assert (await browser.post(path, json=asked | window | {"order": "77"})).status_code == 404
        naive = await browser.post(path, json=asked | window | {"ends_at": "2026-11-23T16:00:00"})
        assert naive.status_code in (400, 422)
    assert len(await said(portal)) == 1
    [row] = await portal.rows("SELECT announced_by, zone FROM courier_announcement")
    assert tuple(row) == ("api", "Europe/Sofia")


async def test_the_demos_outbox_shows_an_sms(browser: Browser, portal: Portal) -> None:
    await choose(portal, sms_service_messages=True)
    order_id = await new_order(portal, locale="en", phone="+359 88 123 4567")
    with clock.at(MONDAY):
        await tell(portal, order_id, between(14, 16))
    await portal.work()
    shown = words(await browser.get("/outbox"))
    assert "SMS: Nord & Sund: Your courier Oleksandr will be with you in about 2 hours" in shown
    assert "+359881234567" in shown

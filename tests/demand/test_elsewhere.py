"""The list of other shops: who keeps it, what it takes, and where its links lead."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from returns_portal.demand.links import outbound_path
from returns_portal.demand.pages import outbound
from returns_portal.demand.places import list_places, places_for, remove_place
from returns_portal.errors import ForbiddenError
from tests.demand.things import LINK, STRANGER, SUPPORT, one, place, stock, today
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LIST = "/staff/elsewhere"
TYPED = {
    "product": "boot",
    "size": "43",
    "shop": "Kestrel",
    "url": LINK,
    "price": "179,90",
    "currency": "eur",
    "seen_on": "2026-11-01",
}


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await stock(portal)
    async with browsing(portal.settings, database_url) as client:
        yield client


async def test_support_keeps_the_list(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "olga@shop.example", "support")
    assert "No other shop is on the list" in words(await browser.get(LIST))
    for _twice in range(2):
        assert (await post(browser, LIST, TYPED)).headers["location"] == LIST
    row = await one(portal, "SELECT * FROM elsewhere")
    assert (row.url, row.price, row.currency, row.size, row.color) == (LINK, 17990, "EUR", "43", "")
    page = await browser.get(LIST)
    assert "Chelsea <Boot> Size 43 Kestrel €179.90 1 November 2026" in words(page)
    assert "<Boot>" not in page.text
    assert "Kestrel" in words(await browser.get(f"{LIST}?product=boot"))
    assert "No other shop is on the list" in words(await browser.get(f"{LIST}?product=other"))
    edited = await browser.get(f"{LIST}/{row.id}")
    assert 'value="179.90"' in edited.text
    assert f'value="{today().isoformat()}"' in edited.text
    changed = await post(browser, f"{LIST}/{row.id}", {**TYPED, "price": "169.90", "seen_on": today().isoformat()})
    assert changed.status_code == 303
    assert "€169.90" in words(await browser.get(LIST))
    assert (await post(browser, f"{LIST}/{row.id}/removal")).headers["location"] == LIST
    assert "No other shop is on the list" in words(await browser.get(LIST))
    assert (await browser.get(f"{LIST}/{row.id}")).status_code == 404


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("product", "nothing"),
        ("shop", " "),
        ("url", "http://kestrel.example/"),
        ("price", "a lot"),
        ("currency", "XXX"),
        ("seen_on", "yesterday"),
        ("seen_on", "2199-01-01"),
    ],
)
async def test_what_is_wrong_is_said_and_stays_typed(browser: Browser, portal: Portal, field: str, typed: str) -> None:
    await sign_in(browser, portal, "olga@shop.example", "support")
    answer = await post(browser, LIST, {**TYPED, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert 'value="179,90"' in answer.text or field == "price"
    assert await portal.rows("SELECT id FROM elsewhere") == []


async def test_nobody_else_keeps_it(browser: Browser, portal: Portal) -> None:
    place_id = await place(portal)
    await sign_in(browser, portal, "ivo@shop.example", "warehouse")
    for path in (LIST, f"{LIST}/{place_id}"):
        assert (await browser.get(path)).status_code == 403
        assert (await post(browser, path, TYPED)).status_code == 403
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await list_places(db, STRANGER)
        with pytest.raises(ForbiddenError):
            await remove_place(db, STRANGER, place_id)


async def test_the_best_fitting_is_named_first(portal: Portal) -> None:
    await stock(portal)
    old = today() - timedelta(days=40)
    everything = await place(portal, size="", shop="All sizes", seen_on=old)
    exact = await place(portal, size="43", shop="This size", seen_on=old)
    await place(portal, size="42", shop="Another size")
    await place(portal, size="43", color="Red", shop="Another colour")
    gone = await place(portal, size="43", url="https://gone.example/")
    product_id = (await one(portal, "SELECT id FROM product")).id
    async with portal.begin() as db:
        await remove_place(db, SUPPORT, gone)
        found = await places_for(db, product_id, "43", "black")
        assert [each.id for each in found] == [exact, everything]
        assert len(await places_for(db, product_id, "", "")) == 4
        assert (await list_places(db, SUPPORT, after=everything))[0].id == exact


async def test_its_links_lead_to_the_list_and_nowhere_else(browser: Browser, portal: Portal) -> None:
    place_id = await place(portal)
    path = outbound_path(portal.settings, place_id)
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, LINK)
    assert answer.headers["referrer-policy"] == "no-referrer"
    row = await one(portal, "SELECT shown, request_id, followed_at FROM referral")
    assert (row.shown, row.request_id) == ("product", None)
    assert row.followed_at is not None
    for forged in ("/elsewhere/https://evil.example/", f"{path}x", "/elsewhere/x"):
        assert (await browser.get(forged)).status_code == 404
    async with portal.begin() as db:
        await remove_place(db, SUPPORT, place_id)
    assert (await browser.get(path)).status_code == 404
    assert len(await portal.rows("SELECT id FROM referral")) == 1


async def test_who_presses_for_sport_is_led_on_and_not_counted(
    browser: Browser, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "_MOST", 2, raising=False)
    path = outbound_path(portal.settings, await place(portal))
    for _press in range(4):
        assert (await browser.get(path)).headers["location"] == LINK
    assert len(await portal.rows("SELECT id FROM referral")) == 2

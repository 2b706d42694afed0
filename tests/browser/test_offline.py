"""The station without the network: what was closed is queued, survives a reload, and lands exactly once."""

import psycopg
from playwright.sync_api import Page

from tests.browser.conftest import Enter, chromium
from tests.browser.keyboards import strike
from tests.browser.live import Live
from tests.browser.test_station import articles, at_the_station
from tests.browser.visitor import Visitor
from tests.processes import wait_until

chromium()

_PARCELS = """
    SELECT count(*) FROM parcel p JOIN returns r ON r.id = p.return_id WHERE r.rma = %s AND p.undone_at IS NULL
"""
_OF_LVIV = f"{_PARCELS} AND p.warehouse = 'Lviv'"
_UNITS = """
    SELECT coalesce(sum(i.quantity), 0) FROM parcel p JOIN returns r ON r.id = p.return_id
    JOIN parcel_item i ON i.parcel_id = p.id WHERE r.rma = %s AND p.undone_at IS NULL AND i.acceptance <> 'surplus'
"""


def counted(url: str, query: str, rma: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode(), (rma,)).fetchone()
        return int(row[0]) if row else 0


def ready(visitor: Visitor) -> Page:
    """The station with its worker in charge, so that a reload needs no network."""
    page = visitor.page
    page.goto("/station")
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function(
        "async () => Boolean(await (await caches.open('station')).match('/station'))"
        " && (await (await caches.open('station')).keys()).length > 8"
    )
    return page


def go_away(visitor: Visitor, *, away: bool) -> None:
    visitor.page.context.set_offline(away)


def forgive(visitor: Visitor) -> None:
    """The browser complains of every request that a missing network has failed."""
    visitor.complaints = [each for each in visitor.complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def open_and_count(page: Page, rma: str) -> int:
    strike(page, rma)
    page.locator("#count > [data-row] button[data-condition]").first.wait_for()
    expected = articles(page)
    for sku in expected:
        page.locator(f"[data-row][data-sku='{sku}'] button[data-condition=resellable]").first.click()
    return len(expected)


def test_a_parcel_closed_without_the_network_lands_once_after_a_reload(
    live: Live, enter: Enter, live_database_url: str
) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["dock 3"].rma
    page = ready(visitor)
    units = open_and_count(page, rma)
    go_away(visitor, away=True)
    page.keyboard.press("Enter")
    page.locator("#queue").get_by_text(rma).wait_for()
    page.locator(".state").get_by_text("No connection").wait_for()
    assert counted(live_database_url, _PARCELS, rma) == 0
    # What was acknowledged is there after a reload, also while the network is away.
    page.reload()
    page.locator("#queue").get_by_text(rma).wait_for()
    go_away(visitor, away=False)
    page.locator("#queue").wait_for(state="hidden")
    wait_until(lambda: counted(live_database_url, _PARCELS, rma) == 1, 10, "the parcel to land")
    page.reload()
    page.locator("#code:focus").wait_for()
    assert counted(live_database_url, _PARCELS, rma) == 1
    assert counted(live_database_url, _UNITS, rma) == units
    forgive(visitor)


def test_an_answer_that_was_lost_is_no_second_parcel(live: Live, enter: Enter, live_database_url: str) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["dock 4"].rma
    page = ready(visitor)
    open_and_count(page, rma)
    sent: list[str] = []

    def lose_the_first(route) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - Playwright calls it
        # The server has done it; the browser never hears of it. What intercepts is not taken away after that: a request
        # that sets out in that very moment is one that Playwright may never hear of.
        sent.append(route.request.method)
        if len(sent) > 1:
            route.continue_()
            return
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/station/check-ins", lose_the_first)
    page.keyboard.press("Enter")
    for _ in range(300):
        page.wait_for_timeout(100)
        if len(sent) == 2 and page.locator("#queue").is_hidden():
            break
    assert sent == ["POST", "POST"]
    assert page.locator("#queue").is_hidden()
    assert counted(live_database_url, _PARCELS, rma) == 1
    visitor.complaints = [each for each in visitor.complaints if "ERR_FAILED" not in each]


def test_parcels_that_come_while_the_network_is_away_are_counted_all_the_same(
    live: Live, enter: Enter, live_database_url: str
) -> None:
    visitor = at_the_station(enter, live)
    page = ready(visitor)
    known, nobodys = live.stage.cases["dock 5"].rma, "R-0000-0001"
    page.get_by_role("button", name="Lviv").click()
    page.get_by_text("Warehouse: Lviv").wait_for()
    strike(page, known)
    page.locator("#count > [data-row]").first.wait_for()
    skus = articles(page)
    page.keyboard.press("Escape")
    page.goto("/station")
    go_away(visitor, away=True)
    for rma in (known, nobodys):
        strike(page, rma)
        page.locator("#count[data-blind]").wait_for()
        for sku in skus:
            strike(page, sku.upper())
        page.locator(".state").get_by_text(f"{rma}, counted: {len(skus)}").wait_for()
        strike(page, "RP-DONE")
        page.locator("#queue").get_by_text(rma).wait_for()
    assert page.locator("#queued").inner_text() == "2"
    go_away(visitor, away=False)
    page.locator("#queue").get_by_text("Nobody knows this code").wait_for()
    assert known not in page.locator("#queue").inner_text()
    wait_until(lambda: counted(live_database_url, _UNITS, known) == len(skus), 10, "the parcel to land")
    assert counted(live_database_url, _PARCELS, known) == counted(live_database_url, _OF_LVIV, known) == 1
    page.locator("#queue li a").first.click()
    page.get_by_role("heading", name="Whose is it?").wait_for()
    assert all(sku.upper() in page.locator("main").inner_text() for sku in skus)
    forgive(visitor)


def test_who_was_signed_out_is_asked_to_sign_in_and_whoever_does_sends_what_waits(
    live: Live, enter: Enter, live_database_url: str
) -> None:
    visitor = at_the_station(enter, live)
    page, nobodys = ready(visitor), "R-0000-0002"
    mine = page.context.cookies(live.base.replace("http:", "https:"))
    go_away(visitor, away=True)
    strike(page, nobodys)
    page.locator("#count[data-blind]").wait_for()
    strike(page, "4006381333931")
    page.locator(".state").get_by_text(f"{nobodys}, counted: 1").wait_for()
    strike(page, "RP-DONE")
    page.locator("#queue").get_by_text(nobodys).wait_for()
    page.context.clear_cookies()
    go_away(visitor, away=False)
    page.locator("#signed-out").wait_for()
    assert page.locator("#queued").inner_text() == "1"
    page.context.add_cookies(mine)  # type: ignore[arg-type]  # cookies as they were read
    visitor.carry(live.stage.staff["support"])
    page.goto("/station")
    page.locator("#queue").get_by_text("Nobody knows this code").wait_for()
    assert page.locator("#signed-out").is_hidden()
    with psycopg.connect(live_database_url) as connection:
        found = connection.execute("SELECT FROM found_parcel WHERE %s = ANY(codes)", (nobodys,)).fetchall()
    assert len(found) == 1
    forgive(visitor)


def test_a_parcel_of_which_nothing_was_counted_is_put_aside(live: Live, enter: Enter) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["dock 6"].rma
    page = ready(visitor)
    go_away(visitor, away=True)
    strike(page, rma)
    page.locator("#count[data-blind]").wait_for()
    page.wait_for_timeout(200)  # No hand is as fast as a scanner that ends its scans with two Enters.
    page.keyboard.press("Enter")
    page.locator("#kept").get_by_text(rma).wait_for()
    go_away(visitor, away=False)
    page.locator("#kept").get_by_text(rma).click()
    page.locator("#count:not([data-blind]) [data-row]").first.wait_for()
    forgive(visitor)

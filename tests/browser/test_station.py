"""The station's field under the keys of a scanner: any layout, any moment, and nothing but the scanner."""

import re

import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import Enter, chromium
from tests.browser.keyboards import LAYOUTS, strike
from tests.browser.live import Live
from tests.browser.visitor import Visitor

chromium()


def at_the_station(enter: Enter, live: Live) -> Visitor:
    visitor = enter()
    visitor.carry(live.stage.staff["warehouse"])
    return visitor


def articles(page: Page) -> list[str]:
    """The numbers of what is expected in the open parcel, each as often as it is expected."""
    rows = page.locator("#count > [data-row]").all()
    found = [(row.get_attribute("data-sku") or "", int(row.get_attribute("data-expected") or 0)) for row in rows]
    return [sku for sku, expected in found for _ in range(expected)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scan_is_read_by_the_places_of_the_keys(live: Live, enter: Enter, layout: str) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["to count"].rma
    visitor.page.goto("/station")
    strike(visitor.page, rma, layout)
    visitor.page.locator(".state").get_by_text(rma).wait_for()
    assert visitor.page.locator("#code:focus").input_value() == ""


def test_a_scan_that_begins_before_the_page_is_ready_is_whole(live: Live, enter: Enter) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["to count"].rma
    held: list[Route] = []
    visitor.page.route("**/station.js*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks what it calls
    with visitor.page.expect_request("**/station.js*"):
        visitor.page.goto("/station", wait_until="commit")
    visitor.page.locator("#code:focus").wait_for()
    visitor.page.keyboard.type(rma[:5])
    held.pop().continue_()
    visitor.page.wait_for_load_state()
    visitor.page.keyboard.type(rma[5:])
    visitor.page.keyboard.press("Enter")
    visitor.page.locator(".state").get_by_text(rma).wait_for()


def test_an_unknown_code_leaves_the_open_parcel_on_the_screen(live: Live, enter: Enter) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["to count"].rma
    page = visitor.page
    page.goto(f"/station?code={rma}")
    page.locator("[data-row] button[data-condition]").first.wait_for()
    page.keyboard.type("R-0000-0001", delay=5)
    page.keyboard.press("Enter")
    page.locator(".state.bad").get_by_text("Unknown code").wait_for()
    assert page.locator("#count").is_visible()
    assert page.locator("#code:focus").input_value() == ""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_article_is_counted_whatever_stands_between_its_letters(live: Live, enter: Enter, layout: str) -> None:
    page, rma = at_the_station(enter, live).page, live.stage.cases["to count"].rma
    page.goto("/station")
    strike(page, rma)
    row = page.locator("#count > [data-row]").first
    row.locator("button[data-condition]").first.wait_for()
    row.evaluate("row => row.dataset.sku = 'PARKA 38:NAVY_XL'")
    counted = row.locator("input[name$=-resellable]")
    before = int(counted.input_value())
    strike(page, "PARKA 38:NAVY_XL", layout)
    page.wait_for_function("([field, n]) => Number(field.value) === n + 1", arg=[counted.element_handle(), before])
    # A person's space presses the button on which the cursor stands.
    worn = row.locator("button[data-condition=worn]")
    worn.focus()
    page.keyboard.press("Space")
    row.locator("button[data-condition=worn][aria-pressed=true]").wait_for()


def test_what_was_taken_off_again_does_not_come_back(live: Live, enter: Enter) -> None:
    page, rma = at_the_station(enter, live).page, live.stage.cases["to count"].rma
    page.goto("/station")
    strike(page, rma)
    row = page.locator("#count > [data-row]").first
    row.locator("button[data-condition]").first.click()
    counted = row.locator("input[name$=-resellable]")
    assert counted.input_value() == "1"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("-")
    page.wait_for_function("field => field.value === '0'", arg=counted.element_handle())
    page.reload()
    row.locator("button[data-condition]").first.wait_for()
    page.wait_for_timeout(300)
    assert counted.input_value() == "0"


def test_a_scanner_that_ends_with_two_enters_closes_nothing(live: Live, enter: Enter) -> None:
    page, rma = at_the_station(enter, live).page, live.stage.cases["to count"].rma
    page.goto("/station")
    strike(page, rma)
    page.locator("#count > [data-row] button[data-condition]").first.wait_for()
    for sku in articles(page):
        strike(page, sku.upper(), enters=2)
    page.wait_for_timeout(300)
    assert page.locator("#count").is_visible()
    page.keyboard.press("Escape")


def test_an_article_scanned_where_one_looks_for_returns_is_looked_for(live: Live, enter: Enter) -> None:
    page = at_the_station(enter, live).page
    page.goto("/station")
    page.keyboard.press("F3")
    strike(page, "4006381333931")
    page.locator(".state").get_by_text("for “4006381333931”").wait_for()
    assert page.locator(".state").get_by_text("Unknown code").count() == 0


def test_a_scan_is_whole_after_a_hand_has_typed_anywhere(live: Live, enter: Enter) -> None:
    page, rma = at_the_station(enter, live).page, live.stage.cases["to count"].rma
    page.goto("/station")
    strike(page, rma)
    page.locator("#count > [data-row] button[data-condition]").first.wait_for()
    sku = next(sku for sku in articles(page) if sku.isascii())
    # A note, and then the article: the cursor is back in the field of the station, or still where it was.
    page.locator("#count details.more summary").last.click()
    for left_by in ("Escape", "the mouse", "nothing"):
        page.locator("#note").click()
        page.keyboard.type("torn box", delay=90)
        if left_by == "Escape":
            page.keyboard.press("Escape")
        elif left_by == "the mouse":
            page.locator("#code").click()
        page.wait_for_timeout(200)
        counted = page.locator(f"[data-row][data-sku='{sku}'] input[name$=-resellable]")
        before = int(counted.input_value())
        strike(page, sku.upper())
        page.wait_for_function("([field, n]) => Number(field.value) > n", arg=[counted.element_handle(), before])
    assert page.locator("#note").input_value() == "torn box" * 3
    # A search, and then the next parcel.
    page.keyboard.press("F3")
    page.keyboard.type("nobody at all", delay=90)
    page.keyboard.press("Enter")
    page.locator(".state").get_by_text("Nothing found").wait_for()
    strike(page, rma)
    page.locator(".state").get_by_text(rma).wait_for()
    # Letters that were left in the station's own field, and then a parcel.
    page.goto("/station")
    page.keyboard.type("nt", delay=90)
    page.wait_for_timeout(1200)
    strike(page, rma)
    page.locator(".state").get_by_text(rma).wait_for()
    # A number that is typed by hand is one, however long that takes.
    page.goto("/station")
    page.keyboard.type(rma[:6], delay=90)
    page.wait_for_timeout(1200)
    page.keyboard.type(rma[6:], delay=90)
    page.keyboard.press("Enter")
    page.locator(".state").get_by_text(rma).wait_for()


@pytest.mark.parametrize(("case", "layout"), [("dock 0", "Ukrainian"), ("dock 1", "German")])
def test_a_parcel_is_counted_and_undone_by_the_scanner_alone(live: Live, enter: Enter, case: str, layout: str) -> None:
    page, rma = at_the_station(enter, live).page, live.stage.cases[case].rma
    page.goto("/station")
    strike(page, rma, layout)
    page.locator("[data-row] button[data-condition]").first.wait_for()
    expected = articles(page)
    for sku in expected:
        if sku.isascii():
            strike(page, sku.upper(), layout)
        else:
            # No scanner types a number of Cyrillic letters: it is tapped.
            page.locator(f"[data-row][data-sku='{sku}'] button[data-condition=resellable]").click()
    page.locator(".state").get_by_text(f"{len(expected)} of {len(expected)} here").wait_for()
    # The control code belongs to the item that was scanned last.
    strike(page, "RP-DAMAGED", layout)
    page.locator("[data-condition=damaged][aria-pressed=true]").wait_for()
    strike(page, "RP-DONE", layout)
    page.locator("#undo").get_by_text(rma).wait_for()
    page.locator(".state").get_by_text("1 item waits for a decision").wait_for()
    # Nothing of the damaged one is refunded yet; what is, is due at once here, so that the undo is refused in words.
    strike(page, "RP-UNDO", layout)
    page.locator(".state, .flash").get_by_text(re.compile("expected|Correct it instead")).first.wait_for()


def count_all(page: Page, rma: str) -> int:
    """Open a parcel and count what is expected in it; how many that is."""
    strike(page, rma)
    page.locator("#count > [data-row] button[data-condition]").first.wait_for()
    expected = articles(page)
    for sku in expected:
        page.locator(f"[data-row][data-sku='{sku}'] button[data-condition=resellable]").click()
    return len(expected)


def test_what_was_counted_of_the_open_parcel_outlives_a_search_and_a_refused_undo(live: Live, enter: Enter) -> None:
    page, cases = at_the_station(enter, live).page, live.stage.cases
    page.goto("/station")
    count_all(page, cases["dock 11"].rma)
    strike(page, "RP-DONE")
    page.locator("#undo").get_by_text(cases["dock 11"].rma).wait_for()
    rma = cases["dock 8"].rma
    units = count_all(page, rma)
    page.keyboard.press("F3")
    page.keyboard.type("nobody at all", delay=80)
    page.keyboard.press("Enter")
    page.locator(".state").get_by_text("Nothing found").wait_for()
    page.locator("#kept").get_by_text(rma).click()
    page.locator(".state").get_by_text(f"{units} of {units} here").wait_for()
    # Its refund is due at once here: the undo is refused, and shows what it was asked for.
    strike(page, "RP-UNDO")
    page.locator(".flash").get_by_text("Correct it instead").wait_for()
    page.locator("#kept").get_by_text(rma).click()
    page.locator(".state").get_by_text(f"{units} of {units} here").wait_for()


def test_two_stations_on_one_parcel_count_it_once_and_the_second_is_told(live: Live, enter: Enter) -> None:
    visitors = [enter(), enter()]
    first, second = (visitor.page for visitor in visitors)
    for visitor, role in zip(visitors, ("warehouse", "support"), strict=True):
        page = visitor.page
        visitor.carry(live.stage.staff[role])
        page.goto(f"/station?code={live.stage.cases['dock 2'].rma}")
        page.locator("[data-row] button[data-condition]").first.wait_for()
        for row in page.locator("#count > [data-row]").all():
            for _ in range(int(row.get_attribute("data-expected") or 0)):
                row.locator("button[data-condition=resellable]").click()
    first.keyboard.press("Enter")
    second.keyboard.press("Enter")
    for page in (first, second):
        page.locator("#count").wait_for(state="detached")
    told = [page.locator(".state").inner_text() for page in (first, second)]
    assert sorted("Already checked in" in words for words in told) == [False, True], told

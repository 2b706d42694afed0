"""The station's field under the keys of a scanner: any layout, any moment."""

from playwright.sync_api import Route

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.visitor import Visitor

chromium()

CYRILLIC = dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "йцукенгшщзфівапролдячсмить", strict=True))


def at_the_station(enter: Enter, live: Live) -> Visitor:
    visitor = enter()
    visitor.carry(live.stage.staff["warehouse"])
    return visitor


def strike(visitor: Visitor, letters: str) -> None:
    """Strike keys as a scanner does at a PC with a Ukrainian layout: the places are right, what they make is not."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    for letter in letters:
        place = {"-": "Minus"}.get(letter, f"Digit{letter}" if letter.isdigit() else f"Key{letter}")
        key = {"key": CYRILLIC.get(letter, letter), "code": place, "text": CYRILLIC.get(letter, letter)}
        session.send("Input.dispatchKeyEvent", {"type": "keyDown", **key})
        session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
    visitor.page.keyboard.press("Enter")


def test_a_scan_under_a_cyrillic_layout_is_read_by_the_places_of_the_keys(live: Live, enter: Enter) -> None:
    visitor, rma = at_the_station(enter, live), live.stage.cases["to count"].rma
    visitor.page.goto("/station")
    strike(visitor, rma)
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

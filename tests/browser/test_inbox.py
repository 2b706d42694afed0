"""The inbox as those use it who answer all day: by keyboard, and with a colleague at the same question."""

from playwright.sync_api import Page

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live

chromium()

_FOCUSED = "document.activeElement.textContent.trim()"


def _queue(live: Live, enter: Enter) -> Page:
    visitor = enter()
    visitor.carry(live.stage.staff["support"])
    visitor.page.goto("/staff/questions")
    visitor.page.locator("[data-keys-open]").wait_for()
    return visitor.page


def test_the_queue_goes_by_keys_on_any_layout_and_only_where_they_are_wanted(live: Live, enter: Enter) -> None:
    page = _queue(live, enter)
    links = page.locator("[data-queue] > li > a")
    first, second = (links.nth(place).inner_text() for place in (0, 1))
    page.keyboard.press("j")
    assert page.evaluate(_FOCUSED) == first
    page.keyboard.press("j")
    assert page.evaluate(_FOCUSED) == second
    page.keyboard.press("ArrowUp")
    assert page.evaluate(_FOCUSED) == first
    # The same place on a Cyrillic board.
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'о', code: 'KeyJ', bubbles: true, cancelable: true}))"
    )
    assert page.evaluate(_FOCUSED) == second
    page.keyboard.press("k")
    page.keyboard.press("o")
    page.wait_for_url("**/staff/questions/0*")
    assert page.locator("h1").inner_text() == first
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "body"
    # While somebody types, keys are letters.
    page.keyboard.type("jan?u")
    assert page.locator("#body").input_value() == "jan?u"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement.id") == "note"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("a")
    page.locator(".flash .notice").wait_for()
    assert page.locator("[data-mine]").count() == 0
    page.keyboard.press("?")
    page.locator("dialog.keylist[open]").get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    page.keyboard.press("?")
    assert page.locator("dialog.keylist[open]").count() == 0
    # Switched off they stay off, and can be switched on again.
    page.goto("/staff/questions")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement === document.body")
    page.locator("[data-keys-open]").click()
    page.locator("dialog.keylist[open]").get_by_role("checkbox").check()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate(_FOCUSED) == first


def test_a_letter_goes_from_the_queue_to_the_customer_by_keys_once_it_was_looked_at(live: Live, enter: Enter) -> None:
    page = _queue(live, enter)
    link = page.get_by_role("link", name="Der linke Schuh fehlt")
    while page.evaluate(_FOCUSED) != link.inner_text():
        page.keyboard.press("j")
    page.keyboard.press("o")
    page.locator("#body").wait_for()
    page.get_by_role("link", name="in four steps").press("Enter")
    page.locator("#sorry").wait_for()
    assert "Der linke Schuh fehlt" in page.locator("blockquote").inner_text()
    assert page.locator("iframe").count() == 0
    page.get_by_role("button", name="Look at the letter").press("Enter")
    page.locator("#heard-error").get_by_text("{words}").wait_for()
    page.locator("#heard").fill("You write that the left shoe is missing.")
    page.locator("#solution").fill("It goes to you today.")
    page.get_by_role("button", name="Look at the letter").press("Enter")
    frame = page.frame_locator("iframe")
    frame.get_by_text("You write that the left shoe is missing.").wait_for()
    # What is changed afterwards is shown once more, and not sent.
    page.locator("#solution").fill("It goes to you tomorrow.")
    page.get_by_role("button", name="Send the letter").press("Enter")
    page.get_by_text("changed since you looked at it").wait_for()
    frame.get_by_text("It goes to you tomorrow.").wait_for()
    page.get_by_role("button", name="Send the letter").press("Enter")
    page.locator(".flash").get_by_text("Sent.").wait_for()
    assert "It goes to you tomorrow." in page.locator(".thread .staff").inner_text()


def test_two_who_have_it_open_see_each_other(live: Live, enter: Enter) -> None:
    question = live.stage.cases["desk together"].number
    pages = []
    for role in ("support", "admin"):
        visitor = enter()
        visitor.carry(live.stage.staff[role])
        visitor.page.goto(f"/staff/questions/{question}")
        pages.append(visitor.page)
    first, second = pages
    second.locator("[data-here] .notice").get_by_text("has had this open since").wait_for()
    # The one who was there before is told without doing anything.
    first.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    first.locator("[data-here] .notice").get_by_text("has had this open since").wait_for()

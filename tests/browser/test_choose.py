"""Choosing what goes back with scripts: the amounts follow, and what somebody has left alone stays as it is."""

from playwright.sync_api import Response

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.visitor import PHONE

chromium()


def _preview(answer: Response) -> bool:
    return answer.request.method == "POST"


def test_money_back_stays_chosen_until_somebody_chooses_something_else(live: Live, enter: Enter) -> None:
    case = live.stage.cases["exchangeable"]
    visitor = enter(size=PHONE)
    visitor.carry(case.token)
    page = visitor.page
    page.goto(f"/orders/{case.number}")
    instead = page.locator("select[name^=swap]").first
    said = page.locator("[data-part=sum]")

    with page.expect_response(_preview):
        page.locator("[name=refund_to]").last.check()
    said.get_by_text("You get back").wait_for()
    page.wait_for_timeout(300)
    assert instead.input_value() == ""
    assert "In exchange" not in said.inner_text()

    chosen = instead.locator("option").nth(2).get_attribute("value")
    with page.expect_response(_preview):
        instead.select_option(chosen)
    said.get_by_text("In exchange").wait_for()
    assert instead.input_value() == chosen

    with page.expect_response(_preview):
        page.locator("[name=exchange_at_once][value=yes]").check()
    page.wait_for_timeout(300)
    assert instead.input_value() == chosen
    with page.expect_response(_preview):
        instead.select_option("")
    said.get_by_text("In exchange").wait_for(state="detached")
    assert instead.input_value() == ""

"""Not in stock: on a phone without scripts somebody says so and is sent to another shop; the shop sees both."""

import re

from playwright.sync_api import Page, Route

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.visitor import DESKTOP, PHONE

chromium()


def _another_shop(route: Route) -> None:
    """What the other shop answers: no test leaves this machine."""
    route.fulfill(status=200, content_type="text/html", body="<title>Kestrel</title><h1>Wander boot, 43</h1>")


def counts(desk: Page) -> list[int]:
    """How often the other shop was named, and gone to after asking, as the report has it."""
    desk.goto("/staff/demand")
    row = desk.get_by_role("row", name=re.compile("^Kestrel"))
    return [int(cell) for cell in row.get_by_role("cell").all_inner_texts()[:2]]


def test_who_finds_nothing_here_is_sent_to_who_has_it(live: Live, enter: Enter) -> None:
    support = enter(size=DESKTOP)
    support.carry(live.stage.staff["support"])
    desk = support.page
    named, followed = counts(desk)

    customer = enter(size=PHONE, scripts=False)
    phone = customer.page
    phone.context.route("https://kestrel.example/**", _another_shop)
    phone.goto("/shop/wander-boot")
    phone.get_by_role("link", name=re.compile("^43")).click()
    phone.get_by_role("heading", name="Size 43, Black: not in stock").wait_for()
    assert phone.get_by_text("€179.90").first.is_visible()
    phone.get_by_label(re.compile("^Anything else")).fill("For the mountains")
    phone.get_by_label(re.compile("^Tell me when")).fill("mountain@example.com")
    phone.get_by_role("button", name="I need this").click()
    phone.get_by_role("heading", name="Thank you, we keep it in mind").wait_for()
    with phone.context.expect_page() as opened:
        phone.get_by_role("link", name=re.compile("^Kestrel")).click()
    opened.value.get_by_role("heading", name="Wander boot, 43").wait_for()
    assert opened.value.url == "https://kestrel.example/wander-boot"
    assert opened.value.evaluate("document.referrer + String(window.opener)") == "null"

    assert counts(desk) == [named + 1, followed + 1]
    desk.goto("/staff/requests?show=waiting")
    desk.get_by_role("link", name=re.compile("Wander boot, Size 43")).first.click()
    desk.get_by_text("mountain@example.com").wait_for()
    desk.get_by_label("We will have it").check()
    desk.get_by_label(re.compile("^A word to the customer")).fill("In March")
    desk.get_by_role("button", name="Send the answer").click()
    desk.get_by_text("Sent. The customer gets it by e-mail.").wait_for()

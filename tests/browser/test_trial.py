"""Trying at home, from the shop to what is paid: the customer on a phone without scripts, the shop at its desks."""

import re

from playwright.sync_api import Page

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live
from tests.browser.visitor import DESKTOP, PHONE, Visitor

chromium()

TYPED = {
    "Name": "Елена Тодорова",
    "E-mail": "elena@example.com",
    "Street and house number": "ул. Шипка 6",
    "Postal code (optional)": "1504",
    "Place": "София",
    "Card number": "4242 4242 4242 4242",
    "Month": "8",
    "Year": "2031",
    "Security code": "123",
}


def put_into_the_basket(page: Page) -> None:
    """From the shop's list by way of one's size; the one beside it is proposed."""
    page.goto("/shop")
    page.get_by_role("link", name=re.compile("Chelsea boot")).first.click()
    page.get_by_role("link", name="41", exact=True).click()
    for size, wanted in (("40", False), ("41", True), ("42", True)):
        page.get_by_role("checkbox", name=re.compile(rf"^{size}\b")).set_checked(wanted)
    page.get_by_role("button", name="Put into the basket").click()


def check_out(page: Page) -> str:
    """From the basket to the bank's answer, for which the page looks by itself; the trial's number."""
    assert page.locator(".sum .total").last.inner_text() == "€378.00"
    page.get_by_role("link", name="Try it at home").click()
    for label, text in TYPED.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Country").select_option("BG")
    assert not page.get_by_role("checkbox").is_checked()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Order, and pay for what I keep").click()
    page.get_by_role("heading", name="We are packing your parcel").wait_for()
    return page.locator(".ticket p.code").inner_text()


def send(warehouse: Visitor, number: str) -> None:
    """Pack it, print its slip, and scan the carrier's label."""
    page = warehouse.page
    page.goto("/station/packing")
    page.get_by_label("Scan a slip or a label").fill(number)
    page.keyboard.press("Enter")
    # Until then the list of all that is to be packed is still there.
    page.wait_for_url("**code=*")
    slip = page.get_by_role("link", name="Slip and label")
    assert warehouse.download(slip.get_attribute("href") or "").startswith(b"%PDF")
    page.get_by_role("button", name=re.compile("^Packed")).click()
    page.get_by_label(re.compile("^Carrier")).fill("Econt")
    page.get_by_label(re.compile("^Tracking number")).focus()
    page.keyboard.type("1051602736482")
    page.keyboard.press("Enter")
    page.get_by_text(f"{number} is on its way to Елена Тодорова").wait_for()


def test_from_the_shop_to_what_is_paid(live: Live, enter: Enter) -> None:
    customer = enter(size=PHONE, scripts=False)
    phone = customer.page
    put_into_the_basket(phone)
    number = check_out(phone)

    warehouse = enter(size=DESKTOP)
    warehouse.carry(live.stage.staff["warehouse"])
    send(warehouse, number)
    phone.reload()
    phone.get_by_role("heading", name="Your parcel is on its way").wait_for()
    assert "Econt 1051602736482" in phone.locator(".route").inner_text()

    support = enter(size=DESKTOP)
    support.carry(live.stage.staff["support"])
    desk = support.page
    desk.goto(f"/finance/trials/{number}")
    desk.get_by_role("button", name="The trial begins").click()

    phone.reload()
    assert phone.locator(".left").inner_text() == "7 days left"
    first, second = phone.locator(".decide > li").all()
    second.get_by_label("Keep").check()
    phone.get_by_role("button", name="Save what I have decided").click()
    phone.get_by_text("Noted. 1 item is still open.").wait_for()
    first, second = phone.locator(".decide > li").all()
    assert second.get_by_label("Keep").is_checked()
    first.get_by_label("Send back").check()
    phone.get_by_role("button", name="Save what I have decided").click()
    phone.get_by_role("heading", name="Thank you, that is all we need").wait_for()
    rma = re.search(r"R-\w{4}-\w{4}", phone.locator(".ticket").inner_text())
    assert rma

    desk.reload()
    desk.get_by_role("button", name="Settle now").click()
    customer.until(f"/trials/{number}", lambda page: page.get_by_text("You have paid"))
    assert phone.locator(".sum dd.total").inner_text() == "€189.00"
    assert "3 items" not in phone.inner_text("main")
    assert "1 item is still to come back to us." in phone.inner_text("main")

    page = warehouse.page
    page.goto(f"/station?code={rma[0]}")
    page.locator("[data-row] button[data-condition]").first.wait_for()
    page.keyboard.press("1")
    page.wait_for_timeout(250)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo last").wait_for()
    customer.until(f"/trials/{number}", lambda page: page.get_by_role("heading", name="It is yours. Enjoy it!"))
    assert phone.locator(".sum dd.total").inner_text() == "€189.00"
    assert "card ending in 4242" in phone.inner_text("main")

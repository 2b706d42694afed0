"""Every way in that is not an order's number and a code alone, on a phone and at a desk, in two languages."""

import re
import time

import pytest

from tests.browser.conftest import Enter, chromium
from tests.browser.live import Live, signed
from tests.browser.test_main_job import code_by_mail, purchase
from tests.browser.visitor import DESKTOP, PHONE, Visitor

chromium()

WHO = pytest.mark.parametrize(("locale", "size"), [("uk-UA", PHONE), ("de-DE", DESKTOP)], ids=["uk phone", "de desk"])


def press(visitor: Visitor) -> None:
    """The one button that leads on."""
    visitor.page.locator("main form button.button").first.click()


def is_at(visitor: Visitor, number: str, locale: str) -> None:
    """They are at their order, and have been spoken to in their language all the way."""
    visitor.page.wait_for_url(f"**/orders/{number}")
    assert visitor.page.locator("html").get_attribute("lang") == locale[:2]
    assert number in visitor.page.locator("main").inner_text()


def doors_by_mail(visitor: Visitor, email: str) -> list[str]:
    """The links of the newest e-mail to this address, once it is one with links that let in."""
    page = visitor.page
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        page.goto("/outbox")
        sent = page.get_by_role("row").filter(has_text=email).get_by_role("link")
        if sent.count():
            sent.first.click()
            if found := re.findall(r"https?://\S+?(/in/[\w.-]+)", page.locator("main").inner_text()):
                return found
        time.sleep(0.2)
    pytest.fail("no e-mail with links came")


@WHO
def test_by_the_code_on_the_packing_slip(enter: Enter, locale: str, size: dict[str, int]) -> None:
    order = purchase("1041" if locale.startswith("uk") else "1047")
    customer = enter(size=size, locale=locale)
    page = customer.page
    page.goto(f"/?order={order.number}")
    # The slip proves the parcel, not the person: the number is there already, and the address is asked for.
    assert page.locator("[name=number]").input_value() == order.number
    page.locator("[name=email]").fill(order.email)
    press(customer)
    page.locator("[name=code]").fill(code_by_mail(customer, order.email))
    press(customer)
    is_at(customer, order.number, locale)


@WHO
def test_by_the_list_of_orders_that_comes_by_e_mail(enter: Enter, locale: str, size: dict[str, int]) -> None:
    order = purchase("1049" if locale.startswith("uk") else "1058")
    customer = enter(size=size, locale=locale)
    page = customer.page
    page.goto("/")
    page.locator("main a[href='/my-orders']").click()
    page.locator("main [name=email]").fill(order.email)
    press(customer)
    links = doors_by_mail(customer, order.email)
    page.goto(links[0])
    press(customer)
    page.wait_for_url("**/orders/*")
    assert page.locator("html").get_attribute("lang") == locale[:2]
    # Who has used it up is told so, wherever they come from.
    stranger = enter(size=size, locale=locale)
    stranger.page.goto(links[0])
    if stranger.page.locator("main form[action='/in'] button").count():
        press(stranger)
    assert "/orders/" not in stranger.page.url


@WHO
def test_by_the_shop_in_which_they_are_signed_in(enter: Enter, locale: str, size: dict[str, int]) -> None:
    order = purchase("1017")
    customer = enter(size=size, locale=locale)
    page = customer.page
    page.goto(signed("shop", email=order.email))
    assert "token" not in page.url, "it stands in no address, where others read it"
    press(customer)
    page.wait_for_url("**/my-orders")
    page.locator(f"main a[href='/orders/{order.number}']").click()
    is_at(customer, order.number, locale)


@WHO
def test_by_a_link_that_shows_and_then_by_a_code_that_lets_act(
    live: Live, enter: Enter, locale: str, size: dict[str, int]
) -> None:
    case = live.stage.cases["filed" if locale.startswith("uk") else "on its way"]
    customer = enter(size=size, locale=locale)
    page = customer.page
    page.goto(signed(f"/returns/{case.rma}"))
    page.wait_for_url(f"**/returns/{case.rma}")
    page.locator("main form[action='/access/confirm'] button").first.click()
    page.locator("[name=code]").fill(code_by_mail(customer, purchase(case.number).email))
    press(customer)
    page.wait_for_url(f"**/returns/{case.rma}")
    assert page.locator("main form[action='/access/confirm']").count() == 0
    assert page.locator("html").get_attribute("lang") == locale[:2]

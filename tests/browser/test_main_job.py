"""The main job as people do it: a file is imported, an item comes back, the money goes back, finance exports it."""

import csv
import io
import re
import time
from decimal import Decimal
from typing import NamedTuple

import pytest
import zxingcpp

from tests.browser.conftest import Enter, chromium
from tests.browser.live import FILE, Live
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.labels.prints import codes, pages
from tests.webclient import PASSWORD

chromium()

CLICKS = 4


class Purchase(NamedTuple):
    """An order, by nothing but the file."""

    number: str
    email: str
    currency: str
    total: str


def purchase(number: str) -> Purchase:
    """The order's first row has what is said of the whole order."""
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["Name"] == f"#{number}")
    return Purchase(number, row["Email"], row["Currency"], row["Total"])


def code_by_mail(visitor: Visitor, email: str) -> str:
    """Wait until the newest e-mail to this address is one with a code, in a tab of its own."""
    own, visitor.page = visitor.page, visitor.another_page()
    deadline = time.monotonic() + 30
    try:
        while time.monotonic() < deadline:
            sent = visitor.until(
                "/outbox", lambda page: page.get_by_role("row").filter(has_text=email).get_by_role("link")
            )
            sent.first.click()
            if found := re.search(r"\b\d{6}\b", visitor.page.inner_text("main")):
                return found[0]
        pytest.fail("no e-mail with a code came")
    finally:
        visitor.page.close()
        visitor.page = own


def send_everything_back(customer: Visitor, order: Purchase) -> str:
    """From the landing page to the label; the number of the return."""
    page = customer.page
    page.goto("/")
    customer.clicks.clear()
    page.get_by_label("Order number").fill(order.number)
    page.get_by_label("E-mail you ordered with").fill(order.email)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Code with six digits").fill(code_by_mail(customer, order.email))
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Get my label").wait_for()
    for item in page.get_by_role("checkbox").all():
        item.check()
    for many in page.locator("select[name^=quantity]").all():
        many.select_option(index=many.locator("option").count() - 1)
    page.get_by_role("button", name="Get my label").click()
    rma = page.locator(".ticket p.code").inner_text()
    assert page.get_by_role("img", name=f"QR code of return {rma}").is_visible()

    link = page.get_by_role("link", name="Open my label")
    pdf = customer.download(link.get_attribute("href") or "")
    assert len(customer.clicks) <= CLICKS, customer.clicks
    assert {code for sheet in pages(pdf) for code in codes(sheet)} == {
        (zxingcpp.BarcodeFormat.Code128, rma),
        (zxingcpp.BarcodeFormat.QRCode, rma),
    }
    return rma


def check_in(worker: Visitor, rma: str) -> None:
    """Scan, press the key of the condition, close the parcel: by the keyboard alone, as the scanner and people do."""
    page = worker.page
    page.goto("/station")
    sign_in(worker, "warehouse")
    page.locator("#code:focus").wait_for()
    page.keyboard.type(rma, delay=5)
    page.keyboard.press("Enter")
    page.locator(".state").get_by_text("expected").wait_for()
    expected = [int(row.get_attribute("data-expected") or 0) for row in page.locator("[data-row]").all()]
    for _ in range(sum(expected)):
        # A person's key: the station waits a moment to know that it was no scanner's.
        page.keyboard.press("1")
        page.wait_for_timeout(200)
    page.locator(".state").get_by_text(f"{sum(expected)} of {sum(expected)} here").wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo last").wait_for()
    page.locator("#code:focus").wait_for()


def sign_in(colleague: Visitor, role: str) -> None:
    page = colleague.page
    page.get_by_label("E-mail").fill(f"{role}@shop.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def exported(colleague: Visitor, rma: str) -> dict[str, str]:
    """The return's row of the file that finance downloads."""
    link = colleague.page.get_by_role("link", name="CSV", exact=True)
    content = colleague.download(link.get_attribute("href") or "").decode()
    (row,) = [row for row in csv.DictReader(io.StringIO(content)) if row["return_number"] == rma]
    return row


# The second order is in a currency without minor units, and its customer's phone runs no scripts.
@pytest.mark.parametrize(("number", "scripts"), [("1002", True), ("1003", False)])
def test_from_the_import_to_the_export(live: Live, enter: Enter, number: str, scripts: bool) -> None:
    assert "120 created, 0 updated, 0 unchanged, 0 rejected" in live.imported
    order = purchase(number)
    customer = enter(size=PHONE, scripts=scripts)
    rma = send_everything_back(customer, order)
    check_in(enter(size=DESKTOP), rma)
    customer.until(f"/returns/{rma}", lambda page: page.get_by_role("heading", name="Your refund is done"))

    finance = enter(size=DESKTOP)
    finance.page.goto("/finance")
    sign_in(finance, "finance")
    shown = finance.page.get_by_role("row").filter(has_text=rma)
    assert Decimal(re.sub(r"[^\d.]", "", shown.locator("td.n").first.inner_text())) == Decimal(order.total)
    row = exported(finance, rma)
    assert (row["order_number"], row["currency"], row["status"]) == (number, order.currency, "succeeded")
    assert Decimal(row["gross"]) == Decimal(order.total)

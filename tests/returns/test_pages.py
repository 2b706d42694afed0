"""The customer's pages, over HTTP: from the landing page to the label, and what comes after."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
from httpx import Response

from returns_portal import clock
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.returns.models import RefundTo
from returns_portal.warehouse.models import Condition
from tests.orders.samples import a_line
from tests.portal import Portal
from tests.returns.visits import come_in, post, sign_in, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LINES = [
    a_line(),
    a_line(sku="SO-39", title="Wool Socks", size="39–42", color="Ecru", quantity=1, unit_price=1799, tax=300),
]


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def choose(browser: Browser, number: str, *line_ids: UUID, **fields: str) -> Response:
    """Open the page, and send its form."""
    seen = await browser.get(f"/orders/{number}")
    return await post(
        browser,
        f"/orders/{number}",
        {"token": value(seen, "token"), "line": [str(each) for each in line_ids], **fields},
    )


async def test_from_the_landing_page_to_the_label_in_four_clicks(browser: Browser, portal: Portal) -> None:
    _order, (shoes, _socks) = await portal.order(lines=LINES, delivered_at=clock.now() - timedelta(days=3))
    await portal.work()
    clicks = 0
    await browser.get("/")

    answer = await post(browser, "/access", {"number": "1001", "email": "kunde@example.com"})
    clicks += 1
    code = (await portal.rows("SELECT values ->> 'code' AS code FROM email WHERE template = 'access_code'"))[0].code
    answer = await post(browser, "/access/code", {"code": code})
    clicks += 1
    page = await browser.get(answer.headers["location"])
    assert "What would you like to send back?" in words(page)
    answer = await post(
        browser,
        answer.headers["location"],
        {"token": value(page, "token"), "line": str(shoes), "refund_to": "original"},
    )
    clicks += 1
    shown = await browser.get(answer.headers["location"])
    label = re.search(r'<a class="button" href="([^"]*label\.pdf[^"]*)"', shown.text)
    assert label, "no label on the page"
    pdf = await browser.get(label[1])
    clicks += 1

    assert pdf.status_code == 200
    assert pdf.content.startswith(b"%PDF")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["cache-control"] == "no-store"
    assert clicks <= 4
    rma = answer.headers["location"].rsplit("/", 1)[1]
    assert f'filename="{rma}-a4.pdf"' in pdf.headers["content-disposition"]
    assert f"Return number {rma}" in words(shown)
    assert "<title>QR code of return" in shown.text
    assert await portal.mails() == ["access_code", "return_filed"]


async def test_what_is_shown_is_what_will_be_refunded(browser: Browser, portal: Portal) -> None:
    _order, (shoes, _socks) = await portal.order(lines=LINES)
    await portal.work()
    await come_in(browser, portal, "1001")
    fields = {f"quantity-{shoes}": "2", "step": "preview"}
    shown = words(await choose(browser, "1001", shoes, **fields))
    assert "€318.00 back to your card ending 4242" in shown
    # 10 % on card money: 318.00 and 31.80, one point is one cent.
    assert "34,980 points as points for your next order +10 % 31,800, and a bonus of 3,180" in shown
    assert "2 × Derby, 42, Navy €318.00" in shown
    assert "You get back €318.00" in shown
    assert await portal.rows("SELECT id FROM returns") == []

    filed = await choose(browser, "1001", shoes, **{f"quantity-{shoes}": "2"}, refund_to="points")
    rma = filed.headers["location"].rsplit("/", 1)[1]
    await portal.receive(rma, (shoes, 2, Condition.RESELLABLE))
    refund = (await portal.rows("SELECT amount, bonus, destination FROM refund"))[0]
    assert (refund.amount, refund.bonus, refund.destination) == (31800, 3180, "points")


async def test_the_original_payment_is_the_default_and_a_lone_item_is_chosen_already(
    browser: Browser, portal: Portal
) -> None:
    await portal.order(lines=[a_line(quantity=1, unit_price=9900)])
    await come_in(browser, portal, "1001")
    page = (await browser.get("/orders/1001")).text
    assert re.search(r'name="line" value="[^"]*" checked', page)
    assert re.search(r'name="refund_to" value="original" checked', page)
    assert not re.search(r'name="refund_to" value="points" checked', page)
    assert "<details>" in page, "the reason is closed, and never required"
    assert not re.search(r'name="reason"[^>]*required', page)


async def test_a_double_click_files_one_return_and_shows_no_error(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES)
    await come_in(browser, portal, "1001")
    seen = await browser.get("/orders/1001")
    fields = {"token": value(seen, "token"), "line": [str(shoes), str(socks)], "refund_to": "original"}
    answers = await asyncio.gather(*(post(browser, "/orders/1001", fields) for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    # Another tab, with a form of its own, leads to the same return too.
    other = await choose(browser, "1001", shoes, socks)
    assert other.headers["location"] == answers[0].headers["location"]
    assert "on their way back already" in words(await browser.get(other.headers["location"]))
    assert len(await portal.rows("SELECT id FROM returns")) == 1
    assert await portal.mails() == ["return_filed"]


async def test_a_form_that_fails_keeps_everything_and_says_why_beside_the_field(
    browser: Browser, portal: Portal
) -> None:
    total = 15900 * 2 + 490
    _order, (shoes,) = await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=total)])
    await come_in(browser, portal, "1001")
    nothing = await choose(browser, "1001", reason="too <small>")
    assert nothing.status_code == 422
    assert "Choose at least one item to send back." in words(nothing)
    assert "too &lt;small&gt;" in nothing.text.replace("&#x2f;", "/")
    wrong = await choose(
        browser,
        "1001",
        shoes,
        bank_account="BG80 BNBG 9661 1020 3456 79",
        refund_to="points",
        **{f"quantity-{shoes}": "2"},
    )
    assert wrong.status_code == 422
    assert "This IBAN has a typing error" in words(wrong)
    assert "BG80 BNBG 9661 1020 3456 79" in wrong.text
    assert re.search(r'value="points" checked', wrong.text)
    assert re.search(r"<option selected>2</option>", wrong.text)
    assert 'aria-invalid="true"' in wrong.text
    assert await portal.rows("SELECT id FROM returns") == []


async def test_an_external_payment_goes_to_an_account_that_is_stored_encrypted(
    browser: Browser, portal: Portal
) -> None:
    total = 15900 * 2 + 490
    _order, (shoes,) = await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=total)])
    await come_in(browser, portal, "1001")
    filed = await choose(browser, "1001", shoes)
    path = filed.headers["location"]
    assert "Account number for the transfer" in words(await browser.get(path))
    wrong = await post(browser, f"{path}/bank-account", {"bank_account": "none"})
    assert (wrong.status_code, "does not look like an account number" in words(wrong)) == (422, True)
    given = await post(browser, f"{path}/bank-account", {"bank_account": "bg80bnbg96611020345678"})
    assert given.headers["location"] == path
    assert "We have your account number" in words(await browser.get(path))
    stored = (await portal.rows("SELECT bank_account FROM returns"))[0].bank_account
    assert "96611020345678" not in stored


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"cancelled_at": clock.now()}, "This order was cancelled, so there is nothing to send back."),
        (
            {"delivered_at": clock.now() - timedelta(days=120), "placed_at": clock.now() - timedelta(days=130)},
            "The time for returning this order ended on",
        ),
        ({"payments": [], "financial_status": "pending"}, "We know of no payment for this order"),
    ],
)
async def test_why_nothing_can_go_back_is_a_sentence_with_telephone_and_e_mail(
    browser: Browser, portal: Portal, changes: dict[str, object], sentence: str
) -> None:
    _order, (shoes,) = await portal.order(**changes)
    await come_in(browser, portal, "1001")
    page = await browser.get("/orders/1001")
    assert page.status_code == 200
    assert sentence in words(page)
    assert "+359 700 12 345" in words(page)
    assert "help@nordsund.example" in words(page)
    assert "Get my label" not in words(page)
    if "payments" not in changes:
        sent = await post(browser, "/orders/1001", {"line": str(shoes), "refund_to": "original"})
        assert (sent.status_code, sentence in words(sent)) == (409, True)


async def test_an_order_whose_delivery_is_unknown_stays_open(browser: Browser, portal: Portal) -> None:
    await portal.order(delivered_at=None, placed_at=clock.now() - timedelta(days=900))
    await come_in(browser, portal, "1001")
    assert "Get my label" in words(await browser.get("/orders/1001"))


async def test_what_is_on_its_way_back_says_so_and_can_be_cancelled(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES)
    filed = await portal.file("1001", (shoes, 2), (socks, 1))
    await come_in(browser, portal, "1001")
    closed = words(await browser.get("/orders/1001"))
    assert "Everything in this order is on its way back to us" in closed
    assert filed.rma in closed
    for _ in range(2):  # A second click says nothing bad.
        assert (await post(browser, f"/returns/{filed.rma}/cancellation")).status_code == 303
    shown = words(await browser.get(f"/returns/{filed.rma}"))
    assert "This return is cancelled" in shown
    assert "PDF, A4" not in shown
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf")).status_code == 409
    assert "Get my label" in words(await browser.get("/orders/1001"))
    assert (await portal.mails()).count("return_cancelled") == 1


async def test_what_has_arrived_cannot_be_cancelled(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order()
    filed = await portal.file("1001", (shoes, 1))
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
    await come_in(browser, portal, "1001")
    await post(browser, f"/returns/{filed.rma}/cancellation")
    assert "can no longer be cancelled" in words(await browser.get(f"/returns/{filed.rma}"))


async def test_the_way_of_a_return_is_told_as_it_happens(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES)
    await portal.work()
    filed = await portal.file("1001", (shoes, 2), (socks, 1))
    await come_in(browser, portal, "1001")
    path = f"/returns/{filed.rma}"
    shown = words(await browser.get(path))
    assert "Waiting for your parcel Your label is ready" in shown
    assert "Your parcel travels to us" in shown

    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE), (shoes, 1, Condition.DAMAGED))
    shown = words(await browser.get(path))
    assert "Being looked at We are looking at your items" in shown
    assert "PDF, A4" in shown, "the rest has yet to be sent"
    assert "1 item has not arrived yet" in shown
    assert "Derby, 42, Navy in order" in shown
    assert "Derby, 42, Navy damaged; we are looking at it" in shown
    assert "Refunded:" not in shown, "it is said only when it is done"

    await portal.work()
    shown = words(await browser.get(path))
    assert "Refunded: €159.00 back to your card ending 4242" in shown
    assert "Banks show it within 5–10 business days, so by" in shown


async def test_a_refund_that_failed_is_not_called_refunded(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order()
    await portal.work()
    filed = await portal.file("1001", (shoes, 2))
    await portal.receive(filed.rma, (shoes, 2, Condition.RESELLABLE))
    await portal.rows("UPDATE refund SET status = 'failed', failure_reason = 'expired_or_canceled_card' RETURNING id")
    await come_in(browser, portal, "1001")
    shown = words(await browser.get(f"/returns/{filed.rma}"))
    assert "A refund did not go through yet" in shown
    assert "not through yet" in shown
    assert "Refunded" not in shown
    assert "+359 700 12 345" in shown


async def test_points_are_credited_and_said_so(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order()
    await portal.work()
    filed = await portal.file("1001", (shoes, 1), to=RefundTo.POINTS)
    await portal.receive(filed.rma, (shoes, 1, Condition.WORN))
    await portal.work()
    await come_in(browser, portal, "1001")
    assert "PDF, A4" not in words(await browser.get(f"/returns/{filed.rma}")), "nothing is left to be sent"
    assert "Refunded: 17,490 points to your points account" in words(await browser.get(f"/returns/{filed.rma}"))


async def test_nobody_elses_order_return_or_label_exists(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order()
    await portal.order(number="2002", email="other@example.com")
    filed = await portal.file("1001", (shoes, 1))
    await come_in(browser, portal, "2002")
    mine = [
        f"/returns/{filed.rma}",
        f"/returns/{filed.rma}/label.pdf",
        "/orders/1001",
        "/returns/R-0000-0000",
        "/orders/9999",
    ]
    assert [(await browser.get(path)).status_code for path in mine] == [404] * len(mine)
    for path in (f"/returns/{filed.rma}/cancellation", f"/returns/{filed.rma}/bank-account", "/orders/1001"):
        assert (await post(browser, path, {"line": str(shoes), "bank_account": "12345678"})).status_code == 404
    assert filed.rma not in words(await browser.get("/returns"))
    assert [row.status for row in await portal.rows("SELECT status FROM returns")] == ["filed"]


async def test_who_has_not_come_in_is_asked_for_the_order_whether_or_not_it_exists(
    browser: Browser, portal: Portal
) -> None:
    _order, (shoes,) = await portal.order()
    filed = await portal.file("1001", (shoes, 1))
    for path in (f"/returns/{filed.rma}", "/returns/R-0000-0000", "/returns"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?next={quote(path, safe='')}")
    for path in ("/orders/1001", "/orders/9999"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf")).status_code == 404
    assert (await post(browser, f"/returns/{filed.rma}/cancellation")).status_code == 404


async def test_support_acts_for_customers_and_the_warehouse_does_not(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order()
    filed = await portal.file("1001", (shoes, 1))
    await sign_in(browser, portal, "dock@example.com", "warehouse")
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf?size=4x6")).content.startswith(b"%PDF")
    assert (await post(browser, f"/returns/{filed.rma}/cancellation")).status_code == 403
    await sign_in(browser, portal, "support@example.com", "support")
    assert (await post(browser, f"/returns/{filed.rma}/cancellation")).status_code == 303


async def test_an_order_number_with_a_slash_has_its_page(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order(number="2026/77")
    await come_in(browser, portal, "2026/77")
    assert "What would you like to send back?" in words(await browser.get("/orders/2026%2F77"))
    assert (await choose(browser, "2026%2F77", shoes)).status_code == 303


@pytest.mark.parametrize("size", ["4x6", "a4", "letter"])
async def test_the_label_comes_for_every_paper(browser: Browser, portal: Portal, size: str) -> None:
    _order, (shoes,) = await portal.order()
    filed = await portal.file("1001", (shoes, 1))
    await come_in(browser, portal, "1001")
    answer = await browser.get(f"/returns/{filed.rma}/label.pdf?size={size}")
    assert (answer.status_code, answer.content[:4]) == (200, b"%PDF")
    assert (await browser.get(f"/returns/{filed.rma}/label.pdf?size=a3")).status_code == 422

"""What a customer's pages say once nothing, or something yet, is left to send back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.warehouse.models import Condition
from tests.orders.samples import a_line
from tests.portal import Portal
from tests.returns.visits import come_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

LINKED = "Send something else of this order back"
NO_REASON = "No reason needed"
LINES = [a_line(), a_line(sku="SO-39", title="Wool Socks", quantity=1, unit_price=1799, tax=300)]


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def test_an_open_order_needs_no_reason_and_a_closed_one_does_not_say_so(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES, delivered_at=clock.now() - timedelta(days=3))
    await come_in(browser, portal, "1001")
    assert NO_REASON in words(await browser.get("/orders/1001"))
    await portal.file("1001", (shoes, 2))
    assert NO_REASON in words(await browser.get("/orders/1001"))
    await portal.file("1001", (socks, 1))
    closed = words(await browser.get("/orders/1001"))
    assert "Everything in this order is on its way back to us" in closed
    assert NO_REASON not in closed


@pytest.mark.parametrize("delivered", [None, clock.now() - timedelta(days=3)])
@pytest.mark.parametrize("changes", [{"payments": [], "financial_status": "pending"}, {"cancelled_at": clock.now()}])
async def test_no_closed_order_says_that_no_reason_is_needed(
    browser: Browser, portal: Portal, delivered: object, changes: dict[str, object]
) -> None:
    await portal.order(delivered_at=delivered, **changes)
    await come_in(browser, portal, "1001")
    assert NO_REASON not in words(await browser.get("/orders/1001"))


async def test_after_the_window_no_reason_is_no_promise(browser: Browser, portal: Portal) -> None:
    long_ago = clock.now() - timedelta(days=120)
    await portal.order(placed_at=long_ago, delivered_at=long_ago)
    await come_in(browser, portal, "1001")
    shown = words(await browser.get("/orders/1001"))
    assert "The time for returning this order ended on" in shown
    assert NO_REASON not in shown


async def test_something_else_is_offered_only_while_there_is_something(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES, delivered_at=clock.now() - timedelta(days=3))
    first = await portal.file("1001", (shoes, 1))
    await come_in(browser, portal, "1001")
    assert LINKED in words(await browser.get(f"/returns/{first.rma}"))
    rest = await portal.file("1001", (shoes, 1), (socks, 1))
    for filed in (first, rest):
        assert LINKED not in words(await browser.get(f"/returns/{filed.rma}"))
    await browser.get("/")
    with clock.shifted(timedelta(days=120)):
        await come_in(browser, portal, "1001")
        assert LINKED not in words(await browser.get(f"/returns/{first.rma}"))


async def test_more_than_was_announced_leaves_nothing_else(browser: Browser, portal: Portal) -> None:
    _order, (shoes, socks) = await portal.order(lines=LINES)
    await portal.work()
    filed = await portal.file("1001", (shoes, 2))
    await portal.receive(filed.rma, (shoes, 2, Condition.RESELLABLE), (socks, 1, Condition.RESELLABLE))
    await come_in(browser, portal, "1001")
    shown = words(await browser.get(f"/returns/{filed.rma}"))
    assert LINKED not in shown
    assert "Keep everything" not in shown


async def test_where_to_give_the_account_number_is_said_rightly(browser: Browser, portal: Portal) -> None:
    _order, (shoes,) = await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=32290)])
    filed = await portal.file("1001", (shoes, 1))
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()
    await come_in(browser, portal, "1001")
    shown = words(await browser.get(f"/returns/{filed.rma}"))
    assert "Please give us your account number on this page." in shown
    assert shown.index("Account number for the transfer") < shown.index("Please give us your account number")

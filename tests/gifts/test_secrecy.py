"""What whoever gave a gift would learn by side ways, and does not; and who looks after what they want back."""

import csv
import io
from datetime import timedelta

import pytest

from returns_portal.actor import SYSTEM
from returns_portal.finance.deadlines import due_within
from returns_portal.refunds.withdrawing import Statement, withdraw
from returns_portal.returns.withdrawals import handle_withdrawal
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.claims.things import SHOE
from tests.gifts.people import GIVER, RECEIVER, coded, filed, given, giver, receiver
from tests.portal import Portal
from tests.refunds.samples import paid_by_gateway
from tests.returns.visits import come_in, post, sign_in, words
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


async def test_the_refund_of_the_delivery_does_not_tell_that_the_rest_came_back(
    browser: Browser, portal: Portal
) -> None:
    shoes, socks = await given(portal)
    sent = await filed(portal, await receiver(portal), (socks, 1))
    await portal.receive(sent.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    await come_in(browser, portal, "1001")
    preview = {"step": "preview", "line": str(shoes), f"quantity-{shoes}": "2", "refund_to": "original"}
    said = words(await post(browser, "/orders/1001", preview))
    assert "€259.80" in said
    assert "What you paid for delivery" not in said
    own = await portal.file("1001", (shoes, 2))
    assert own.preview.total == 2 * SHOE
    await portal.receive(own.rma, (shoes, 2, Condition.RESELLABLE))
    await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == 2 * SHOE


async def test_a_return_of_a_gift_that_was_cancelled_holds_the_delivery_back_no_more(portal: Portal) -> None:
    shoes, socks = await given(portal)
    idle = await filed(portal, await receiver(portal), (socks, 1))
    await portal.cancel(idle.rma)
    own = await portal.file("1001", (shoes, 2), (socks, 1))
    assert own.preview.shipping > 0


async def test_number_and_postcode_freeze_nothing_of_an_order_whose_buyer_made_no_gift_code(
    browser: Browser, portal: Portal
) -> None:
    await given(portal)
    clue = {"email": RECEIVER, "number": "1001", "postcode": "1463"}
    without = await post(browser, "/gift", clue)
    assert await portal.rows("SELECT id FROM email") == []
    await coded(portal)
    having = await post(browser, "/gift", clue)
    # Nobody can tell one from the other.
    assert (without.status_code, without.headers["location"]) == (having.status_code, having.headers["location"])
    [mail] = await portal.rows("SELECT recipient FROM email")
    assert mail.recipient == RECEIVER
    browser.cookies.clear()
    assert "If the giver made a gift code" in words(await browser.get("/gift"))


async def test_the_giver_reads_beforehand_what_a_code_means_for_them(browser: Browser, portal: Portal) -> None:
    await given(portal)
    await come_in(browser, portal, "1001")
    said = words(await browser.get("/gift/codes/1001"))
    assert "you can then no longer send back yourself" in said
    assert "worth what you paid" in said


async def stated(portal: Portal) -> None:
    async with portal.begin() as db:
        who = await giver(portal)
        await withdraw(db, who, portal.settings, DEFAULT, Statement("Мария", "1001", GIVER), locale="en")


@pytest.mark.parametrize("everything", [True, False])
async def test_a_withdrawal_that_a_gift_stands_in_the_way_of_is_looked_at_by_a_person(
    browser: Browser, portal: Portal, everything: bool
) -> None:
    shoes, socks = await given(portal)
    wanted = [(shoes, 2), (socks, 1)] if everything else [(socks, 1)]
    await filed(portal, await receiver(portal), *wanted)
    await stated(portal)
    [mail] = await portal.rows("SELECT values FROM email WHERE template = 'withdrawal_received'")
    assert (mail.values["rma"] is None, mail.values["rest"]) == (everything, True)
    await sign_in(browser, portal, "finance@shop.example", "finance")
    assert "a statement that nobody has looked at" in words(await browser.get("/finance/deadlines?days=0"))
    [row] = csv.DictReader(io.StringIO((await browser.get("/finance/deadlines.csv?days=0")).text))
    assert (row["order"], row["waits_for"]) == ("1001", "statement")
    [statement] = await portal.rows("SELECT id FROM withdrawal WHERE handled_at IS NULL")
    async with portal.begin() as db:
        await handle_withdrawal(db, SYSTEM, statement.id)
        assert await due_within(db, SYSTEM, timedelta()) == []

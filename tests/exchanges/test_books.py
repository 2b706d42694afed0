"""The proof of the books knows what can be wrong with exchanges: each thing is broken once, and found."""

from datetime import timedelta
from typing import Final

import pytest

from returns_portal import clock
from returns_portal.finance.books import check_trials
from returns_portal.finance.invariants.exchanges import EXCHANGES
from returns_portal.payments.stripe import StripeGateway
from tests.broken import found_after
from tests.exchanges.samples import boots, called_off, exchanged, paid, sent, shelf, the_one
from tests.portal import Portal
from tests.refunds.samples import LIKE_NEW
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

BREAKS: Final = {
    "unit-exchanged-once": """
        UPDATE exchange SET arrived_at = now(), unit = (SELECT unit FROM exchange WHERE status = 'sent'),
            order_line_id = (SELECT order_line_id FROM exchange WHERE status = 'sent')
        WHERE status = 'awaiting_goods'""",
    "replacement-at-its-cost": "UPDATE exchange SET moved = moved - 1 WHERE status = 'sent'",
    "exchange-held": """
        UPDATE exchange SET moved = 20000, unit = 0, arrived_at = now() WHERE status = 'awaiting_goods'""",
    "difference-is-a-payment": "UPDATE exchange SET to_pay = to_pay + 1, price = price + 1, list_price = price + 1"
    " WHERE status = 'sent'",
    "lent-against-a-hold": "UPDATE exchange SET arrived_at = NULL, moved = 0, moved_tax = 0 WHERE status = 'sent'",
    "difference-back-once": "UPDATE exchange SET paid_back_at = now() WHERE status = 'sent'",
    "ended-is-settled": "UPDATE exchange SET settled_at = NULL WHERE status = 'ended'",
}


async def stories(portal: Portal) -> None:
    """One that was paid for and sent, one that ended after its goods had come, one that waits for goods."""
    await shelf(portal, stock=3)
    for number, sku, ends in (("1", "coat-M", "sent"), ("2", "coat-M", "ended"), ("3", "boot-43", "waits")):
        order, line = await boots(portal, number)
        filed = await exchanged(portal, order.number, line, sku)
        if ends != "waits":
            await paid(portal, await the_one(portal, filed))
            await portal.receive(filed.rma, (line, 1, LIKE_NEW))
            exchange = await the_one(portal, filed)
            await (sent(portal, exchange) if ends == "sent" else called_off(portal, exchange))
    await portal.work()
    await portal.work()


def test_every_invariant_of_exchanges_is_broken_once() -> None:
    assert set(BREAKS) == {invariant.name for invariant in EXCHANGES}


async def test_what_is_broken_is_found(portal: Portal) -> None:
    await stories(portal)
    with clock.shifted(timedelta(hours=2)):
        for name, statement in BREAKS.items():
            assert name in await found_after(portal, statement), name
        assert await found_after(portal, "SELECT 1") == set()


async def test_the_gateway_has_each_difference_once(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await paid(portal, await the_one(portal, filed))
    assert await check_trials(portal.begin, gateway) == []
    [charge] = await portal.rows("SELECT id FROM exchange_charge")
    form = f"amount=4000&currency=eur&metadata[charge_id]={charge.id}&payment_method=pm_card_visa&confirm=true"
    form += "&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never"
    status, answer, _ = sandbox.send("POST", "/v1/payment_intents", form)
    assert status == 200, answer
    found = {breach.invariant for breach in await check_trials(portal.begin, gateway)}
    assert found == {"charge-once", "charge-amount", "charge-taken"}

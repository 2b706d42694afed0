"""Refunds of payments that are not simply a captured card."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.orders.intake import PaymentInput
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from returns_portal.refunds import settling
from returns_portal.vault import Vault
from tests.portal import FINANCE, Portal
from tests.refunds.samples import LIKE_NEW

pytestmark = pytest.mark.anyio


async def test_cash_on_delivery_awaits_a_transfer_and_forgets_the_account(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=32_290)])
    filed = await portal.file(order.number, (line, 2), bank_account="BG80 BNBG 9661 1020 3456 78")
    [stored] = await portal.rows("SELECT bank_account FROM returns")
    assert "BNBG" not in stored.bank_account
    assert portal.settings.secret_key is not None
    vault = Vault(portal.settings.secret_key.get_secret_value())
    assert "BNBG" in vault.open(stored.bank_account)
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.destination, refund.amount) == ("awaiting_transfer", "transfer", 32_290)
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, refund.id, "SEPA-2026-11-22/7")
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await portal.rows("SELECT bank_account FROM returns"))[0].bank_account is None
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await settling.confirm_transfer(db, FINANCE, refund.id, "again")


async def test_a_payment_of_another_account_is_paid_back_by_transfer(portal: Portal) -> None:
    payment = PaymentInput(
        tender=Tender.STRIPE, amount=32_290, reference="pi_elsewhere", imported_reference="pi_elsewhere"
    )
    order, [line] = await portal.order(payments=[payment])
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    await portal.work()
    assert [(r.status, r.destination) for r in await portal.refunds(filed)] == [("awaiting_transfer", "transfer")]


async def test_a_payment_that_could_not_be_looked_up_is_still_owed(portal: Portal) -> None:
    payment = PaymentInput(tender=Tender.STRIPE, amount=32_290, reference="pi_nothing")
    order, [line] = await portal.order(payments=[payment])
    await portal.work()
    assert [row.status for row in await portal.rows("SELECT status FROM payment")] == ["failed"]
    filed = await portal.file(order.number, (line, 2))
    assert filed.preview.total == order.total
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    assert [(r.status, r.amount) for r in await portal.refunds(filed)] == [("planned", order.total)]


async def test_an_unpaid_order_is_not_settled_at_nothing(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[], financial_status=FinancialStatus.PENDING)
    with pytest.raises(ConflictError) as refused:
        await portal.file(order.number, (line, 1))
    assert refused.value.code == "not_paid"


async def test_an_order_that_the_shop_refunded_meanwhile_waits_for_a_person(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.order(cancelled_at=order.placed_at, financial_status=FinancialStatus.REFUNDED)
    released = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    assert [(item.acceptance, released.plan.total) for item in released.items] == [("waiting", 0)]

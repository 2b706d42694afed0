"""A bank transfer is confirmed only where one is awaited: anything else may go out by the gateway as well."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.refunds import settling
from returns_portal.refunds.deciding import decide
from returns_portal.refunds.filing import cancel
from returns_portal.refunds.life import transition
from returns_portal.refunds.lowering import lower
from returns_portal.refunds.models import RefundStatus
from returns_portal.warehouse.queries import waiting_items
from tests.portal import API, FINANCE, Portal
from tests.refunds.samples import DAMAGED, LIKE_NEW, paid_by_gateway

pytestmark = pytest.mark.anyio


async def test_a_refund_on_its_way_to_the_card_is_no_transfer(portal: Portal) -> None:
    order, [line] = await portal.order()
    await portal.work()
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    [refund] = await portal.refunds(filed)
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await settling.confirm_transfer(db, FINANCE, refund.id, "SEPA 1")
    assert refused.value.code == "wrong_status"
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    assert await paid_by_gateway(portal, order.number) == (order.total, 15_900)


ACCOUNT = "BG80 BNBG 9661 1020 3456 78"
CASH = PaymentInput(tender=Tender.EXTERNAL, amount=32_290)


async def accounts(portal: Portal) -> list[bool]:
    return [row.known for row in await portal.rows("SELECT bank_account IS NOT NULL AS known FROM returns")]


async def test_the_account_of_a_cancelled_return_is_forgotten(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[CASH])
    filed = await portal.file(order.number, (line, 2), bank_account=ACCOUNT)
    assert await accounts(portal) == [True]
    async with portal.begin() as db:
        await cancel(db, API, filed.rma)
    assert await accounts(portal) == [False]


async def test_the_account_is_forgotten_where_all_is_sent_back(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[CASH])
    filed = await portal.file(order.number, (line, 2), bank_account=ACCOUNT)
    await portal.receive(filed.rma, (line, 2, DAMAGED))
    for still in (True, False):
        async with portal.begin() as db:
            [item] = await waiting_items(db, FINANCE)
            await decide(db, FINANCE, portal.settings, item.id, "send_back", quantity=1)
        assert await accounts(portal) == [still]


async def test_the_account_is_forgotten_with_the_last_transfer(portal: Portal) -> None:
    order, [line] = await portal.order(payments=[CASH])
    filed = await portal.file(order.number, (line, 2), bank_account=ACCOUNT)
    for number in (1, 2):
        await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=number)
    await portal.work()
    first, second = await portal.refunds(filed)
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, first.id, "SEPA 1")
    assert await accounts(portal) == [True]
    async with portal.begin() as db:
        await transition(db, FINANCE, second.id, RefundStatus.FAILED)
        await lower(db, FINANCE, second.id, 0)
    assert await accounts(portal) == [False]

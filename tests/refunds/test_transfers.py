"""A bank transfer is confirmed only where one is awaited: anything else may go out by the gateway as well."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.refunds import settling
from tests.portal import FINANCE, Portal
from tests.refunds.samples import LIKE_NEW, paid_by_gateway

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

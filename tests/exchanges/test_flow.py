"""From the wish for another size to the parcel that goes out, with the gateway's own account of the money."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.exchanges.models import EndReason, ExchangeStatus
from returns_portal.orders.queries import order_for
from returns_portal.refunds import actions
from returns_portal.refunds.deciding import decide
from returns_portal.returns.models import RefundTo
from tests.exchanges.samples import (
    BOOT,
    boots,
    called_off,
    cards_of,
    exchanged,
    paid,
    sent,
    shelf,
    stock_of,
    the_one,
)
from tests.portal import API, FINANCE, Portal
from tests.refunds.samples import DAMAGED, LIKE_NEW

pytestmark = pytest.mark.anyio

S = ExchangeStatus


async def test_another_size_moves_no_money_and_comes_back_as_anything_else(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    assert (filed.preview.total, filed.preview.legs) == (0, ())
    assert await stock_of(portal, "boot-43") == 0
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.moved, exchange.moved_tax) == (S.TO_SEND, BOOT, 2_650)
    assert await portal.refunds(filed) == []
    exchange = await sent(portal, exchange)
    assert exchange.status == S.SENT
    assert await cards_of(portal, order.number) == [(order.total, 0)]
    assert await portal.mails() == ["return_filed", "checked_in", "exchange_sent"]

    async with portal.begin() as db:
        view = await order_for(db, API, order.number)
    assert [(each.sku, each.returnable) for each in view.lines] == [("boot-42", 0), ("boot-43", 1)]
    again = await portal.file(order.number, (view.lines[1].line_id, 1))
    assert again.preview.total == order.total  # With it everything is back, and so is what the delivery cost.
    await portal.receive(again.rma, (view.lines[1].line_id, 1, LIKE_NEW))
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, order.total)]


async def test_something_cheaper_gives_the_rest_back(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "sandal-42")
    assert filed.preview.total == BOOT - 4_900
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.amount) == ("succeeded", BOOT - 4_900)
    await sent(portal, await the_one(portal, filed))
    assert await cards_of(portal, order.number) == [(order.total, BOOT - 4_900)]


async def test_the_rest_can_be_points(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "sandal-42", to=RefundTo.POINTS)
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await portal.points(order.email) == {"EUR": 11_000 + 1_100}


async def test_something_dearer_is_paid_first_and_then_sent(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.to_pay) == (S.AWAITING_PAYMENT, 4_000)
    await paid(portal, exchange)
    assert (await the_one(portal, filed)).status == S.AWAITING_GOODS
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    exchange = await sent(portal, await the_one(portal, filed))
    assert await cards_of(portal, order.number) == [(order.total, 0), (4_000, 0)]
    async with portal.begin() as db:
        view = await order_for(db, API, order.number)
    coat = view.lines[1]
    back = await portal.file(order.number, (coat.line_id, 1))
    assert back.preview.total == 19_900 + 490
    await portal.receive(back.rma, (coat.line_id, 1, LIKE_NEW))
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, order.total), (4_000, 4_000)]


async def test_goods_that_are_here_wait_for_the_difference(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.arrived_at is not None) == (S.AWAITING_PAYMENT, True)
    with pytest.raises(ConflictError, match="not to be sent"):
        await sent(portal, exchange)
    assert await portal.mails() == ["return_filed", "exchange_to_pay", "checked_in"]
    await paid(portal, exchange, "pm_card_chargeDeclined")
    exchange = await the_one(portal, filed)
    assert exchange.charge is not None
    assert (exchange.charge.status, exchange.status) == ("failed", S.AWAITING_PAYMENT)
    await paid(portal, exchange)
    assert (await the_one(portal, filed)).status == S.TO_SEND


async def test_damaged_goods_are_decided_first(portal: Portal) -> None:
    await shelf(portal, stock=2)
    for number, decision, status in (("1", "accept", S.TO_SEND), ("2", "send_back", S.ENDED)):
        order, line = await boots(portal, number)
        filed = await exchanged(portal, order.number, line, "boot-43")
        await portal.receive(filed.rma, (line, 1, DAMAGED))
        assert (await the_one(portal, filed)).status == S.AWAITING_GOODS
        [item] = await portal.rows(
            "SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE p.return_id = :id", id=filed.id
        )
        async with portal.begin() as db:
            await decide(db, FINANCE, portal.settings, item.id, decision)  # type: ignore[arg-type]  # one of its words
        await portal.work()
        assert (await the_one(portal, filed)).status == status
        assert await portal.refunds(filed) == []
    assert await stock_of(portal, "boot-43") == 1


async def test_a_part_for_what_is_damaged_ends_the_exchange_and_the_difference_goes_back(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await paid(portal, await the_one(portal, filed))
    await portal.receive(filed.rma, (line, 1, DAMAGED))
    [item] = await portal.rows("SELECT id FROM parcel_item")
    async with portal.begin() as db:
        await decide(db, FINANCE, portal.settings, item.id, "part", amount=8_000, reason="Scratched")
    await portal.work()
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.end_reason) == (S.ENDED, EndReason.NOT_AS_EXPECTED)
    assert sum(refunded for _, refunded in await cards_of(portal, order.number)) == 8_000 + 490 + 4_000
    assert await stock_of(portal, "coat-M") == 1


async def test_called_off_after_the_goods_came_everything_goes_back_once(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await paid(portal, await the_one(portal, filed))
    await called_off(portal, await the_one(portal, filed))
    await called_off(portal, await the_one(portal, filed))
    await portal.work()
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, order.total), (4_000, 4_000)]
    assert await stock_of(portal, "coat-M") == 1


async def test_a_cancelled_return_gives_the_stock_back(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    await portal.cancel(filed.rma)
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.end_reason) == (S.ENDED, EndReason.RETURN_CANCELLED)
    assert await stock_of(portal, "boot-43") == 1
    # What arrives all the same is refunded as anything else.
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, order.total)]


async def test_a_check_in_that_is_undone_takes_the_exchange_back_until_it_is_sent(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "sandal-42")
    first = await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=3600)
    async with portal.begin() as db:
        await actions.undo(db, API, first.check_in_id)
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.moved) == (S.AWAITING_GOODS, 0)
    second = await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=3600)
    await sent(portal, await the_one(portal, filed))
    with pytest.raises(ConflictError, match="replacement was sent"):
        async with portal.begin() as db:
            await actions.undo(db, API, second.check_in_id)


async def test_of_several_units_what_comes_first_is_exchanged(portal: Portal) -> None:
    await shelf(portal, stock=2)
    order, line = await boots(portal, quantity=3, tax=7_950)
    filed = await exchanged(portal, order.number, line, "sandal-42", quantity=2)
    more = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.receive(more.rma, (line, 1, LIKE_NEW))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=2)
    await portal.work()
    assert [refund.amount for refund in await portal.refunds(filed)] == [11_000, 11_000]
    assert [refund.amount for refund in await portal.refunds(more)] == [BOOT]

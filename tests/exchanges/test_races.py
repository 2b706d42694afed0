"""The last piece, two clicks, a bank that does not answer, and a worker that dies in between."""

from datetime import UTC, datetime, timedelta

import pytest

from returns_portal.catalog.actions import take_stock
from returns_portal.errors import ConflictError
from returns_portal.exchanges import ending, paying
from returns_portal.exchanges.models import EndReason, ExchangeStatus
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.refunds import exchanges as refunds_of_exchanges
from tests.exchanges.samples import (
    a_boot,
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
from tests.orders.samples import an_order
from tests.portal import API, Portal, at_once
from tests.refunds.samples import LIKE_NEW
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

S = ExchangeStatus


async def test_the_last_piece_goes_to_one_and_the_other_has_filed_nothing(portal: Portal) -> None:
    await shelf(portal)
    (first, one), (second, two) = await boots(portal, "1"), await boots(portal, "2")
    answers = await at_once(
        exchanged(portal, first.number, one, "boot-43"), exchanged(portal, second.number, two, "boot-43")
    )
    [error] = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(error, ConflictError)
    assert (error.code, error.field) == ("out_of_stock", "swaps")
    assert len(await portal.rows("SELECT id FROM returns")) == 1
    assert await stock_of(portal, "boot-43") == 0


async def test_sent_twice_at_once_it_is_one_line(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    exchange = await the_one(portal, filed)
    answers = await at_once(sent(portal, exchange), sent(portal, exchange))
    assert [answer.status for answer in answers] == [S.SENT, S.SENT]
    assert len(await portal.rows("SELECT id FROM order_line")) == 2
    assert (await portal.mails()).count("exchange_sent") == 1


async def test_called_off_while_the_goods_are_counted_nothing_is_lost_or_doubled(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    exchange = await the_one(portal, filed)
    answers = await at_once(portal.receive(filed.rma, (line, 1, LIKE_NEW)), called_off(portal, exchange))
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    await portal.work()
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, order.total)]
    assert await stock_of(portal, "boot-43") == 1


async def test_called_off_while_it_is_sent_one_of_the_two_holds(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    exchange = await the_one(portal, filed)
    answers = await at_once(sent(portal, exchange), called_off(portal, exchange))
    assert len([answer for answer in answers if isinstance(answer, ConflictError)]) == 1
    await portal.work()
    await portal.work()
    left = (await the_one(portal, filed)).status
    assert await cards_of(portal, order.number) == [(order.total, 0 if left == S.SENT else order.total)]


async def test_two_clicks_pay_once(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    exchange = await the_one(portal, await exchanged(portal, order.number, line, "coat-M"))

    async def click() -> None:
        async with portal.begin() as db:
            await paying.pay(db, API, exchange.number, "pm_card_visa")

    await at_once(click(), click())
    await portal.work()
    await click()
    await portal.work()
    assert await cards_of(portal, order.number) == [(order.total, 0), (4_000, 0)]


async def test_an_answer_that_was_lost_is_looked_up_and_nothing_is_paid_twice(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    exchange = await the_one(portal, filed)
    async with portal.begin() as db:
        begun = await paying.pay(db, API, exchange.number, "pm_card_visa")
    assert begun.charge is not None
    charge_id = begun.charge.id
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    with pytest.raises(GatewayUnknownError):
        await paying.charge(portal.context, charge_id)
    sandbox.http.delete("/_sandbox/faults")
    await at_once(paying.charge(portal.context, charge_id), paying.charge(portal.context, charge_id))
    assert (await the_one(portal, filed)).status == S.AWAITING_GOODS
    assert await cards_of(portal, order.number) == [(order.total, 0), (4_000, 0)]


async def test_what_is_paid_after_the_end_goes_back_once(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    exchange = await the_one(portal, filed)
    async with portal.begin() as db:
        begun = await paying.pay(db, API, exchange.number, "pm_card_visa")
    assert begun.charge is not None
    # The bank is asked by a worker that died after it had taken the charge up.
    async with portal.begin() as db:
        await paying._take_up(db, begun.charge.id)
    await called_off(portal, exchange)
    await portal.work()
    await at_once(
        *(refunds_of_exchanges.end_exchange(portal.context, exchange.id) for _ in range(2)),
    )
    await portal.work()
    captured = (await cards_of(portal, order.number))[1:]
    assert captured in ([], [(4_000, 4_000)])


async def test_what_never_comes_ends_and_its_difference_goes_back(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await paid(portal, await the_one(portal, filed))
    await ending.sweep(portal.begin)
    assert (await the_one(portal, filed)).status == S.AWAITING_GOODS
    async with portal.begin() as db:
        later = datetime.now(UTC) - timedelta(minutes=1)
        await db.exec_driver_sql("UPDATE exchange SET reserved_until = %s", (later,))
    await at_once(ending.sweep(portal.begin), ending.sweep(portal.begin))
    await portal.work()
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.end_reason) == (S.ENDED, EndReason.NEVER_CAME)
    assert await cards_of(portal, order.number) == [(order.total, 0), (4_000, 4_000)]
    assert await stock_of(portal, "coat-M") == 1
    assert (await portal.mails()).count("exchange_ended") == 1


async def test_the_shops_system_may_hand_the_order_in_again(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "coat-M")
    await paid(portal, await the_one(portal, filed))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))

    async def handed_in(phone: str) -> str:
        again = OrderInput(**{name: getattr(order, name) for name in order.__struct_fields__} | {"phone": phone})
        async with portal.begin() as db:
            return (await put_order(db, API, portal.settings, again)).outcome

    assert await handed_in("+359 2 000 001") == "updated"
    await sent(portal, await the_one(portal, filed))
    assert await handed_in("+359 2 000 002") == "updated"
    assert len(await portal.rows("SELECT id FROM order_line")) == 2


async def test_what_others_buy_does_not_touch_what_is_set_aside(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    await exchanged(portal, order.number, line, "boot-43")
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await take_stock(db, {"boot-43": 1})
    assert an_order(lines=[a_boot()]).lines[0].sku == "boot-42"

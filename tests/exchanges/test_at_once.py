"""Sent before the goods are back, against a hold: with the gateway's own account of what was held and taken."""

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError
from returns_portal.exchanges.models import EndReason, ExchangeStatus, Outcome
from returns_portal.policies.content import Content
from returns_portal.refunds.deciding import decide
from tests.exchanges.lending import days_later, held, holds_of, lent, replacement
from tests.exchanges.samples import (
    BOOT,
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
from tests.policies.test_postage import promised
from tests.portal import FINANCE, Portal, at_once
from tests.refunds.samples import DAMAGED, LIKE_NEW

pytestmark = pytest.mark.anyio

S = ExchangeStatus
COAT = 19_900
SANDAL = 4_900


async def test_another_size_leaves_at_once_and_the_goods_free_the_card(portal: Portal) -> None:
    filed, line, total = await lent(portal)
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.is_lent, (await replacement(portal, filed))[1]) == (S.SENT, True, 0)
    assert await holds_of(portal, exchange) == [("requires_capture", 0)]
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.outcome, exchange.covered_at is not None) == (Outcome.GOODS, True)
    assert await holds_of(portal, exchange) == [("canceled", 0)]
    assert (await replacement(portal, filed))[1] == BOOT
    assert await cards_of(portal, "1001") == [(total, 0)]
    assert await portal.mails() == ["return_filed", "exchange_sent", "exchange_released", "checked_in"]


async def test_of_something_dearer_the_difference_alone_is_taken(portal: Portal) -> None:
    filed, line, total = await lent(portal, "coat-M")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    exchange = await the_one(portal, filed)
    assert await holds_of(portal, exchange) == [("succeeded", COAT - BOOT)]
    assert (await replacement(portal, filed))[1] == COAT
    assert await cards_of(portal, "1001") == [(total, 0), (COAT - BOOT, 0)]


async def test_of_something_cheaper_the_rest_goes_back(portal: Portal) -> None:
    filed, line, total = await lent(portal, "sandal-42")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await holds_of(portal, await the_one(portal, filed)) == [("canceled", 0)]
    assert await cards_of(portal, "1001") == [(total, BOOT - SANDAL)]
    assert (await replacement(portal, filed))[1] == SANDAL


async def test_what_never_comes_is_charged_and_refunded_when_it_comes_late(portal: Portal) -> None:
    filed, line, total = await lent(portal, "coat-M")
    for day in (6.5, 11.5, 13.2, 13.9995, 15.1):
        await days_later(portal, day)
    exchange = await the_one(portal, filed)
    assert (exchange.outcome, exchange.due) == (Outcome.NEVER_CAME, COAT)
    assert [status for status, _ in await holds_of(portal, exchange)] == ["canceled", "canceled", "succeeded"]
    assert (await portal.mails()).count("exchange_reminder") == 2
    assert (await replacement(portal, filed))[1] == COAT
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert sum(refunded for _, refunded in await cards_of(portal, "1001")) == BOOT
    assert sum(captured for captured, _ in await cards_of(portal, "1001")) == total + COAT


async def test_a_hold_that_is_not_renewed_is_taken_before_it_ends(portal: Portal) -> None:
    filed, _line, _total = await lent(portal)
    async with portal.begin() as db:
        await db.exec_driver_sql("UPDATE exchange_charge SET payment_method = 'pm_card_chargeDeclined'")
    await days_later(portal, 6.5)
    exchange = await the_one(portal, filed)
    assert (exchange.outcome, exchange.covered_at is not None) == (Outcome.HOLD_ENDED, True)
    assert await holds_of(portal, exchange) == [("succeeded", BOOT)]
    assert (await portal.mails())[-1] == "exchange_charged"


async def test_what_was_not_sent_waits_for_the_goods_when_its_hold_is_not_renewed(portal: Portal) -> None:
    filed, line, _total = await held(portal, "coat-M")
    async with portal.begin() as db:
        await db.exec_driver_sql("UPDATE exchange_charge SET payment_method = 'pm_card_chargeDeclined'")
    await days_later(portal, 6.5)
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.at_once) == (S.AWAITING_PAYMENT, False)
    with pytest.raises(ConflictError, match="not to be sent"):
        await sent(portal, exchange)
    await paid(portal, exchange)
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await sent(portal, await the_one(portal, filed))
    assert (await replacement(portal, filed))[1] == COAT
    assert [status for status, _ in await holds_of(portal, exchange)] == ["canceled", "succeeded"]


async def test_goods_that_are_not_accepted_do_not_pay_for_it(portal: Portal) -> None:
    filed, line, total = await lent(portal, "coat-M")
    await portal.receive(filed.rma, (line, 1, DAMAGED))
    [item] = await portal.rows("SELECT id FROM parcel_item")
    async with portal.begin() as db:
        await decide(db, FINANCE, portal.settings, item.id, "part", amount=8_000, reason="Scratched")
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.outcome, exchange.due) == (Outcome.NOT_AS_EXPECTED, COAT)
    cards = await cards_of(portal, "1001")
    assert (sum(taken for taken, _ in cards), sum(back for _, back in cards)) == (total + COAT, 8_000)


async def test_sending_both_back_gives_back_what_was_paid(portal: Portal) -> None:
    """The replacement first, while nothing was paid for it; then the goods themselves."""
    filed, line, total = await lent(portal, "coat-M")
    coat, _cost = await replacement(portal, filed)
    second = await portal.file("1001", (coat, 1))
    assert second.preview.total == 0
    await portal.receive(second.rma, (coat, 1, LIKE_NEW))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    cards = await cards_of(portal, "1001")
    assert sum(taken - back for taken, back in cards) == 0
    assert sum(back for _, back in cards) >= total


async def test_a_replacement_that_comes_back_alone_frees_the_card(portal: Portal) -> None:
    filed, _line, total = await lent(portal)
    new, _cost = await replacement(portal, filed)
    second = await portal.file("1001", (new, 1))
    await portal.receive(second.rma, (new, 1, LIKE_NEW))
    await days_later(portal, 0.2)
    exchange = await the_one(portal, filed)
    assert exchange.outcome == Outcome.GIVEN_BACK
    assert await holds_of(portal, exchange) == [("canceled", 0)]
    assert await cards_of(portal, "1001") == [(total, 0)]
    await portal.receive(filed.rma, (_line, 1, LIKE_NEW))
    await portal.work()
    assert await cards_of(portal, "1001") == [(total, total)]


async def test_called_off_before_it_leaves_nothing_is_held(portal: Portal) -> None:
    filed, line, total = await held(portal, "coat-M")
    before = await the_one(portal, filed)
    answers = await at_once(called_off(portal, before), called_off(portal, before))
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.end_reason) == (S.ENDED, EndReason.CUSTOMER)
    assert await holds_of(portal, exchange) == [("canceled", 0)]
    assert await stock_of(portal, "coat-M") == 2
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await cards_of(portal, "1001") == [(total, total)]


async def test_goods_that_come_first_take_the_difference_before_it_leaves(portal: Portal) -> None:
    filed, line, total = await held(portal, "coat-M")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with pytest.raises(ConflictError) as refused:
        await sent(portal, await the_one(portal, filed))
    assert refused.value.code == "under_way"
    await portal.work()
    exchange = await sent(portal, await the_one(portal, filed))
    assert (exchange.is_lent, (await replacement(portal, filed))[1]) == (False, COAT)
    assert await cards_of(portal, "1001") == [(total, 0), (COAT - BOOT, 0)]


async def test_goods_that_come_before_any_card_make_it_an_exchange_like_others(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43", at_once=True)
    assert (await the_one(portal, filed)).status == S.AWAITING_HOLD
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.at_once) == (S.TO_SEND, False)


async def test_a_refused_card_sends_nothing_and_another_does(portal: Portal) -> None:
    filed, _line, _total = await held(portal, card="pm_card_chargeDeclined")
    exchange = await the_one(portal, filed)
    assert (exchange.status, exchange.charge and exchange.charge.status) == (S.AWAITING_HOLD, "failed")
    answers = await at_once(paid(portal, exchange), paid(portal, exchange))
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    assert (await the_one(portal, filed)).status == S.TO_SEND
    assert [status for status, _ in await holds_of(portal, exchange)].count("requires_capture") == 1


async def test_a_cancelled_return_is_paid_for(portal: Portal) -> None:
    filed, _line, total = await lent(portal)
    await portal.cancel(filed.rma)
    await portal.work()
    exchange = await the_one(portal, filed)
    assert (exchange.outcome, exchange.covered_at is not None) == (Outcome.KEPT, True)
    assert await cards_of(portal, "1001") == [(total, 0), (BOOT, 0)]


async def test_the_shop_may_send_nothing_at_once(portal: Portal) -> None:
    await promised(portal, Content(exchange_days=0))
    await shelf(portal)
    now = clock.now()
    order, [line] = await portal.order(lines=[a_boot()], placed_at=now, delivered_at=now)
    with pytest.raises(ConflictError) as refused:
        await exchanged(portal, order.number, line, "boot-43", at_once=True)
    assert refused.value.code == "not_at_once"
    assert await stock_of(portal, "boot-43") == 1

"""Exchanges beside what else can be: policies, changes after filing, and people who want to be forgotten."""

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError
from returns_portal.policies.content import Conditions, Content, Effects, Rule
from returns_portal.privacy.collecting import everything_of
from returns_portal.privacy.erasing import StillOpenError, erase
from returns_portal.privacy.people import person_of
from returns_portal.refunds.changing import change_destination, change_items
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.exchanges.samples import BOOT, a_boot, boots, called_off, exchanged, paid, sent, shelf, stock_of, the_one
from tests.policies.test_postage import FEE, income, promised
from tests.portal import API, Portal

pytestmark = pytest.mark.anyio
FINE = Condition.RESELLABLE
KEEP = Content(rules=(Rule("Not worth the trip", Conditions(skus=("boot-*",)), Effects(keep_it=True)),))


async def test_of_what_is_exchanged_no_postage_is_kept(portal: Portal) -> None:
    await promised(portal, FEE)
    await shelf(portal)
    now = clock.now()
    order, [line] = await portal.order(lines=[a_boot()], placed_at=now, delivered_at=now)
    made = await exchanged(portal, order.number, line, "boot-43")
    assert (made.preview.total, made.preview.fee) == (0, 0)
    await portal.receive(made.rma, (line, 1, FINE))
    await sent(portal, await the_one(portal, made))
    await portal.work()
    assert await portal.refunds(made) == []
    assert await income(portal) == 0


async def test_money_after_all_pays_the_postage_once(portal: Portal) -> None:
    await promised(portal, FEE)
    await shelf(portal)
    now = clock.now()
    order, [line] = await portal.order(lines=[a_boot()], placed_at=now, delivered_at=now)
    made = await exchanged(portal, order.number, line, "boot-43")
    await portal.receive(made.rma, (line, 1, FINE))
    await called_off(portal, await the_one(portal, made))
    await portal.work()
    await portal.work()
    assert sum(refund.fee for refund in await portal.refunds(made)) == 490
    assert await income(portal) == 490


async def test_of_what_is_kept_nothing_is_exchanged(portal: Portal) -> None:
    await promised(portal, KEEP)
    await shelf(portal)
    now = clock.now()
    order, [line] = await portal.order(lines=[a_boot()], placed_at=now, delivered_at=now)
    with pytest.raises(ConflictError) as refused:
        await exchanged(portal, order.number, line, "boot-43")
    assert refused.value.code == "kept_not_exchangeable"
    assert await stock_of(portal, "boot-43") == 1
    assert await portal.rows("SELECT id FROM returns") == []


async def test_what_is_exchanged_is_not_taken_out_while_that_stands(portal: Portal) -> None:
    await shelf(portal)
    order, [first, second] = await portal.order(
        lines=[a_boot(), a_boot(sku="hat", title="Hat", unit_price=2_000, tax=300)]
    )
    made = await exchanged(portal, order.number, first, "boot-43")
    exchange = await the_one(portal, made)
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await change_items(db, API, DEFAULT, made.rma, [Wanted(second, 1)])
    assert refused.value.code == "exchange_stands"
    assert exchange.number in str(refused.value)
    async with portal.begin() as db:
        assert (await change_items(db, API, DEFAULT, made.rma, [Wanted(first, 1), Wanted(second, 1)])).anew
    [letter] = await portal.rows("SELECT values FROM email WHERE template = 'return_changed'")
    assert [each["number"] for each in letter.values["exchanges"]] == [exchange.number]
    assert letter.values["total"] < BOOT
    await called_off(portal, exchange)
    async with portal.begin() as db:
        assert (await change_items(db, API, DEFAULT, made.rma, [Wanted(second, 1)])).anew
    assert await stock_of(portal, "boot-43") == 1


async def test_a_change_of_mind_leaves_the_exchange(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    made = await exchanged(portal, order.number, line, "sandal-42", to=RefundTo.POINTS)
    async with portal.begin() as db:
        assert await change_destination(db, API, made.rma, RefundTo.ORIGINAL, agreed=False)
    await portal.receive(made.rma, (line, 1, FINE))
    await sent(portal, await the_one(portal, made))
    await portal.work()
    [refund] = await portal.refunds(made)
    assert (refund.destination, refund.amount) == ("original", BOOT - 4_900)


async def test_an_exchange_that_stands_is_told_and_stands_in_the_way_of_forgetting(portal: Portal) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    made = await exchanged(portal, order.number, line, "coat-M")
    exchange = await the_one(portal, made)
    await paid(portal, exchange)
    async with portal.begin() as db:
        person = await person_of(db, order.email)
        [told] = (await everything_of(db, person, DEFAULT)).orders[0].returns[0].exchanges
        assert (told.number, told.paid_on_top, told.tries_to_pay) == (exchange.number, 4_000, ["4000, captured"])
        with pytest.raises(StillOpenError) as refused:
            await erase(db, API, order.email)
    assert exchange.number in {one.number for one in refused.value.found}
    await portal.receive(made.rma, (line, 1, FINE))
    await sent(portal, await the_one(portal, made))
    await portal.work()
    async with portal.begin() as db:
        await erase(db, API, order.email)
    [charge] = await portal.rows("SELECT customer, payment_method, reference FROM exchange_charge")
    assert (charge.customer, charge.payment_method) == (None, None)
    assert charge.reference

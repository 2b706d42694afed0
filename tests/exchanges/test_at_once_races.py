"""Sending at once when answers are lost, when two things happen together, and in any order that things happen in."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.errors import DomainError
from returns_portal.exchanges import deadlines, ending, paying
from returns_portal.exchanges.models import ExchangeStatus
from returns_portal.finance.books import check_trials
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.deciding import decide
from returns_portal.refunds.filing import FiledReturn
from tests.exchanges.lending import days_later, held, holds_of, lent, replacement
from tests.exchanges.samples import BOOT, boots, called_off, cards_of, exchanged, paid, sent, shelf, stock_of, the_one
from tests.portal import API, FINANCE, Portal, at_once
from tests.refunds.samples import DAMAGED, LIKE_NEW
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

S = ExchangeStatus
PRICES = {"boot-43": BOOT, "coat-M": 19_900, "sandal-42": 4_900}
DELIVERY = 490


async def test_a_hold_whose_answer_was_lost_is_looked_up(portal: Portal, sandbox: SandboxProcess) -> None:
    await shelf(portal)
    order, line = await boots(portal)
    filed = await exchanged(portal, order.number, line, "boot-43", at_once=True)
    exchange = await the_one(portal, filed)
    async with portal.begin() as db:
        begun = await paying.pay(db, API, exchange.number, "pm_card_visa")
    assert begun.charge is not None
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    with pytest.raises(GatewayUnknownError):
        await paying.charge(portal.context, begun.charge.id)
    sandbox.http.delete("/_sandbox/faults")
    await at_once(paying.charge(portal.context, begun.charge.id), paying.charge(portal.context, begun.charge.id))
    exchange = await the_one(portal, filed)
    assert exchange.status == S.TO_SEND
    assert await holds_of(portal, exchange) == [("requires_capture", 0)]


async def test_a_capture_whose_answer_was_lost_is_taken_once(portal: Portal, sandbox: SandboxProcess) -> None:
    filed, line, total = await lent(portal, "coat-M")
    hold = (await the_one(portal, filed)).hold
    assert hold is not None
    path = f"/v1/payment_intents/{hold.reference}/capture"
    sandbox.control("faults", kind="drop", method="POST", path=path, times=3)
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with pytest.raises(GatewayUnknownError):
        await paying.charge(portal.context, hold.id)
    exchange = await the_one(portal, filed)
    assert (exchange.covered_at, exchange.hold and exchange.hold.status) == (None, "capturing")
    sandbox.http.delete("/_sandbox/faults")
    await at_once(paying.charge(portal.context, hold.id), paying.charge(portal.context, hold.id))
    await portal.work()
    assert await cards_of(portal, "1001") == [(total, 0), (4_000, 0)]
    assert await check_trials(portal.begin, portal.context.service(StripeGateway)) == []


async def test_goods_that_come_on_the_last_day_are_either_exchanged_or_refunded(portal: Portal) -> None:
    filed, line, total = await lent(portal)
    await days_later(portal, 6.5)
    await days_later(portal, 13)
    with clock.shifted(timedelta(days=15.1)):
        answers = await at_once(portal.receive(filed.rma, (line, 1, LIKE_NEW)), deadlines.look(portal.begin))
        assert not [answer for answer in answers if isinstance(answer, BaseException)]
        await portal.work()
        await portal.work()
    cards = await cards_of(portal, "1001")
    assert sum(taken - back for taken, back in cards) == total


async def test_called_off_while_it_leaves_one_of_the_two_holds(portal: Portal) -> None:
    filed, _line, _total = await held(portal)
    exchange = await the_one(portal, filed)
    answers = await at_once(sent(portal, exchange), called_off(portal, exchange))
    assert len([answer for answer in answers if isinstance(answer, DomainError)]) == 1
    await portal.work()
    exchange = await the_one(portal, filed)
    expected = "requires_capture" if exchange.is_lent else "canceled"
    assert await holds_of(portal, exchange) == [(expected, 0)]
    assert await stock_of(portal, "boot-43") == (1 if exchange.is_lent else 2)


class Story:
    """One exchange that is to be sent at once, to which things happen in any order."""

    def __init__(self, portal: Portal, filed: FiledReturn, line: UUID, sku: str) -> None:
        self.portal, self.filed, self.line, self.sku = portal, filed, line, sku
        self.day = 0.0
        self.goods_back = self.replacement_back = False

    async def _exchange_paid(self, card: str) -> None:
        await paid(self.portal, await the_one(self.portal, self.filed), card)

    async def card(self) -> None:
        await self._exchange_paid("pm_card_visa")

    async def bad_card(self) -> None:
        await self._exchange_paid("pm_card_chargeDeclined")

    async def worn_card(self) -> None:
        async with self.portal.begin() as db:
            await db.exec_driver_sql("UPDATE exchange_charge SET payment_method = 'pm_card_chargeDeclined'")

    async def send(self) -> None:
        await sent(self.portal, await the_one(self.portal, self.filed))

    async def call_off(self) -> None:
        await called_off(self.portal, await the_one(self.portal, self.filed))

    async def later(self) -> None:
        async with self.portal.begin() as db:
            await ending.send_later(db, API, (await the_one(self.portal, self.filed)).number)

    async def cancel(self) -> None:
        await self.portal.cancel(self.filed.rma)

    async def arrives(self) -> None:
        if not self.goods_back:
            await self.portal.receive(self.filed.rma, (self.line, 1, LIKE_NEW))
            self.goods_back = True

    async def arrives_worn(self) -> None:
        if self.goods_back:
            return
        await self.portal.receive(self.filed.rma, (self.line, 1, DAMAGED))
        query = "SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id WHERE p.return_id = :id"
        [item] = await self.portal.rows(query, id=self.filed.id)
        async with self.portal.begin() as db:
            await decide(db, FINANCE, self.portal.settings, item.id, "accept")
        self.goods_back = True

    async def gives_back(self) -> None:
        if (await the_one(self.portal, self.filed)).status is S.SENT and not self.replacement_back:
            new, _cost = await replacement(self.portal, self.filed)
            second = await self.portal.file("1001", (new, 1))
            await self.portal.receive(second.rma, (new, 1, LIKE_NEW))
            self.replacement_back = True

    async def days(self) -> None:
        self.day += 5
        await days_later(self.portal, self.day)

    async def quiet(self) -> None:
        """A few weeks later, when everything is over that can be."""
        for _week in range(9):
            async with self.portal.begin() as db:
                # The queue looks at the database's clock, which nobody has moved.
                await db.exec_driver_sql("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
            await self.days()

    async def owed(self) -> int:
        """What the customer has, or is being sent, and so is to have paid in the end."""
        kept = 0 if self.goods_back else BOOT
        exchange = await the_one(self.portal, self.filed)
        if exchange.status in {S.SENT, S.TO_SEND} and not self.replacement_back:
            kept += PRICES[self.sku]
        return kept + DELIVERY if kept else 0


@pytest.mark.parametrize("seed", range(8))
async def test_in_any_order_the_customer_pays_for_what_they_have(portal: Portal, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    sku = chance.choice(sorted(PRICES))
    await shelf(portal)
    order, line = await boots(portal)
    story = Story(portal, await exchanged(portal, order.number, line, sku, at_once=True), line, sku)
    likely: list[Callable[[], Awaitable[None]]] = [story.card, story.send, story.days, story.arrives, story.gives_back]
    seldom = [story.bad_card, story.worn_card, story.call_off, story.later, story.cancel, story.arrives_worn]
    for _step in range(7):
        event = chance.choice([*likely * 2, *seldom])
        with clock.shifted(timedelta(days=story.day)):
            try:
                await event()
            except DomainError:
                continue
            await portal.work()
    await story.quiet()
    exchange = await the_one(portal, story.filed)
    cards = await cards_of(portal, order.number)
    assert sum(taken - back for taken, back in cards) == await story.owed(), (sku, exchange.status, exchange.outcome)
    assert (exchange.hold, exchange.is_lent) == (None, False)
    assert exchange.outcome is None or exchange.covered_at

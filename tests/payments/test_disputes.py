"""Disputes: read from the sandbox, held against refunds of the same payment, booked; never paid back twice."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError
from returns_portal.jobs import registry
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import disputed, failed, settling
from returns_portal.refunds.disputed import read
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.queries import balance_of
from returns_portal.returns.models import RefundTo
from tests.payments.webhooks import Events, dashboard_refund, kept
from tests.portal import FINANCE, Portal, at_once
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio


class Bank:
    """The customer's bank."""

    def __init__(self, portal: Portal, sandbox: SandboxProcess) -> None:
        self.portal = portal
        self.sandbox = sandbox
        self.id = ""

    async def dispute(self, *, amount: int | None = None, inquiry: bool = False, tell: bool = True) -> dict[str, Any]:
        """Dispute the order's payment, which was made before."""
        [payment] = await self.portal.rows("SELECT reference FROM payment WHERE tender = 'stripe'")
        made = self.sandbox.control("disputes", payment_intent=payment.reference, amount=amount, inquiry=inquiry)
        self.id = made["id"]
        if tell:
            await self.told()
        return made

    async def settle(self, status: str) -> None:
        """Decide, or look at it."""
        self.sandbox.control(f"disputes/{self.id}/settle", status=status)
        await self.told()

    async def told(self) -> None:
        """Read the dispute, as an event about it makes the portal do."""
        await read(self.portal.context, self.id)


@pytest.fixture
def bank(portal: Portal, sandbox: SandboxProcess) -> Bank:
    return Bank(portal, sandbox)


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Events]:
    with kept(sandbox) as events:
        yield events


async def ledger(portal: Portal) -> dict[str, int]:
    rows = await portal.rows(
        "SELECT account, sum(amount) AS amount FROM ledger_entry GROUP BY 1 HAVING sum(amount) <> 0"
    )
    return {row.account: int(row.amount) for row in rows}


async def standing(portal: Portal) -> list[tuple[str, bool]]:
    rows = await portal.rows("SELECT status, held_at IS NOT NULL AS held FROM refund ORDER BY created_at, id")
    return [(row.status, row.held) for row in rows]


async def test_what_the_gateway_says_is_read(bank: Bank, portal: Portal, gateway: StripeGateway) -> None:
    order, _lines = await portal.order()
    await portal.work()
    made = await bank.dispute(amount=5_000, tell=False)
    [found] = await gateway.find_disputes(made["payment_intent"])
    assert found == await gateway.read_dispute(made["id"])
    assert (found.status, found.amount, found.withdrawn, found.currency) == ("needs_response", 5_000, 5_000, "EUR")
    assert found.evidence_due_by is not None
    assert found.evidence_due_by > found.created
    listed = [each.id async for each in gateway.list_disputes(found.created - timedelta(seconds=1))]
    assert found.id in listed
    assert (await gateway.read_charge(found.charge)).disputed
    assert order.total > 5_000


async def test_an_open_dispute_holds_what_is_planned_and_won_lets_it_go(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await bank.dispute()
    assert await standing(portal) == [("planned", True)]
    assert await ledger(portal) == {
        "disputes_open": order.total,
        "gateway_clearing": -order.total,
        "sales_returns": 15_900,
        "refunds_payable": -15_900,
    }
    # Neither when it is due, nor when somebody looks for what was left behind.
    await portal.work()
    with clock.shifted(timedelta(minutes=10)):
        await settling.poll(portal.context)
    await portal.work()
    assert await standing(portal) == [("planned", True)]
    await bank.settle("under_review")
    assert await standing(portal) == [("planned", True)]
    await bank.settle("won")
    assert await standing(portal) == [("planned", False)]
    assert await ledger(portal) == {"sales_returns": 15_900, "refunds_payable": -15_900}
    await portal.work()
    assert await standing(portal) == [("succeeded", False)]
    assert (await paid_by_gateway(portal, order.number))[1] == 15_900


async def test_what_comes_back_during_a_dispute_waits_too(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    await bank.dispute(inquiry=True)
    assert await ledger(portal) == {}
    released = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    # The dispute does not lower what the goods are worth: it may be won.
    assert released.plan.total == order.total
    await portal.work()
    assert await standing(portal) == [("planned", True)]
    await bank.settle("warning_closed")
    await portal.work()
    assert await standing(portal) == [("succeeded", False)]


async def test_points_for_a_disputed_payment_wait_as_money_does(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1), to=RefundTo.POINTS)
    await portal.work()
    await bank.dispute()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await standing(portal) == [("planned", True)]
    assert await portal.points(order.email) == {}


async def test_lost_stops_what_no_longer_fits_and_lets_the_rest_go(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=2)
    await bank.dispute(amount=16_390)
    await bank.settle("lost")
    assert await standing(portal) == [("planned", False), ("failed", False)]
    assert (await portal.refunds(filed))[1].failure_reason == "nothing_left"
    assert await ledger(portal) == {
        "dispute_losses": 16_390,
        "gateway_clearing": -16_390,
        "sales_returns": order.total,
        "refunds_payable": -order.total,
    }
    assert await portal.mails() == ["return_filed", "checked_in", "checked_in"]
    # The gateway refuses refunds of a charge that was charged back, and then it is finance's turn.
    await portal.work()
    assert [r.failure_reason for r in await portal.refunds(filed)] == ["charge_disputed", "nothing_left"]
    [first, second] = await portal.refunds(filed)
    async with portal.begin() as db:
        with pytest.raises(ConflictError):
            await failed.try_again(db, FINANCE, second.id)
        await failed.take_transfer(db, FINANCE, first.id)
    await portal.work()
    assert await standing(portal) == [("awaiting_transfer", False), ("failed", False)]


async def test_what_was_lost_is_not_there_to_be_refunded(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await bank.dispute()
    await bank.settle("lost")
    released = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    assert released.plan.total == 0
    [payment] = await portal.rows("SELECT order_id FROM payment")
    async with portal.begin() as db:
        assert [tender.left for tender in (await balance_of(db, payment.order_id)).tenders] == [0]


async def test_a_refund_before_the_dispute_stands_beside_it(bank: Bank, portal: Portal) -> None:
    """Nobody could know: the bank takes what is left, and the books say both."""
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    await bank.dispute()
    await bank.settle("lost")
    assert await ledger(portal) == {
        "sales_returns": 15_900,
        "dispute_losses": order.total - 15_900,
        "gateway_clearing": -order.total,
    }
    assert await standing(portal) == [("succeeded", False)]


@pytest.mark.parametrize("dispute_first", [True, False])
async def test_refund_and_dispute_at_once_are_in_some_order(bank: Bank, portal: Portal, dispute_first: bool) -> None:
    """Whichever is first, the books are in order and the gateway has paid at most one of the two."""
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.work()
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    [refund] = await portal.refunds(filed)
    await bank.dispute(inquiry=True, tell=False)
    submits = [settling.submit(portal.context, refund.id) for _ in range(5)]
    told = [bank.told() for _ in range(5)]
    answers = await at_once(*(told + submits if dispute_first else submits + told))
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    # Of two that ask in the same moment, the gateway may tell one that it is busy with the other: the job asks again.
    assert [error for error in failed if not isinstance(error, GatewayUnknownError)] == []
    if failed:
        await settling.submit(portal.context, refund.id)
    [(status, held)] = await standing(portal)
    assert (status, held) in {("planned", True), ("succeeded", False)}
    refunded = (await paid_by_gateway(portal, order.number))[1]
    assert refunded == (order.total if status == "succeeded" else 0)


async def test_a_dispute_that_is_being_written_is_waited_for(
    bank: Bank, portal: Portal, gateway: StripeGateway
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    [refund] = await portal.refunds(filed)
    answer = await gateway.read_dispute((await bank.dispute(inquiry=True, tell=False))["id"])
    async with portal.begin() as db:
        assert await disputed.record(db, answer, seen=0)
        sending = asyncio.create_task(settling.submit(portal.context, refund.id))
        await asyncio.sleep(0.3)
        assert not sending.done()
    await sending
    assert await standing(portal) == [("planned", True)]
    async with portal.begin() as db:
        # What was read before that is older than what stands there now.
        assert not await disputed.record(db, answer, seen=0)


async def test_a_refund_that_is_being_set_going_is_older_than_the_dispute(bank: Bank, portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    [refund] = await portal.refunds(filed)
    await bank.dispute(inquiry=True, tell=False)
    async with portal.begin() as db:
        await transition(db, SYSTEM, refund.id, RefundStatus.SUBMITTING)
        reading = asyncio.create_task(bank.told())
        await asyncio.sleep(0.3)
        assert not reading.done()
    await reading
    assert await standing(portal) == [("submitting", False)]
    await settling.submit(portal.context, refund.id)
    assert await standing(portal) == [("succeeded", False)]


async def test_a_dispute_of_another_sale_is_not_ours(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    elsewhere = await gateway.create_sandbox_payment(key=f"sale:{id(portal)}", amount=100, currency="EUR", metadata={})
    made = sandbox.control("disputes", payment_intent=elsewhere.id)
    await read(portal.context, made["id"])
    assert await portal.rows("SELECT 1 FROM dispute") == []


@pytest.mark.usefixtures("events")
async def test_events_and_sweeps_find_disputes(bank: Bank, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    await bank.dispute(tell=False)
    await registry["payments.poll_events"].handler(portal.context)
    await portal.work()
    assert [row.status for row in await portal.rows("SELECT status FROM dispute")] == ["needs_response"]
    bank.sandbox.control(f"disputes/{bank.id}/settle", status="won")
    await registry["refunds.sweep_disputes"].handler(portal.context)
    await portal.work()
    assert [row.status for row in await portal.rows("SELECT status FROM dispute")] == ["won"]


async def test_a_dispute_that_nobody_told_of_is_swept_up(bank: Bank, portal: Portal) -> None:
    await portal.order()
    await portal.work()
    await bank.dispute(tell=False)
    await registry["refunds.sweep_disputes"].handler(portal.context)
    await portal.work()
    assert [row.gateway_id for row in await portal.rows("SELECT gateway_id FROM dispute")] == [bank.id]


async def test_a_payment_that_is_disputed_when_it_becomes_known(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    paid = await gateway.create_sandbox_payment(key=f"old:{id(portal)}", amount=32_290, currency="EUR", metadata={})
    dashboard_refund(sandbox, paid.id, 290)
    sandbox.control("disputes", payment_intent=paid.id, inquiry=True)
    order, [line] = await portal.order(payments=[PaymentInput(tender=Tender.STRIPE, amount=32_290, reference=paid.id)])
    await portal.work()
    [payment] = await portal.rows("SELECT status, refunded_before, refunds_before FROM payment")
    assert (payment.status, payment.refunded_before, len(payment.refunds_before)) == ("captured", 290, 1)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await registry["refunds.sweep"].handler(portal.context)
    await portal.work()
    assert await standing(portal) == [("planned", True)]

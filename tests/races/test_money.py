"""What moves the same money at once, from several processes: in some order, and never more than there is."""

import asyncio
from uuid import UUID

import pytest

from returns_portal.db import run
from returns_portal.orders.intake import OrderInput
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import failed, reading
from tests.faults.worker import go_on, queue_of
from tests.portal import FINANCE, Portal
from tests.races import calls
from tests.races.herd import Asked, Herd
from tests.races.test_one_wins import race
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio
ORDERS = 8


async def reference(portal: Portal, number: str) -> str:
    [row] = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :number", number=number
    )
    return str(row.reference)


async def ordered(portal: Portal, number: str) -> tuple[OrderInput, UUID]:
    """An order of one line."""
    order, [line] = await portal.order(number=number)
    return order, line


async def test_part_and_part_and_all_of_it(portal: Portal, herd: Herd) -> None:
    """Two parts and the whole are given at once; whatever comes first, no more goes back than was paid."""
    asked: list[Asked] = []
    for number in map(str, range(ORDERS)):
        order, _lines = await portal.order(number=number)
        asked += [(calls.gift, (number, amount)) for amount in (10_000, 12_290, order.total)]
    await portal.work()
    answers = await race(herd, portal, asked)
    assert answers.total() == 3 * ORDERS
    assert answers[f"gave {order.total}"] + answers["gave 10000"] == ORDERS
    assert answers["gave 10000"] == answers["gave 12290"]
    assert answers["more_than_left"] == 2 * answers[f"gave {order.total}"] + answers["gave 10000"]
    assert await race(herd, portal, [(calls.work, ())] * 4) == {"worked": 4}
    for number in map(str, range(ORDERS)):
        assert (await paid_by_gateway(portal, number))[1] in {order.total, 22_290}


async def test_parts_that_are_sent_at_once_with_one_in_the_dashboard(
    portal: Portal, herd: Herd, sandbox: SandboxProcess
) -> None:
    """Two parcels and the dashboard together want more than there is; the gateway takes what fits."""
    lines = [await ordered(portal, number) for number in map(str, range(ORDERS))]
    await portal.work()
    for order, line in lines:
        for parcel in (1, 2):
            filed = await portal.file(order.number, (line, 1))
            await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=parcel)
    refunds = await portal.rows("SELECT id FROM refund")
    asked = [(calls.submit, (row.id,)) for row in refunds] * 2
    paid = [await reference(portal, number) for number in map(str, range(ORDERS))]
    racing = asyncio.create_task(race(herd, portal, asked))
    elsewhere = [await asyncio.to_thread(sandbox.send, "POST", "/v1/refunds", _form(payment)) for payment in paid]
    answers = await racing
    assert answers == {"submitted": len(asked)}
    for payment in paid:
        for refund in await portal.context.service(StripeGateway).find_refunds(payment):
            await reading.read(portal.context, "refund", refund.id)
    assert {status for status, _, _ in elsewhere} <= {200, 400}
    gone = 0
    for number in map(str, range(ORDERS)):
        captured, refunded = await paid_by_gateway(portal, number)
        [row] = await portal.rows(
            "SELECT sum(f.amount) FILTER (WHERE f.status = 'succeeded') AS gone, count(*) AS rows FROM refund f"
            " JOIN orders o ON o.id = f.order_id WHERE o.number = :number",
            number=number,
        )
        assert refunded == row.gone <= captured == order.total
        gone += row.rows
    assert gone == len(refunds) + sum(status == 200 for status, _, _ in elsewhere)


def _form(payment: str) -> str:
    return f"payment_intent={payment}&amount=10000"


@pytest.mark.parametrize("dispute_first", [True, False])
@pytest.mark.parametrize("inquiry", [True, False])
async def test_a_refund_and_a_dispute(
    portal: Portal, herd: Herd, sandbox: SandboxProcess, dispute_first: bool, inquiry: bool
) -> None:
    """A dispute that one process hears of while others send the refund: before it, or held by it, never after it."""
    refunds, disputes, numbers = [], [], [str(number) for number in range(ORDERS)]
    lines = [await ordered(portal, number) for number in numbers]
    # Before anything is to be refunded: this does every job that is due.
    await portal.work()
    for order, line in lines:
        filed = await portal.file(order.number, (line, 2))
        await portal.receive(filed.rma, (line, 2, LIKE_NEW))
        refunds += [refund.id for refund in await portal.refunds(filed)]
        made = sandbox.control("disputes", payment_intent=await reference(portal, order.number), inquiry=inquiry)
        disputes.append(made["id"])
    asked: list[Asked] = []
    for place, (refund, dispute) in enumerate(zip(refunds, disputes, strict=True)):
        # The first are sent behind their disputes, the last before, and those in the midst while theirs is written.
        known = ORDERS - place if dispute_first else 0
        asked += [(calls.read_dispute, (dispute,)), (calls.submit, (refund, known))] * 2
    answers = await race(herd, portal, asked)
    assert answers == {"submitted": 2 * ORDERS, "read": 2 * ORDERS}
    for number in numbers:
        [row] = await portal.rows(
            "SELECT f.status, f.held_at IS NOT NULL AS held, d.withdrawn, f.submitted_at > d.recorded_at AS sent_after"
            " FROM refund f JOIN dispute d ON d.payment_id = f.payment_id JOIN orders o ON o.id = f.order_id"
            " WHERE o.number = :number",
            number=number,
        )
        captured, refunded = await paid_by_gateway(portal, number)
        assert refunded + row.withdrawn <= captured == order.total
        assert not row.sent_after
        # The gateway itself refuses to refund what the bank has taken, but not what it only asks about.
        sent = ("succeeded", False, order.total) if inquiry else ("failed", False, 0)
        assert (row.status, row.held, refunded) in {("planned", True, 0), sent}


@pytest.mark.parametrize("stalls", ["before", "after"])
@pytest.mark.parametrize("tried_again", [False, True])
async def test_a_worker_that_was_taken_for_dead(
    portal: Portal, herd: Herd, sandbox: SandboxProcess, stalls: str, tried_again: bool
) -> None:
    """Its process stood still while it sent a refund; another did its job meanwhile, and then it goes on."""
    order, [line] = await portal.order()
    await portal.work()
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with herd.stalled(portal._url, portal.settings, (calls.work, (stalls,))) as answered:
        assert await portal.statuses(filed) == ["submitting"]
        await taken_over(portal)
        assert await portal.statuses(filed) == ["succeeded"]
        if tried_again:
            await came_back(portal, sandbox, filed.id)
    assert answered == ["worked"]
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.amount) == ("succeeded", 15_900)
    assert await paid_by_gateway(portal, order.number) == (order.total, 15_900)
    made = await portal.context.service(StripeGateway).find_refunds(await reference(portal, order.number))
    attempts = 2 if tried_again else 1
    assert sorted((each.our_id or "").partition(":")[2] for each in made) == [str(n + 1) for n in range(attempts)]
    assert refund.gateway_id == next(each.id for each in made if each.status == "succeeded")


async def taken_over(portal: Portal) -> None:
    """As the sweep does it: the worker has given no sign of life, so its job is put back, and done here."""
    async with portal.begin() as db:
        await run(db, "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'")
    await go_on(queue_of(portal._url, portal.context))


async def came_back(portal: Portal, sandbox: SandboxProcess, return_id: object) -> None:
    """The bank sent it back, and finance wants it tried again; what the first worker will tell is of the first try."""
    [row] = await portal.rows("SELECT id, gateway_id FROM refund WHERE return_id = :id", id=return_id)
    sandbox.control(f"refunds/{row.gateway_id}/settle", status="failed")
    await reading.read(portal.context, "refund", row.gateway_id)
    async with portal.begin() as db:
        await failed.try_again(db, FINANCE, row.id)

"""What goes wrong between the portal and the gateway, and what happens at once."""

import pytest

from returns_portal.errors import ConflictError
from returns_portal.jobs import registry
from returns_portal.orders.intake import LineInput
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import failed, settling
from tests.portal import FINANCE, Portal, at_once
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio


async def test_an_answer_that_is_lost_is_found_again_and_not_sent_twice(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", times=3)
    await portal.work()
    assert await portal.statuses(filed) == ["unknown"]
    [refund] = await portal.refunds(filed)
    await settling.submit(portal.context, refund.id)
    assert await portal.statuses(filed) == ["succeeded"]
    assert await paid_by_gateway(portal, order.number) == (order.total, 15_900)


async def test_a_refund_that_fails_later_is_reversed_and_can_be_tried_again(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    sandbox.control("refund-outcomes", status="succeeded", then="failed", after=0.1)
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert refund.status == "succeeded"
    assert refund.gateway_id is not None
    sandbox.settled(refund.gateway_id, "failed")
    gateway = portal.context.service(StripeGateway)
    await settling.record(portal.context, refund.id, await gateway.read_refund(refund.gateway_id))
    assert await portal.statuses(filed) == ["failed"]
    async with portal.begin() as db:
        await failed.try_again(db, FINANCE, refund.id)
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    assert await portal.mails() == ["return_filed", "checked_in", "refunded", "refund_failed", "refunded"]
    # What came of the first attempt is known, and not read again with each sweep.
    await registry["refunds.sweep"].handler(portal.context)
    assert not await portal.rows("SELECT FROM procrastinate_jobs WHERE task_name = 'refunds.read_refund'")


async def test_fifty_at_once_lead_to_one(portal: Portal) -> None:
    order, [line] = await portal.order(lines=[LineInput(sku="A", title="Derby", quantity=1, unit_price=10_000)])

    filed = await at_once(*(portal.file(order.number, (line, 1)) for _ in range(50)))
    [won] = [answer for answer in filed if not isinstance(answer, BaseException)]
    assert {type(answer) for answer in filed if answer is not won} == {ConflictError}
    received = await at_once(*(portal.receive(won.rma, (line, 1, LIKE_NEW)) for _ in range(50)))
    assert [isinstance(answer, ConflictError) for answer in received].count(False) == 1
    await portal.work()
    [refund] = await portal.refunds(won)
    await at_once(*(settling.submit(portal.context, refund.id) for _ in range(20)))
    assert await portal.statuses(won) == ["succeeded"]
    assert (await paid_by_gateway(portal, order.number))[1] == 10_490


async def test_two_returns_of_the_last_unit_cannot_both_be_paid(portal: Portal) -> None:
    order, [line] = await portal.order()
    first = await portal.file(order.number, (line, 1))
    second = await portal.file(order.number, (line, 1))
    await at_once(portal.receive(first.rma, (line, 2, LIKE_NEW)), portal.receive(second.rma, (line, 2, LIKE_NEW)))
    await portal.work()
    await portal.work()
    paid = [r.amount for filed in (first, second) for r in await portal.refunds(filed)]
    assert sum(paid) == order.total
    assert (await paid_by_gateway(portal, order.number))[1] == order.total

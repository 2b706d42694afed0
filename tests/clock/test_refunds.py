"""The clock is set a day forwards or back between any two steps of a refund: it happens once, and the books agree."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from returns_portal import clock
from returns_portal.errors import ConflictError
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import actions, settling
from returns_portal.refunds.filing import FiledReturn
from tests.portal import API, Portal
from tests.refunds.samples import LIKE_NEW, paid_by_gateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def received(portal: Portal, delay: int = 0) -> tuple[str, FiledReturn, actions.Released]:
    """One of two units has come back: the order's number, its return, and what was released."""
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    await portal.work()
    return order.number, filed, await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=delay)


async def undo(portal: Portal, released: actions.Released) -> None:
    async with portal.begin() as db:
        await actions.undo(db, API, released.check_in_id)


async def attempt(portal: Portal, released: actions.Released) -> None:
    """As the worker does it; what nobody knows is tried again."""
    for _ in range(2):
        try:
            await settling.submit(portal.context, released.refund_ids[0])
        except GatewayUnknownError:
            continue


@pytest.mark.parametrize("days", [(1, 0, -1, 0), (0, 1, -1, 1), (-1, 1, 0, -1), (1, -1, 1, -1)])
async def test_every_step_on_another_day(portal: Portal, sandbox: SandboxProcess, days: tuple[int, ...]) -> None:
    filing, receiving, sending, ending = (timedelta(days=number) for number in days)
    order, [line] = await portal.order()
    await portal.work()
    with clock.shifted(filing):
        filed = await portal.file(order.number, (line, 1))
    with clock.shifted(receiving):
        released = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    sandbox.control("refund-outcomes", status="pending", then="succeeded", after=0.05)
    with clock.shifted(sending):
        await settling.submit(portal.context, released.refund_ids[0])
    if sending < receiving:
        # By this clock it is not due before tomorrow.
        assert await portal.statuses(filed) == ["planned"]
        with clock.shifted(receiving):
            await settling.submit(portal.context, released.refund_ids[0])
    assert await portal.statuses(filed) == ["pending"]
    [refund] = await portal.refunds(filed)
    assert refund.gateway_id is not None
    sandbox.settled(refund.gateway_id, "succeeded")
    with clock.shifted(ending):
        await settling.poll(portal.context)
        await attempt(portal, released)
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await paid_by_gateway(portal, order.number))[1] == 15_900


async def queued(portal: Portal) -> list[Any]:
    """When the queue will look at the refund again, in seconds from now by the database's clock."""
    return [
        float(row.seconds)
        for row in await portal.rows(
            "SELECT extract(epoch FROM scheduled_at - now()) AS seconds FROM procrastinate_jobs"
            " WHERE task_name = 'refunds.submit' AND status = 'todo'"
        )
    ]


async def test_a_database_whose_clock_is_ahead_does_not_have_it_tried_without_end(portal: Portal) -> None:
    _, filed, released = await received(portal)
    with clock.shifted(-DAY):
        async with asyncio.timeout(20):
            await portal.work()
        assert await portal.statuses(filed) == ["planned"]
        [seconds] = await queued(portal)
        assert 30 < seconds <= 60
    await settling.submit(portal.context, released.refund_ids[0])
    assert await portal.statuses(filed) == ["succeeded"]


async def test_what_waits_for_a_day_that_went_by_at_once_is_not_forgotten(portal: Portal) -> None:
    """It was released while our clock was ahead, and the job is to come tomorrow: then our clock says tomorrow."""
    with clock.shifted(DAY):
        _, filed, _ = await received(portal)
        await portal.work()
        assert await portal.statuses(filed) == ["planned"]
    with clock.shifted(DAY + timedelta(minutes=6)):
        await settling.poll(portal.context)
        await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]


async def test_what_was_sent_cannot_be_undone_by_setting_the_clock_back(portal: Portal) -> None:
    number, filed, released = await received(portal)
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]
    with clock.shifted(-DAY):
        with pytest.raises(ConflictError) as refused:
            await undo(portal, released)
        assert refused.value.code == "refund_due"
        await portal.work()
    assert (await paid_by_gateway(portal, number))[1] == 15_900


async def test_what_was_undone_stays_undone_when_the_clock_goes_forwards(portal: Portal) -> None:
    number, filed, released = await received(portal, delay=60)
    with clock.shifted(DAY):
        with pytest.raises(ConflictError) as refused:
            await undo(portal, released)
        assert refused.value.code == "refund_due"
    with clock.shifted(-DAY):
        await undo(portal, released)
    with clock.shifted(DAY):
        await settling.submit(portal.context, released.refund_ids[0])
        await settling.poll(portal.context)
        await portal.work()
    assert await portal.statuses(filed) == ["canceled"]
    assert (await paid_by_gateway(portal, number))[1] == 0


@pytest.mark.parametrize("acts", [True, False])
async def test_after_a_day_the_gateway_is_asked_before_anything_is_sent_again(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway, acts: bool
) -> None:
    """By then the gateway may have forgotten the key, under which the same request would be another refund."""
    number, filed, released = await received(portal)
    kind = {"kind": "drop", "times": 3} if acts else {"kind": "error", "acts": False}
    sandbox.control("faults", method="POST", path="/v1/refunds", **kind)
    # Once, and not by the queue: on a slow machine its second try would come due, and find the refund.
    with suppress(GatewayUnknownError):
        await settling.submit(portal.context, released.refund_ids[0])
    assert await portal.statuses(filed) == ["unknown"]
    sandbox.control("keys/forget", older_than_hours=0)
    with clock.shifted(DAY + timedelta(hours=1)):
        await attempt(portal, released)
    [refund] = await portal.refunds(filed)
    assert refund.status == "succeeded"
    [row] = await portal.rows(
        "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n", n=number
    )
    [made] = await gateway.find_refunds(row.reference)
    assert (made.id, made.amount) == (refund.gateway_id, 15_900)
    assert made.our_id == f"{refund.id}:1"


async def test_an_unknown_outcome_is_asked_for_whatever_the_clock_says(portal: Portal, sandbox: SandboxProcess) -> None:
    number, filed, released = await received(portal)
    sandbox.control("faults", kind="drop", method="POST", path="/v1/refunds", times=3)
    with clock.shifted(DAY):
        await attempt(portal, released)
    with clock.shifted(-DAY):
        await attempt(portal, released)
    assert await portal.statuses(filed) == ["succeeded"]
    assert (await paid_by_gateway(portal, number))[1] == 15_900

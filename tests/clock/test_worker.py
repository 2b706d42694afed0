"""The machine slept for a day: to one another, all workers look dead. None stops, and nothing is done twice."""

import pytest

from returns_portal import jobs
from returns_portal.payments.stripe import StripeGateway
from tests.portal import Portal
from tests.refunds.samples import LIKE_NEW
from tests.sandboxes import SandboxProcess
from tests.workers import until, working

pytestmark = pytest.mark.anyio

# The clock by which heartbeats are judged is the database's; a day that it jumps is a day that they are older.
SLEEP = "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 day' RETURNING id"


async def test_a_day_that_went_by_in_a_moment(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "SWEEP_SECONDS", 0.5)
    first, [line] = await portal.order(number="1")
    second, [other] = await portal.order(number="2")
    await portal.work()
    refunds = [await portal.file(first.number, (line, 1)), await portal.file(second.number, (other, 1))]
    sandbox.control("faults", kind="slow", method="POST", path="/v1/refunds", seconds=1.5)
    async with working(portal), working(portal):
        await portal.receive(refunds[0].rma, (line, 1, LIKE_NEW))
        await until(portal, "SELECT FROM refund WHERE status = 'submitting'")
        assert len(await portal.rows(SLEEP)) == 2
        # A third one comes, takes over what the others are doing, and strikes them off the list.
        async with working(portal):
            await until(portal, "SELECT FROM procrastinate_workers HAVING count(*) = 1")
            await until(portal, "SELECT FROM refund WHERE status = 'succeeded'")
            await portal.receive(refunds[1].rma, (other, 1, LIKE_NEW))
            await until(portal, "SELECT FROM refund HAVING count(*) FILTER (WHERE status = 'succeeded') = 2")
        # Those who were struck off work on: alone again, they still take what comes.
        await portal.receive(refunds[0].rma, (line, 1, LIKE_NEW), number=2)
        await until(portal, "SELECT FROM refund HAVING count(*) FILTER (WHERE status = 'succeeded') = 3")
        await until(portal, "SELECT WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'doing')")
    rows = await portal.rows("SELECT reference FROM payment ORDER BY created_at")
    assert [len(await gateway.find_refunds(row.reference)) for row in rows] == [2, 1]

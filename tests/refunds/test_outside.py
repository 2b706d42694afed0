"""Refunds that somebody made in the gateway's dashboard: found, booked, counted, and never paid once more."""

from collections.abc import Iterator
from typing import Any

import pytest

from returns_portal.jobs import registry
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds import reading
from returns_portal.refunds.outside import UnderWayError, take
from returns_portal.refunds.queries import balance_of
from returns_portal.returns.models import RefundTo
from tests.payments.webhooks import Events, dashboard_refund, kept
from tests.portal import Portal, at_once
from tests.refunds.samples import LIKE_NEW
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Events]:
    with kept(sandbox) as events:
        yield events


async def reference_of(portal: Portal) -> str:
    """Make the order's payment in the sandbox, and give Stripe's id of it."""
    await portal.work()
    [payment] = await portal.rows("SELECT reference FROM payment WHERE tender = 'stripe'")
    return str(payment.reference)


async def told(portal: Portal, refund: dict[str, Any]) -> None:
    """Read a refund of the gateway's, as an event about it makes the portal do."""
    await reading.read(portal.context, "refund", refund["id"])


async def outside(portal: Portal) -> list[tuple[str, int]]:
    rows = await portal.rows("SELECT status, amount FROM refund WHERE kind = 'outside' ORDER BY created_at")
    return [(row.status, row.amount) for row in rows]


async def ledger(portal: Portal) -> dict[str, int]:
    rows = await portal.rows(
        "SELECT account, sum(amount) AS amount FROM ledger_entry GROUP BY 1 HAVING sum(amount) <> 0"
    )
    return {row.account: int(row.amount) for row in rows}


async def test_it_is_booked_once_and_lowers_what_is_left(portal: Portal, sandbox: SandboxProcess) -> None:
    order, [line] = await portal.order()
    refund = dashboard_refund(sandbox, await reference_of(portal), 2_290, reason="requested_by_customer")
    await told(portal, refund)
    await told(portal, refund)
    assert await outside(portal) == [("succeeded", 2_290)]
    assert await ledger(portal) == {"sales_returns": 2_290, "gateway_clearing": -2_290}
    [row] = await portal.rows("SELECT gateway_id, gateway_reference, reason, destination FROM refund")
    assert (row.gateway_id, row.reason, row.destination) == (refund["id"], "requested_by_customer", "original")
    assert row.gateway_reference
    assert await portal.mails() == []
    async with portal.begin() as db:
        [payment] = await portal.rows("SELECT order_id FROM payment")
        balance = await balance_of(db, payment.order_id)
    assert [tender.left for tender in balance.tenders] == [order.total - 2_290]
    assert [len(each.free) for each in balance.lines] == [2]
    # Both pairs come back, and all that is left goes back: the last cent, and no more.
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    assert [(r.status, r.amount) for r in await portal.refunds(filed)] == [("succeeded", order.total - 2_290)]
    assert sandbox.send("GET", f"/v1/charges/{refund['charge']}")[1]["refunded"] is True


@pytest.mark.usefixtures("events")
async def test_an_event_and_the_sweep_find_it_too(portal: Portal, sandbox: SandboxProcess) -> None:
    await portal.order()
    reference = await reference_of(portal)
    first = dashboard_refund(sandbox, reference, 1_000)
    await registry["refunds.sweep"].handler(portal.context)
    await portal.work()
    assert await outside(portal) == [("succeeded", 1_000)]
    second = dashboard_refund(sandbox, reference, 500)
    await registry["payments.poll_events"].handler(portal.context)
    await portal.work()
    assert await outside(portal) == [("succeeded", 1_000), ("succeeded", 500)]
    rows = await portal.rows("SELECT object_id, found_by, handled_at FROM gateway_event WHERE type = 'refund.created'")
    mine = [row for row in rows if row.object_id in (first["id"], second["id"])]
    assert [(row.found_by, row.handled_at is not None) for row in mine] == [("poll", True), ("poll", True)]


async def test_two_at_once_find_it_once(portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway) -> None:
    await portal.order()
    refund = dashboard_refund(sandbox, await reference_of(portal), 700)
    read = await gateway.read_refund(refund["id"])
    await at_once(*(take(portal.context, read) for _ in range(20)))
    assert await outside(portal) == [("succeeded", 700)]


async def test_what_went_back_before_the_import_is_not_counted_again(portal: Portal, sandbox: SandboxProcess) -> None:
    payment = PaymentInput(tender=Tender.STRIPE, amount=32_290, refunded_before=5_000)
    await portal.order(payments=[payment])
    reference = await reference_of(portal)
    _, page, _ = sandbox.send("GET", "/v1/refunds", f"payment_intent={reference}")
    [before] = page["data"]
    assert before["amount"] == 5_000
    await told(portal, before)
    assert await outside(portal) == []
    await told(portal, dashboard_refund(sandbox, reference, 300))
    assert await outside(portal) == [("succeeded", 300)]


async def test_other_sales_of_the_account_are_not_ours(
    portal: Portal, sandbox: SandboxProcess, gateway: StripeGateway
) -> None:
    elsewhere = await gateway.create_sandbox_payment(
        key=f"other:{id(portal)}", amount=1000, currency="EUR", metadata={}
    )
    await told(portal, dashboard_refund(sandbox, elsewhere.id, 1000))
    assert await outside(portal) == []


async def test_a_planned_refund_that_no_longer_fits_is_stopped_and_shown(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    order, [line] = await portal.order()
    reference = await reference_of(portal)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=60)
    await told(portal, dashboard_refund(sandbox, reference, 20_000))
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.failure_reason) == ("failed", "nothing_left")
    assert await portal.mails() == ["return_filed", "checked_in"]
    assert await ledger(portal) == {
        "sales_returns": 20_000 + 15_900,
        "gateway_clearing": -20_000,
        "refunds_payable": -15_900,
    }


async def test_a_planned_refund_that_still_fits_goes_on(portal: Portal, sandbox: SandboxProcess) -> None:
    order, [line] = await portal.order()
    reference = await reference_of(portal)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await told(portal, dashboard_refund(sandbox, reference, order.total - 15_900))
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded"]


async def test_one_that_fails_later_is_reversed(portal: Portal, sandbox: SandboxProcess) -> None:
    await portal.order()
    reference = await reference_of(portal)
    sandbox.control("refund-outcomes", status="succeeded", then="failed", after=0.1)
    refund = dashboard_refund(sandbox, reference, 900)
    await told(portal, refund)
    assert await ledger(portal) == {"sales_returns": 900, "gateway_clearing": -900}
    sandbox.settled(refund["id"], "failed")
    await told(portal, refund)
    assert await outside(portal) == [("failed", 900)]
    assert await ledger(portal) == {"sales_returns": 900, "refunds_payable": -900}
    assert await portal.mails() == []


async def test_while_one_of_ours_is_being_sent_it_waits(portal: Portal, sandbox: SandboxProcess) -> None:
    """Nobody knows of ours; then the dashboard's takes nearly all, so that ours is refused."""
    order, [line] = await portal.order()
    reference = await reference_of(portal)
    filed = await portal.file(order.number, (line, 1))
    sandbox.control("faults", kind="rate_limit", method="POST", path="/v1/refunds")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    assert await portal.statuses(filed) == ["unknown"]
    refund = dashboard_refund(sandbox, reference, order.total - 100)
    with pytest.raises(UnderWayError):
        await told(portal, refund)
    assert await outside(portal) == []
    [ours] = await portal.refunds(filed)
    await registry["refunds.submit"].handler(portal.context, refund_id=str(ours.id))
    assert await portal.statuses(filed) == ["failed"]
    await told(portal, refund)
    assert await outside(portal) == [("succeeded", order.total - 100)]


async def test_points_and_the_dashboard_together_are_more_than_was_paid_and_stand_in_the_books(
    portal: Portal, sandbox: SandboxProcess
) -> None:
    """The gateway knows nothing of points: what it paid is booked all the same, and finance is told."""
    order, [line] = await portal.order()
    reference = await reference_of(portal)
    filed = await portal.file(order.number, (line, 2), to=RefundTo.POINTS)
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    await told(portal, dashboard_refund(sandbox, reference, 1_000))
    assert await outside(portal) == [("succeeded", 1_000)]


async def test_a_refund_of_ours_is_never_taken_for_another(portal: Portal, sandbox: SandboxProcess) -> None:
    order, [line] = await portal.order()
    await reference_of(portal)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert refund.gateway_id
    # Somebody in the dashboard took our id off it.
    sandbox.send("POST", f"/v1/refunds/{refund.gateway_id}", "metadata[refund_id]=")
    await reading.read(portal.context, "refund", refund.gateway_id)
    await registry["refunds.sweep"].handler(portal.context)
    await portal.work()
    assert await outside(portal) == []

"""Fifty at once, from several processes: what can happen once happens once, and all others are told so."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from pydantic import SecretStr

from returns_portal.actor import SYSTEM
from returns_portal.orders.intake import LineInput
from returns_portal.points import adjusting
from returns_portal.points.actions import lock_account
from returns_portal.refunds.goodwill import Gesture, give
from returns_portal.shop.actions import update_shop
from returns_portal.shop.queries import DEFAULT
from tests.payments.webhooks import SECRET, Events, dashboard_refund, kept
from tests.portal import FINANCE, Portal
from tests.races import calls
from tests.races.herd import Asked, Herd
from tests.refunds.samples import paid_by_gateway
from tests.sandboxes import SandboxProcess

pytestmark = pytest.mark.anyio
MANY = 50


async def race(herd: Herd, portal: Portal, asked: Sequence[Asked]) -> Counter[str]:
    return await asyncio.to_thread(herd.at_once, portal._url, portal.settings, asked)


@pytest.fixture
def events(sandbox: SandboxProcess) -> Iterator[Events]:
    with kept(sandbox) as events:
        yield events


async def test_approvals_of_a_gift(portal: Portal, herd: Herd) -> None:
    order, _lines = await portal.order()
    await portal.work()
    async with portal.begin() as db:
        wish = Gesture(order_number=order.number, reason="It came late.", amount=DEFAULT.goodwill_limit + 1)
        given = await give(db, calls.SUPPORT, portal.settings, DEFAULT, wish)
    assert given.decision == "waiting"
    answers = await race(herd, portal, [(calls.approve, (given.id,))] * MANY)
    assert answers == {"approved": 1, "already_decided": MANY - 1}
    assert await race(herd, portal, [(calls.work, ())] * 4) == {"worked": 4}
    assert [row.status for row in await portal.rows("SELECT status FROM refund")] == ["succeeded"]
    assert await paid_by_gateway(portal, order.number) == (order.total, DEFAULT.goodwill_limit + 1)


async def test_redemptions_of_one_balance(portal: Portal, herd: Herd) -> None:
    async with portal.begin() as db:
        await update_shop(db, SYSTEM, points_limit=10**6)
    async with portal.begin() as db:
        account = await lock_account(db, "ana@example.com")
        await adjusting.request(db, FINANCE, account, "EUR", 1_000, "A birthday.")
    # Written in two ways, it is one address.
    asked = [(calls.hold, ("ana@example.com" if place % 2 else "Ana@Example.com", 99)) for place in range(MANY)]
    assert await race(herd, portal, asked) == {"held": 10, "too_few_points": MANY - 10}
    assert await portal.points("ana@example.com") == {"EUR": 10}


async def test_check_ins_of_one_parcel(portal: Portal, herd: Herd) -> None:
    order, [line] = await portal.order()
    await portal.work()
    filed = await portal.file(order.number, (line, 2))
    asked = [(calls.check_in, (filed.rma, line, 1 + place % 2)) for place in range(MANY)]
    assert await race(herd, portal, asked) == {"counted": 1, "already_checked_in": MANY - 1}
    await race(herd, portal, [(calls.work, ())] * 4)
    [item] = await portal.rows("SELECT quantity FROM parcel_item")
    [refund] = await portal.refunds(filed)
    assert refund.amount == {1: 15_900, 2: order.total}[item.quantity]
    assert await paid_by_gateway(portal, order.number) == (order.total, refund.amount)


async def test_parcels_of_two_returns_with_the_last_unit(portal: Portal, herd: Herd) -> None:
    """Both count two where each announced one; the order has two in all."""
    order, [line] = await portal.order(lines=[LineInput(sku="A", title="Derby", quantity=2, unit_price=10_000)])
    await portal.work()
    returns = [await portal.file(order.number, (line, 1)) for _ in range(2)]
    answers = await race(herd, portal, [(calls.check_in, (filed.rma, line, 2)) for filed in returns] * 10)
    assert answers == {"counted": 2, "already_checked_in": 18}
    await race(herd, portal, [(calls.work, ())] * 4)
    items = await portal.rows("SELECT acceptance, quantity FROM parcel_item ORDER BY acceptance")
    assert [tuple(item) for item in items] == [("accepted", 2), ("surplus", 2)]
    assert await paid_by_gateway(portal, order.number) == (order.total, order.total)


async def test_deliveries_of_one_event(portal: Portal, herd: Herd, sandbox: SandboxProcess, events: Events) -> None:
    refund = await refunded_elsewhere(portal, sandbox)
    event = events.of(refund)[0]["id"]
    answers = await delivered(portal, herd, [events.signed(event)] * MANY)
    assert answers == {"200": MANY}
    stored = await portal.rows("SELECT event_id FROM gateway_event WHERE found_by = 'webhook'")
    jobs = await portal.rows("SELECT id FROM procrastinate_jobs WHERE task_name = 'refunds.read_event'")
    assert ([row.event_id for row in stored], len(jobs)) == ([event], 1)


async def test_different_events_of_one_refund(
    portal: Portal, herd: Herd, sandbox: SandboxProcess, events: Events
) -> None:
    """It was made, and failed, in the dashboard; everything is told at once, each several times, and done by four."""
    refund = await refunded_elsewhere(portal, sandbox)
    sandbox.control(f"refunds/{refund}/settle", status="failed")
    [payment] = await portal.rows("SELECT reference FROM payment")
    charge = sandbox.send("GET", f"/v1/payment_intents/{payment.reference}")[1]["latest_charge"]
    told = [event["id"] for event in events.of(refund, charge)]
    assert len(told) >= 5
    signed = [events.signed(event) for event in told]
    answers = await delivered(portal, herd, (signed * MANY)[:MANY])
    assert answers == {"200": MANY}
    stored = await portal.rows("SELECT event_id FROM gateway_event WHERE found_by = 'webhook'")
    assert sorted(row.event_id for row in stored) == sorted(told)
    assert await race(herd, portal, [(calls.work, ())] * 4) == {"worked": 4}
    [row] = await portal.rows("SELECT kind, status, amount, gateway_id FROM refund")
    assert tuple(row) == ("outside", "failed", 5_000, refund)
    assert await portal.rows("SELECT id FROM gateway_event WHERE handled_at IS NULL") == []
    assert await portal.rows("SELECT id FROM procrastinate_jobs") == []


async def refunded_elsewhere(portal: Portal, sandbox: SandboxProcess) -> str:
    await portal.order()
    await portal.work()
    [payment] = await portal.rows("SELECT reference FROM payment")
    return str(dashboard_refund(sandbox, payment.reference, 5_000)["id"])


async def delivered(portal: Portal, herd: Herd, signed: list[tuple[bytes, str]]) -> Counter[str]:
    settings = portal.settings.model_copy(update={"stripe_webhook_secret": SecretStr(SECRET)})
    return await asyncio.to_thread(herd.at_once, portal._url, settings, [(calls.deliver, pair) for pair in signed])

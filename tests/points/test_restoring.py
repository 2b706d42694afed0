"""Points that paid for what comes back: as points, with the expiry that they had, and never as money."""

from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError, InvalidError
from returns_portal.payments.models import Tender
from returns_portal.points.rules import RESTORED_FOR
from returns_portal.refunds import settling
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.returns.models import RefundTo
from tests.points.purse import ANA, LIKE_NEW, NOW, balance, buy, capture, expiring, give, hold, send_back
from tests.portal import FINANCE, Portal

pytestmark = pytest.mark.anyio

CARD, POINTS = Tender.STRIPE, Tender.POINTS


async def test_points_come_back_with_their_own_expiry_unit_by_unit(portal: Portal) -> None:
    await give(portal, 300, months=6)
    await give(portal, 700, months=8)
    [first, second] = [moment for _, moment in await expiring(portal)]
    held = await hold(portal, 1_000)
    await capture(portal, held.id, order="77")
    order, line = await buy(portal, "77", (POINTS, 1_000), units=4)
    await send_back(portal, order.number, line, 1)
    # What lasts longest comes back first.
    assert await expiring(portal) == [(250, second)]
    await send_back(portal, order.number, line, 2)
    assert await expiring(portal) == [(50, first), (700, second)]
    await send_back(portal, order.number, line, 1)
    assert await expiring(portal) == [(300, first), (700, second)]
    assert [row.bonus for row in await portal.rows("SELECT bonus FROM refund")] == [0, 0, 0]


async def test_what_expired_meanwhile_lasts_another_month(portal: Portal) -> None:
    await give(portal, 1_000, months=1)
    held = await hold(portal, 1_000, order_number="77")
    await capture(portal, held.id)
    order, line = await buy(portal, "77", (POINTS, 1_000), units=1)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    [(refund_id,)] = await portal.rows("SELECT id FROM refund")
    moment = clock.now() + timedelta(days=60)
    with clock.at(moment):
        await settling.submit(portal.context, refund_id)
    assert await expiring(portal) == [(1_000, moment + RESTORED_FOR)]


async def test_points_and_card_come_back_as_they_came_even_when_points_are_wanted(portal: Portal) -> None:
    await give(portal, 1_000)
    await capture(portal, (await hold(portal, 1_000, order_number="77")).id)
    order, line = await buy(portal, "77", (POINTS, 1_000), (CARD, 9_000), units=1)
    await portal.work()
    await send_back(portal, order.number, line, 1, to=RefundTo.POINTS)
    rows = await portal.rows("SELECT kind, granted, remaining FROM points_lot WHERE kind <> 'adjusted' ORDER BY kind")
    assert [tuple(row) for row in rows] == [("bonus", 900, 900), ("refund", 9_000, 9_000), ("restored", 1_000, 1_000)]
    assert (await balance(portal)).points == 10_900


async def test_points_spent_elsewhere_come_back_as_new_ones(portal: Portal) -> None:
    await give(portal, 5, months=12)
    with clock.at(NOW):
        order, line = await buy(portal, "77", (POINTS, 1_000), units=1)
    await send_back(portal, order.number, line, 1)
    found = await expiring(portal)
    assert sum(count for count, _ in found) == 1_005
    assert all(moment is not None for _, moment in found)


async def test_another_customers_redemption_of_that_number_is_left_alone(portal: Portal) -> None:
    await give(portal, 400, email="eva@example.com", months=3)
    await capture(portal, (await hold(portal, 400, email="eva@example.com", order_number="77")).id)
    order, line = await buy(portal, "77", (POINTS, 400), units=1)
    await send_back(portal, order.number, line, 1)
    assert (await balance(portal)).points == 400
    assert (await balance(portal, "eva@example.com")).points == 0
    assert await portal.rows("SELECT 1 FROM points_lot WHERE origin_id IS NOT NULL") == []


async def test_no_way_leads_from_points_to_money(portal: Portal) -> None:
    await give(portal, 1_000)
    await capture(portal, (await hold(portal, 1_000, order_number="77")).id)
    order, line = await buy(portal, "77", (POINTS, 1_000), units=1)
    # Neither to the card, nor by transfer: whatever is asked for, it is points.
    filed = await portal.file(order.number, (line, 1), to=RefundTo.ORIGINAL, bank_account="BG80 BNBG 9661 1020 3456 78")
    await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    [refund] = await portal.refunds(filed)
    assert (refund.status, refund.destination) == ("succeeded", "points")
    # What was credited cannot be taken back as a failed refund, to be paid another way.
    for status in (RefundStatus.FAILED, RefundStatus.CANCELED, RefundStatus.AWAITING_TRANSFER):
        with pytest.raises(ConflictError):
            async with portal.begin() as db:
                await transition(db, SYSTEM, refund.id, status)
    with pytest.raises((ConflictError, InvalidError)):
        async with portal.begin() as db:
            await settling.confirm_transfer(db, FINANCE, refund.id, "SEPA 1")
    money = await portal.rows("SELECT 1 FROM ledger_entry WHERE account IN ('gateway_clearing', 'bank_clearing')")
    assert money == []
    assert await portal.points(ANA) == {"EUR": 1_000}

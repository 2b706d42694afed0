"""What purchases earn, and what goes back with the goods."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError
from returns_portal.payments.models import Tender
from returns_portal.points import earning
from returns_portal.refunds import settling
from returns_portal.returns.models import RefundTo
from tests.points.purse import ANA, LIKE_NEW, balance, buy, capture, expiring, give, hold, policy, send_back
from tests.portal import FINANCE, Portal, at_once

pytestmark = pytest.mark.anyio

CARD, POINTS, CASH = Tender.STRIPE, Tender.POINTS, Tender.EXTERNAL


async def points(portal: Portal, email: str = ANA) -> int:
    return (await portal.points(email)).get("EUR", 0)


async def expense(portal: Portal) -> int:
    [(amount,)] = await portal.rows(
        "SELECT CAST(coalesce(sum(amount), 0) AS int) FROM ledger_entry WHERE account = 'points_expense'"
    )
    return int(amount)


async def test_a_shop_without_a_rate_is_not_slowed_down(portal: Portal) -> None:
    await policy(portal, points_rate=0)
    await buy(portal, "1", (CASH, 10_000))
    assert await portal.rows("SELECT 1 FROM procrastinate_jobs WHERE task_name = 'points.settle'") == []


async def test_money_earns_and_points_do_not(portal: Portal) -> None:
    await policy(portal, points_rate=30, points_months=12)
    await buy(portal, "1", (CARD, 8_000), (POINTS, 1_000), (CASH, 1_000))
    await portal.work()
    assert await points(portal) == 270
    [(count, expires_at)] = await expiring(portal)
    assert count == 270
    assert expires_at is not None
    assert timedelta(days=364) < expires_at - clock.now() < timedelta(days=368)
    assert await expense(portal) == 270


async def test_it_earns_once(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    order, _ = await buy(portal, "1", (CASH, 10_000))
    await portal.work()
    [(order_id,)] = await portal.rows("SELECT id FROM orders")

    async def again() -> None:
        async with portal.begin() as db:
            await earning.settle(db, SYSTEM, order_id)

    assert await at_once(*(again() for _ in range(20))) == [None] * 20
    await buy(portal, "1", (CASH, 10_000), placed_at=order.placed_at, phone="+359 1")
    await portal.work()
    assert await points(portal) == 300


async def test_history_earns_nothing(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    await buy(portal, "1", (CASH, 10_000), placed_at=datetime(2026, 1, 1, tzinfo=UTC))
    await portal.work()
    assert await portal.points(ANA) == {}
    await policy(portal, points_since="2025-12-31T00:00:00Z")
    await buy(portal, "2", (CASH, 10_000), placed_at=datetime(2026, 1, 1, tzinfo=UTC))
    await portal.work()
    assert await points(portal) == 300


async def test_it_earns_when_it_is_paid(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    moment = clock.now()
    await buy(portal, "1", (CASH, 10_000), placed_at=moment, paid=False)
    await portal.work()
    assert await portal.points(ANA) == {}
    await buy(portal, "1", (CASH, 10_000), placed_at=moment)
    await portal.work()
    assert await points(portal) == 300


async def test_a_cancelled_order_takes_its_points_back(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    order, _ = await buy(portal, "1", (CASH, 10_000))
    await portal.work()
    held = await hold(portal, 100)
    await capture(portal, held.id)
    for _ in range(2):
        await buy(portal, "1", (CASH, 10_000), placed_at=order.placed_at, cancelled_at=clock.now())
        await portal.work()
    assert await points(portal) == 0
    # 200 of 300 were there to be taken; the others are the shop's expense.
    assert await expense(portal) == 100


@pytest.mark.parametrize(("after", "earned"), [(492, 49), (2_490, 249), (4_000, 400), (9, 0)])
async def test_an_order_that_costs_something_else_has_earned_on_that(portal: Portal, after: int, earned: int) -> None:
    await policy(portal, points_rate=100)
    order, _ = await buy(portal, "1", (CASH, 2_490), units=1)
    await portal.work()
    assert await points(portal) == 249
    for _ in range(2):
        await buy(portal, "1", (CASH, after), units=1, placed_at=order.placed_at)
        await portal.work()
    assert await points(portal) == earned
    for again in (5_000, 2_490):
        await buy(portal, "1", (CASH, again), units=1, placed_at=order.placed_at)
        await portal.work()
        assert await points(portal) == again // 10
    await send_back(portal, "1", (await lines_of(portal))[0], 1)
    [(refund_id,)] = await portal.rows("SELECT id FROM refund")
    async with portal.begin() as db:
        await settling.confirm_transfer(db, FINANCE, refund_id, "SEPA 1")
    assert await points(portal) == 0


async def lines_of(portal: Portal) -> list[UUID]:
    return [row.id for row in await portal.rows("SELECT id FROM order_line")]


async def test_an_order_that_costs_less_keeps_to_the_rate_of_then(portal: Portal) -> None:
    await policy(portal, points_rate=100)
    order, _ = await buy(portal, "1", (CASH, 2_000))
    await portal.work()
    await policy(portal, points_rate=10)
    await buy(portal, "1", (CASH, 1_000), placed_at=order.placed_at)
    await portal.work()
    assert await points(portal) == 100
    await buy(portal, "1", (CASH, 1_000), placed_at=order.placed_at, phone="+359 1")
    await portal.work()
    assert await points(portal) == 100


async def test_of_points_that_are_spent_only_the_rest_goes_when_the_order_costs_less(portal: Portal) -> None:
    await policy(portal, points_rate=100)
    order, _ = await buy(portal, "1", (CASH, 2_000))
    await portal.work()
    await capture(portal, (await hold(portal, 120)).id)
    await buy(portal, "1", (CASH, 1_000), placed_at=order.placed_at)
    await portal.work()
    assert await points(portal) == 0
    assert await expense(portal) == 120
    await buy(portal, "1", (CASH, 3_000), placed_at=order.placed_at)
    await portal.work()
    assert await points(portal) == 0


async def test_an_order_that_has_earned_keeps_its_currency(portal: Portal) -> None:
    await policy(portal, points_rate=100)
    order, _ = await buy(portal, "1", (CASH, 2_000))
    await portal.work()
    with pytest.raises(ConflictError) as caught:
        await buy(portal, "1", (CASH, 2_000), placed_at=order.placed_at, currency="JPY")
    assert (caught.value.code, caught.value.field) == ("order_frozen", "currency")


async def test_goods_that_come_back_take_their_share(portal: Portal) -> None:
    await policy(portal, points_rate=33)
    order, line = await buy(portal, "1", (CARD, 9_999), units=3)
    await portal.work()
    left = [await points(portal)]
    for _ in range(3):
        await send_back(portal, order.number, line, 1)
        left.append(await points(portal))
    assert left == [329, 220, 110, 0]
    assert await expense(portal) == 0


async def test_who_has_spent_them_still_gets_all_the_money(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    order, line = await buy(portal, "1", (CARD, 10_000))
    await portal.work()
    await capture(portal, (await hold(portal, 250)).id)
    await send_back(portal, order.number, line, 2)
    [(status, amount)] = await portal.rows("SELECT status, amount FROM refund")
    assert (status, amount) == ("succeeded", 10_000)
    assert await points(portal) == 0
    assert await expense(portal) == 250
    [(due, taken)] = await portal.rows("SELECT due, taken FROM points_clawback")
    assert (due, taken) == (300, 50)


async def test_money_taken_as_points_is_never_clawed_back(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    order, line = await buy(portal, "1", (CARD, 10_000))
    await portal.work()
    await capture(portal, (await hold(portal, 300)).id)
    await send_back(portal, order.number, line, 1, to=RefundTo.POINTS)
    assert await points(portal) == 5_500
    await send_back(portal, order.number, line, 1, to=RefundTo.POINTS)
    # The second half's claw-back finds the first's bonus, which was given; the refunds themselves stay whole.
    assert await points(portal) == 5_500 + 5_500 - 150
    assert await portal.rows("SELECT 1 FROM points_lot WHERE kind = 'refund' AND remaining < granted") == []


async def test_its_own_points_go_first(portal: Portal) -> None:
    await policy(portal, points_rate=30)
    await give(portal, 1_000)
    order, line = await buy(portal, "1", (CARD, 10_000))
    await portal.work()
    await send_back(portal, order.number, line, 2)
    remaining = await portal.rows("SELECT kind, remaining FROM points_lot ORDER BY kind")
    assert [tuple(row) for row in remaining] == [("adjusted", 1_000), ("earned", 0)]


async def test_an_order_that_earns_after_it_was_refunded_gives_what_is_left(portal: Portal) -> None:
    """The job came late: the worker was down, and the goods were faster."""
    order, line = await buy(portal, "1", (CARD, 10_000))
    await portal.work()
    await send_back(portal, order.number, line, 1)
    await policy(portal, points_rate=30, points_since="2026-01-01T00:00:00Z")
    [(order_id,)] = await portal.rows("SELECT id FROM orders")

    async def settle(identity: UUID) -> None:
        async with portal.begin() as db:
            await earning.settle(db, SYSTEM, identity)

    await settle(order_id)
    assert await points(portal) == 150


async def test_two_payments_refunded_at_once_take_what_one_would(portal: Portal) -> None:
    await policy(portal, points_rate=33)
    order, line = await buy(portal, "1", (CARD, 5_001), (CARD, 4_999))
    await portal.work()
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    ids = [row.id for row in await portal.rows("SELECT id FROM refund")]
    assert len(ids) == 2
    await at_once(*(settling.submit(portal.context, refund_id) for refund_id in ids for _ in range(3)))
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded", "succeeded"]
    assert (await balance(portal)).points == 0
    [(due,)] = await portal.rows("SELECT CAST(sum(due) AS int) FROM points_clawback")
    assert due == 330

"""What comes back of a trial can be ordered again: once, whatever is clicked, and only what is as good as new."""

import pytest
from sqlalchemy import text

from returns_portal.actor import Actor
from returns_portal.jobs import defer
from returns_portal.refunds import actions, deciding
from returns_portal.tryon.models import Mode
from returns_portal.tryon.restocking import restock
from returns_portal.warehouse.items import send_to
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.portal import API, Portal, at_once
from tests.tryon.money import arrives, kept_first, running, settled_now
from tests.tryon.samples import boots, place, seen

pytestmark = pytest.mark.anyio

DOCK = Actor(kind="staff", id="dora", grants=frozenset({"warehouse"}))


async def stock(portal: Portal) -> list[int]:
    """How many of each size can be ordered."""
    return [row.stock for row in await portal.rows("SELECT stock FROM variant ORDER BY sku")]


async def undo(portal: Portal) -> None:
    """The last check-in is taken back."""
    [row] = await portal.rows("SELECT id FROM parcel WHERE undone_at IS NULL ORDER BY checked_in_at DESC LIMIT 1")
    async with portal.begin() as db:
        await actions.undo(db, API, row.id)
    await portal.work()


async def test_what_comes_back_can_be_ordered_again(portal: Portal) -> None:
    trial = await settled_now(portal, await kept_first(portal, await running(portal)))
    assert await stock(portal) == [9, 9, 9, 9]
    await arrives(portal, trial, [1, 2, 3])
    await portal.work()
    assert await stock(portal) == [9, 10, 10, 10]
    [row] = await portal.rows("SELECT data FROM history WHERE action = 'put_into_stock'")
    assert len(row.data["items"]) == 3


async def test_it_is_put_back_once_however_often_it_is_looked_at(portal: Portal) -> None:
    trial = await running(portal)
    await arrives(portal, trial, [0, 1])
    for _ in range(2):
        async with portal.begin() as db:
            await defer(db, "tryon.received", order_id=str(trial.order_id))
    await portal.work()

    async def look() -> None:
        async with portal.begin() as db:
            await restock(db, trial.order_id)

    assert await at_once(*(look() for _ in range(5))) == [None] * 5
    assert await stock(portal) == [10, 10, 9, 9]


@pytest.mark.parametrize("condition", [Condition.WORN, Condition.DAMAGED, Condition.WRONG_ITEM])
async def test_what_is_not_as_good_as_new_stays_out(portal: Portal, condition: Condition) -> None:
    trial = await running(portal)
    await arrives(portal, trial, [0], condition=condition)
    await portal.work()
    assert await stock(portal) == [9, 9, 9, 9]
    for item in await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'"):
        async with portal.begin() as db:
            await deciding.decide(db, API, portal.settings, item.id, "accept")
    await portal.work()
    assert await stock(portal) == [9, 9, 9, 9]


async def test_a_count_that_is_undone_or_corrected_takes_it_out_again(portal: Portal) -> None:
    trial = await running(portal)
    await arrives(portal, trial, [0, 1])
    await portal.work()
    await undo(portal)
    assert await stock(portal) == [9, 9, 9, 9]
    await arrives(portal, trial, [0, 1])
    await portal.work()
    [parcel] = await portal.rows("SELECT id FROM parcel WHERE undone_at IS NULL")
    counts = [
        Counted(trial.items[0].order_line_id, 1, Condition.DAMAGED),
        Counted(trial.items[2].order_line_id, 1, Condition.RESELLABLE),
    ]
    async with portal.begin() as db:
        await actions.correct(db, API, portal.settings, parcel.id, counts, "another size")
    await portal.work()
    assert await stock(portal) == [9, 9, 10, 9]


async def test_what_is_sent_elsewhere_is_taken_out_and_what_was_cleaned_comes_back(portal: Portal) -> None:
    trial = await running(portal)
    await arrives(portal, trial, [0])
    await arrives(portal, trial, [1], number=2, condition=Condition.WORN)
    await portal.work()
    assert await stock(portal) == [10, 9, 9, 9]
    for item, to in zip(
        await portal.rows("SELECT id FROM parcel_item ORDER BY id"), ("outlet", "restock"), strict=True
    ):
        async with portal.begin() as db:
            await send_to(db, DOCK, item.id, to)
    await portal.work()
    assert await stock(portal) == [9, 10, 9, 9]


async def test_what_was_ordered_meanwhile_is_neither_taken_out_nor_put_back_twice(portal: Portal) -> None:
    trial = await running(portal)
    async with portal.begin() as db:
        await db.execute(text("UPDATE variant SET stock = 0"))
    await arrives(portal, trial, [0])
    await portal.work()
    assert await stock(portal) == [1, 0, 0, 0]
    await place(portal, ["boot-40"], mode=Mode.PURCHASE, email="georgi@example.com")
    await portal.work()
    await undo(portal)
    assert await stock(portal) == [0, 0, 0, 0]
    await arrives(portal, trial, [0])
    await portal.work()
    assert await stock(portal) == [0, 0, 0, 0]


async def test_an_ordinary_return_of_what_was_kept_or_bought_comes_back_too(portal: Portal) -> None:
    trial = await running(portal, mode=Mode.PURCHASE)
    filed = await portal.file(trial.number, (trial.items[0].order_line_id, 1))
    await portal.receive(filed.rma, (trial.items[0].order_line_id, 1, Condition.RESELLABLE), delay=0)
    await portal.work()
    assert (await seen(portal, trial)).refunded == trial.items[0].price
    assert await stock(portal) == [10, 9, 9, 9]


async def test_what_a_shop_system_keeps_the_stock_of_is_left_to_it(portal: Portal) -> None:
    await boots(portal)
    _, [line, *_] = await portal.order()
    filed = await portal.file("1001", (line, 1))
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE), delay=0)
    await portal.work()
    assert await stock(portal) == [10, 10, 10, 10]

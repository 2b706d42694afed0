"""Counts: undone, corrected, of other units than were announced."""

from uuid import UUID

import pytest

from returns_portal.errors import ConflictError, InvalidError
from returns_portal.orders.intake import LineInput, ShippingInput
from returns_portal.orders.queries import order_for
from returns_portal.refunds import actions
from returns_portal.refunds.filing import cancel
from returns_portal.warehouse.rules import Counted
from tests.orders.samples import a_line
from tests.portal import API, Portal
from tests.refunds.samples import DAMAGED, LIKE_NEW, WRONG

pytestmark = pytest.mark.anyio


async def test_more_and_others_than_announced(portal: Portal) -> None:
    lines = [
        LineInput(sku="A", title="Derby", size="42", quantity=2, unit_price=5000),
        LineInput(sku="B", title="Boot", size="43", quantity=1, unit_price=7000),
    ]
    order, [first, second] = await portal.order(lines=lines, shipping=ShippingInput())
    filed = await portal.file(order.number, (first, 1))
    released = await portal.receive(filed.rma, (first, 3, LIKE_NEW), (second, 1, LIKE_NEW), (None, 1, WRONG))
    assert [(item.quantity, item.acceptance) for item in released.items] == [
        (2, "accepted"), (1, "surplus"), (1, "accepted"), (1, "surplus"),
    ]  # fmt: skip
    await portal.work()
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [17_000]


async def test_what_arrives_had_left_the_shop_whatever_its_system_says(portal: Portal) -> None:
    order, [line] = await portal.order(delivered_at=None, lines=[a_line(shipped=1)])
    filed = await portal.file(order.number, (line, 2))
    released = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    assert [(item.quantity, item.acceptance) for item in released.items] == [(2, "accepted")]
    assert [row.shipped for row in await portal.rows("SELECT shipped FROM order_line")] == [2]
    await portal.order(delivered_at=None, lines=[a_line(shipped=0)])
    assert [row.shipped for row in await portal.rows("SELECT shipped FROM order_line")] == [2]


async def test_units_that_came_uncalled_for_cannot_be_announced_again(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    released = await portal.receive(filed.rma, (line, 2, LIKE_NEW), delay=60)
    async with portal.begin() as db:
        assert (await order_for(db, API, order.number)).lines[0].returnable == 0
    with pytest.raises(ConflictError) as refused:
        await portal.file(order.number, (line, 1))
    assert refused.value.code == "already_returned"
    async with portal.begin() as db:
        await actions.undo(db, API, released.check_in_id)
    await portal.file(order.number, (line, 1))


async def test_an_undone_check_in_leaves_a_cancelled_return_cancelled(portal: Portal) -> None:
    order, [line] = await portal.order()
    first = await portal.file(order.number, (line, 2))
    async with portal.begin() as db:
        await cancel(db, API, first.rma)
    await portal.file(order.number, (line, 2))
    [before] = await portal.rows("SELECT status, cancelled_at FROM returns WHERE rma = :rma", rma=first.rma)
    released = await portal.receive(first.rma, (line, 2, DAMAGED))
    async with portal.begin() as db:
        await actions.undo(db, API, released.check_in_id)
    [after] = await portal.rows("SELECT status, cancelled_at FROM returns WHERE rma = :rma", rma=first.rma)
    assert (before.status, before) == ("cancelled", after)


async def test_an_undone_check_in_pays_nothing_and_can_be_counted_anew(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    released = await portal.receive(filed.rma, (line, 1, LIKE_NEW), delay=60)
    async with portal.begin() as db:
        await actions.undo(db, API, released.check_in_id)
    await portal.receive(filed.rma, (line, 1, DAMAGED))
    await portal.work()
    assert await portal.statuses(filed) == ["canceled"]
    with pytest.raises(ConflictError, match="already"):
        async with portal.begin() as db:
            await actions.undo(db, API, released.check_in_id)


async def test_undo_is_refused_once_the_refund_is_due_and_correction_before(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    due = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await actions.undo(db, API, due.check_in_id)
    assert refused.value.code == "refund_due"
    other = await portal.file(order.number, (line, 1))
    early = await portal.receive(other.rma, (line, 1, LIKE_NEW), delay=60)
    with pytest.raises(ConflictError) as refused:
        async with portal.begin() as db:
            await actions.correct(db, API, portal.settings, early.check_in_id, [], "")
    assert refused.value.code == "undo_instead"


async def test_a_correction_releases_more_and_never_pulls_back(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 1, LIKE_NEW))
    await portal.work()
    await portal.work()
    async with portal.begin() as db:
        more = await actions.correct(
            db, API, portal.settings, first.check_in_id, [Counted(line, 2, LIKE_NEW)], "one was in the lining"
        )
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [15_900, 16_390]
    async with portal.begin() as db:
        less = await actions.correct(db, API, portal.settings, more.check_in_id, [Counted(line, 1, LIKE_NEW)], "")
    assert less.plan.total == 0
    await portal.work()
    assert await portal.statuses(filed) == ["succeeded", "succeeded"]


async def test_an_unknown_line_is_refused(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 1))
    with pytest.raises(InvalidError):
        await portal.receive(filed.rma, (UUID(int=5), 1, LIKE_NEW))


async def test_goods_that_a_correction_counted_away_are_received_later_and_not_paid_again(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    async with portal.begin() as db:
        await actions.correct(db, API, portal.settings, first.check_in_id, [Counted(line, 1, LIKE_NEW)], "")
    later = await portal.receive(filed.rma, (line, 1, LIKE_NEW), number=2)
    assert [(item.acceptance, later.plan.total) for item in later.items] == [("accepted", 0)]

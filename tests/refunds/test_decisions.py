"""Decisions about what was not in order."""

import pytest

from returns_portal.errors import ConflictError, InvalidError
from returns_portal.refunds import actions, deciding
from returns_portal.warehouse.rules import Counted
from tests.portal import API, FINANCE, Portal
from tests.refunds.samples import DAMAGED, LIKE_NEW

pytestmark = pytest.mark.anyio


async def test_damaged_waits_for_a_decision(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    await portal.receive(filed.rma, (line, 2, DAMAGED))
    assert await portal.refunds(filed) == []
    [item] = await portal.rows("SELECT id FROM parcel_item")
    with pytest.raises(InvalidError):
        async with portal.begin() as db:
            await deciding.decide(db, FINANCE, portal.settings, item.id, "part", amount=100)
    with pytest.raises(InvalidError):
        async with portal.begin() as db:
            await deciding.decide(db, FINANCE, portal.settings, item.id, "part", amount=15_901, reason="x", quantity=1)
    async with portal.begin() as db:
        await deciding.decide(
            db, FINANCE, portal.settings, item.id, "part", amount=9_000, reason="The sole is cut.", quantity=1
        )
    [rest] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'")
    async with portal.begin() as db:
        await deciding.decide(db, FINANCE, portal.settings, rest.id, "accept")
    with pytest.raises(ConflictError, match="decided already"):
        async with portal.begin() as db:
            await deciding.decide(db, FINANCE, portal.settings, rest.id, "send_back")
    await portal.work()
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [9_000, 16_390]


async def test_a_decision_after_a_correction_pays_no_unit_twice(portal: Portal) -> None:
    order, [line] = await portal.order()
    filed = await portal.file(order.number, (line, 2))
    first = await portal.receive(filed.rma, (line, 2, LIKE_NEW))
    await portal.work()
    async with portal.begin() as db:
        counts = [Counted(line, 1, LIKE_NEW), Counted(line, 1, DAMAGED)]
        corrected = await actions.correct(db, API, portal.settings, first.check_in_id, counts, "")
    [item] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'")
    async with portal.begin() as db:
        assert (await deciding.decide(db, FINANCE, portal.settings, item.id, "accept")).plan.total == 0
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await actions.undo(db, API, corrected.check_in_id)
    await portal.work()
    assert [r.amount for r in await portal.refunds(filed)] == [order.total]

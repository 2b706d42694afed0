"""A price that was reduced is reduced for good: what is kept for less is worth less when it comes back after all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.errors import ConflictError, InvalidError
from returns_portal.orders.units import worth_of
from returns_portal.refunds import approvals
from returns_portal.warehouse.models import Condition
from tests.claims.things import CAREFUL, SHOE, SOCKS, claim, decided, delivered, standing
from tests.portal import FINANCE, Portal
from tests.refunds.samples import paid_by_gateway

pytestmark = pytest.mark.anyio


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.integers(0, 70_000))
def test_no_unit_is_worth_less_than_nothing_and_all_are_worth_so_much_less(paid: list[int], reduced: int) -> None:
    worth = worth_of(paid, reduced)
    assert all(0 <= left <= full for left, full in zip(worth, paid, strict=True))
    assert sum(worth) == max(0, sum(paid) - reduced)
    # Those that come back first pay in full, as far as the rest bears the reduction.
    untouched = [left == full for left, full in zip(worth, paid, strict=True)]
    changed = untouched.index(False) if False in untouched else len(paid)
    assert not any(worth[changed + 1 :])


async def test_what_was_kept_for_less_pays_the_rest_when_it_comes_back(portal: Portal) -> None:
    _shoes, socks = await delivered(portal)
    await decided(portal, await claim(portal, {socks: 1}), "reduction", amount=500)
    await portal.work()
    filed = await portal.file("1001", (socks, 1))
    assert filed.preview.total == SOCKS - 500
    await portal.receive(filed.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == SOCKS


async def test_of_two_the_first_that_comes_back_pays_in_full(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await decided(portal, await claim(portal, {shoes: 1}), "reduction", amount=1000)
    await portal.work()
    for total in (SHOE, SHOE - 1000):
        filed = await portal.file("1001", (shoes, 1))
        assert filed.preview.total == total
        await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
        await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == 2 * SHOE


async def test_a_price_is_not_reduced_below_nothing_by_one_claim_after_the_other(portal: Portal) -> None:
    _shoes, socks = await delivered(portal)
    await decided(portal, await claim(portal, {socks: 1}), "reduction", amount=SOCKS - 100)
    again = await claim(portal, {socks: 1})
    with pytest.raises(InvalidError) as caught:
        await decided(portal, again, "reduction", amount=101)
    assert caught.value.code == "bad_amount"
    await decided(portal, again, "reduction", amount=100)
    await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == SOCKS


async def test_a_claim_about_several_things_reduces_each_by_its_part(portal: Portal) -> None:
    shoes, socks = await delivered(portal)
    await decided(portal, await claim(portal, {shoes: 2, socks: 1}), "reduction", amount=1001)
    lines = await portal.rows("SELECT order_line_id, reduced FROM item_claim_line")
    reduced = {line.order_line_id: line.reduced for line in lines}
    assert reduced == {shoes: 1001 - reduced[socks], socks: reduced[socks]}
    assert abs(reduced[socks] * (2 * SHOE + SOCKS) - 1001 * SOCKS) <= 2 * SHOE + SOCKS


async def test_what_comes_back_before_it_is_approved_is_paid_in_full_and_no_more(portal: Portal) -> None:
    _shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {socks: 1})
    await decided(portal, claim_id, "reduction", amount=SOCKS, shop=CAREFUL)
    assert await standing(portal, claim_id) == "approving"
    filed = await portal.file("1001", (socks, 1))
    assert filed.preview.total == SOCKS
    await portal.receive(filed.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    [gesture] = await portal.rows("SELECT id FROM goodwill WHERE decision = 'waiting'")
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as caught:
            await approvals.approve(db, FINANCE, portal.settings, gesture.id)
    assert caught.value.code == "worth_changed"
    async with portal.begin() as db:
        await approvals.decline(db, FINANCE, gesture.id, "")
    # What is paid for cannot be reduced either.
    with pytest.raises(ConflictError) as caught:
        await decided(portal, claim_id, "reduction", amount=1)
    assert caught.value.code == "in_a_return"
    assert (await paid_by_gateway(portal, "1001"))[1] == SOCKS

"""What is still owed for units that were paid for in part: amounts are compared, not units."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.errors import InvalidError
from returns_portal.orders.intake import LineInput, ShippingInput
from returns_portal.refunds import actions, deciding
from returns_portal.refunds.parts import Owed, Paid, due
from returns_portal.refunds.queries import balance_of
from returns_portal.refunds.rules import Claim, LineBalance, Rest
from returns_portal.returns.models import RefundTo
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.portal import API, FINANCE, Portal

LIKE_NEW, DAMAGED = Condition.RESELLABLE, Condition.DAMAGED
A = UUID(int=1)


def line(*settled: int) -> LineBalance:
    return LineBalance(A, (10_000, 10_000, 10_001), (1_667, 1_667, 1_667), frozenset(settled))


def test_without_anything_paid_a_unit_is_simply_claimed() -> None:
    assert due(line(), Paid(), [], Owed(2)).claims == [Claim(A, 2)]
    assert due(line(), Paid(), [], Owed(1, 4_000)).claims == [Claim(A, 1, 4_000)]


def test_a_part_corrected_upwards_gets_the_rest_with_its_tax() -> None:
    found = due(line(0), Paid((0,), 4_000, 666), [], Owed(1))
    assert (found.claims, found.rests) == ([], [Rest(A, 0, 6_000, 1_001)])


def test_the_rest_of_one_holds_its_tax_beside_another_that_was_paid_in_full() -> None:
    found = due(line(0, 1), Paid((0, 1), 14_000, 2_333), [Owed(1)], Owed(1))
    assert (found.claims, found.rests) == ([], [Rest(A, 1, 6_000, 1_001)])


def test_more_units_and_the_rest_of_one() -> None:
    found = due(line(0), Paid((0,), 4_000, 666), [], Owed(2))
    assert (found.claims, found.rests) == ([Claim(A, 1)], [Rest(A, 0, 6_000, 1_001)])


def test_what_was_paid_in_full_is_not_paid_again() -> None:
    assert due(line(0, 1), Paid((0, 1), 20_000, 3_334), [], Owed(1)).rests == []
    # The other one is decided after it: the 10,000 that were paid too much stand for it.
    found = due(line(0, 1), Paid((0, 1), 20_000, 3_334), [Owed(1)], Owed(1))
    assert (found.claims, found.rests) == ([], [])


def test_money_paid_for_too_much_stands_for_a_later_unit_that_is_still_counted() -> None:
    # One unit was paid in full; now both are damaged, and each is worth 4,000: 2,000 too much were paid for them.
    found = due(line(0), Paid((0,), 10_000, 1_667), [Owed(1, 4_000)], Owed(1, 4_000))
    assert (found.claims, found.rests) == ([Claim(A, 1, 0)], [])


def test_a_part_is_no_more_than_the_units_cost() -> None:
    with pytest.raises(InvalidError) as refused:
        due(line(), Paid(), [], Owed(1, 10_001))
    assert refused.value.code == "more_than_paid"


def test_units_that_another_parcel_was_paid_for_are_not_paid_again() -> None:
    assert due(line(0, 1, 2), Paid(), [], Owed(2)).claims == []
    assert due(line(0, 1), Paid(), [], Owed(2, 8_000)).claims == [Claim(A, 1, 4_000)]


@given(
    worth=st.lists(st.integers(0, 1_000), min_size=1, max_size=5),
    counts=st.lists(st.tuples(st.integers(1, 5), st.none() | st.integers(0, 5_000)), max_size=6),
)
def test_whatever_is_counted_anew_no_more_than_the_units_cost_is_paid_and_never_less_than_is_owed(
    worth: list[int], counts: list[tuple[int, int | None]]
) -> None:
    """Each count replaces the one before; what is paid is the most that was owed by any of them."""
    balance = LineBalance(A, tuple(worth), tuple(each // 6 for each in worth))
    units, paid, tax = set[int](), 0, 0
    most = 0
    for count, amount in counts:
        mine = sorted(units) + [unit for unit in range(len(worth)) if unit not in units]
        mine = mine[:count]
        full = sum(worth[unit] for unit in mine)
        part = None if amount is None else min(amount, full)
        now = LineBalance(A, balance.unit_paid, balance.unit_tax, frozenset(units))
        found = due(now, Paid(tuple(units), paid, tax), [], Owed(len(mine), part))
        for claim in found.claims:
            fresh = now.free[: claim.quantity]
            cost = sum(worth[unit] for unit in fresh)
            paid += cost if claim.amount is None else claim.amount
            tax += sum(balance.unit_tax[unit] for unit in fresh) if claim.amount is None else 0
            units |= set(fresh)
        for rest in found.rests:
            assert rest.unit in mine
            paid += rest.amount
            tax += rest.tax
        most = max(most, full if part is None else part)
        assert paid == most
        assert units >= set(mine)
        assert paid <= sum(worth[unit] for unit in units)
        assert tax <= sum(balance.unit_tax[unit] for unit in units)


async def damaged(portal: Portal, quantity: int) -> tuple[str, UUID, UUID]:
    """A parcel of damaged items of 100.00 each: its return, the line, the check-in."""
    goods = LineInput(sku="A", title="Derby", quantity=3, unit_price=10_000, tax=5_001)
    order, [line_id] = await portal.order(lines=[goods], shipping=ShippingInput())
    await portal.work()
    filed = await portal.file(order.number, (line_id, 3))
    released = await portal.receive(filed.rma, (line_id, quantity, DAMAGED))
    return filed.rma, line_id, released.check_in_id


async def decided(portal: Portal, decision: deciding.Decision, amount: int | None = None) -> actions.Released:
    [item, *_] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting' ORDER BY id")
    async with portal.begin() as db:
        return await deciding.decide(
            db, FINANCE, portal.settings, item.id, decision, amount=amount, reason="It is torn.", quantity=1
        )


async def corrected(portal: Portal, check_in: UUID, *counts: Counted) -> actions.Released:
    async with portal.begin() as db:
        return await actions.correct(db, API, portal.settings, check_in, counts, "Looked at again")


async def sums(portal: Portal) -> list[tuple[int, int]]:
    await portal.work()
    rows = await portal.rows("SELECT amount, tax FROM refund WHERE status = 'succeeded' ORDER BY created_at, id")
    return [(row.amount, row.tax) for row in rows]


@pytest.mark.anyio
async def test_a_part_decided_by_a_person_and_corrected_upwards_is_paid_up(portal: Portal) -> None:
    _rma, line_id, check_in = await damaged(portal, 1)
    await decided(portal, "part", 4_000)
    assert await sums(portal) == [(4_000, 666)]
    more = await corrected(portal, check_in, Counted(line_id, 1, LIKE_NEW))
    assert more.plan.total == 6_000
    assert await sums(portal) == [(4_000, 666), (6_000, 1_001)]
    # Corrected once more to the same: nothing is owed beyond what was paid.
    assert (await corrected(portal, more.check_in_id, Counted(line_id, 1, LIKE_NEW))).plan.total == 0


@pytest.mark.anyio
async def test_a_part_paid_up_and_another_unit_found(portal: Portal) -> None:
    _rma, line_id, check_in = await damaged(portal, 1)
    await decided(portal, "part", 4_000)
    await corrected(portal, check_in, Counted(line_id, 2, LIKE_NEW))
    assert sum(amount for amount, _tax in await sums(portal)) == 20_000
    assert [row.units for row in await portal.rows("SELECT sum(quantity)::int AS units FROM refund_line")] == [2]


@pytest.mark.anyio
async def test_a_second_part_for_the_same_unit_pays_only_what_it_gives_more(portal: Portal) -> None:
    _rma, line_id, check_in = await damaged(portal, 1)
    await decided(portal, "part", 4_000)
    await corrected(portal, check_in, Counted(line_id, 1, DAMAGED))
    assert (await decided(portal, "part", 7_500)).plan.total == 3_500
    assert sum(amount for amount, _tax in await sums(portal)) == 7_500


@pytest.mark.anyio
async def test_a_smaller_part_after_a_correction_pulls_nothing_back(portal: Portal) -> None:
    _rma, line_id, check_in = await damaged(portal, 2)
    await decided(portal, "accept")
    await decided(portal, "part", 5_000)
    await corrected(portal, check_in, Counted(line_id, 2, DAMAGED))
    assert (await decided(portal, "part", 1_000)).plan.total == 0
    assert (await decided(portal, "accept")).plan.total == 0
    assert sum(amount for amount, _tax in await sums(portal)) == 15_000


@pytest.mark.anyio
async def test_the_preview_of_a_decision_is_what_it_pays(portal: Portal) -> None:
    rma, line_id, check_in = await damaged(portal, 1)
    await decided(portal, "part", 4_000)
    await corrected(portal, check_in, Counted(line_id, 1, DAMAGED))
    [row] = await portal.rows("SELECT order_id FROM returns WHERE rma = :rma", rma=rma)
    [item] = await portal.rows("SELECT id FROM parcel_item WHERE acceptance = 'waiting'")
    async with portal.begin() as db:
        balance = await balance_of(db, row.order_id)
        planned, claimed = await deciding.preview(db, balance, item.id, refund_to=RefundTo.ORIGINAL, bonus_percent=10)
    assert (planned.total, claimed) == (6_000, True)
    assert (await decided(portal, "accept")).plan == planned

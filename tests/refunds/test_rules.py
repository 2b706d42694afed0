"""The arithmetic of refunds, against what must hold for any order and any way of sending it back."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from returns_portal.errors import InvalidError
from returns_portal.payments.models import Tender
from returns_portal.refunds.models import Destination
from returns_portal.refunds.rules import (
    Claim,
    LineBalance,
    OrderBalance,
    RefundPlan,
    TenderBalance,
    plan,
    share_among_tenders,
)
from returns_portal.returns.models import RefundTo


@st.composite
def balances(draw: st.DrawFn) -> OrderBalance:
    """An order of up to four lines, paid by up to three tenders that together come to its total."""
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        paid = draw(st.lists(st.integers(0, 30_000), min_size=1, max_size=5))
        tax = [draw(st.integers(0, unit)) for unit in paid]
        lines.append(LineBalance(uuid4(), tuple(paid), tuple(tax)))
    shipping = draw(st.sampled_from([0, 1, 490, 1299]))
    total = sum(sum(line.unit_paid) for line in lines) + shipping
    cuts = sorted(draw(st.lists(st.integers(0, total), max_size=2)))
    parts = [after - before for before, after in zip([0, *cuts], [*cuts, total], strict=True)]
    tenders = tuple(TenderBalance(uuid4(), draw(st.sampled_from(list(Tender))), amount) for amount in parts if amount)
    return OrderBalance("EUR", tuple(lines), tenders, shipping=shipping, shipping_tax=draw(st.integers(0, shipping)))


def after(balance: OrderBalance, planned: RefundPlan) -> OrderBalance:
    """The order's money state once the plan was carried out."""
    lines = []
    for line in balance.lines:
        units = {
            unit
            for run in planned.lines
            if run.line_id == line.line_id
            for unit in range(run.first_unit, run.first_unit + run.quantity)
        }
        lines.append(msgspec.structs.replace(line, settled=line.settled | units))
    gone = {leg.payment_id: leg.amount for leg in planned.legs}
    tenders = tuple(
        msgspec.structs.replace(tender, refunded=tender.refunded + gone.get(tender.payment_id, 0))
        for tender in balance.tenders
    )
    return msgspec.structs.replace(
        balance,
        lines=tuple(lines),
        tenders=tenders,
        shipping_settled=balance.shipping_settled or any(run.line_id is None for run in planned.lines),
    )


def planned_for(
    balance: OrderBalance, claims: Sequence[Claim], *, refund_to: RefundTo = RefundTo.ORIGINAL, bonus_percent: int = 10
) -> RefundPlan:
    return plan(balance, claims, refund_to=refund_to, bonus_percent=bonus_percent)


def everything(balance: OrderBalance) -> list[Claim]:
    return [Claim(line.line_id, len(line.free)) for line in balance.lines if line.free]


@given(balances(), st.randoms(use_true_random=False))
def test_any_sequence_of_partial_returns_sums_to_what_was_paid(balance: OrderBalance, random: Random) -> None:
    paid = {tender.payment_id: tender.captured for tender in balance.tenders}
    units = [line.line_id for line in balance.lines for _ in line.unit_paid]
    random.shuffle(units)
    given_back, taxes = 0, 0
    while units:
        some = [units.pop() for _ in range(random.randint(1, len(units)))]
        claims = [Claim(line_id, some.count(line_id)) for line_id in dict.fromkeys(some)]
        planned = planned_for(balance, claims)
        assert planned.total == sum(line.amount for line in planned.lines)
        balance = after(balance, planned)
        given_back += planned.total
        taxes += sum(leg.tax for leg in planned.legs)
        assert all(tender.refunded <= tender.captured for tender in balance.tenders)
    assert given_back == sum(paid.values())
    assert {tender.payment_id: tender.refunded for tender in balance.tenders} == paid
    assert taxes == sum(sum(line.unit_tax) for line in balance.lines) + balance.shipping_tax


@given(balances())
def test_one_by_one_is_what_all_at_once_is(balance: OrderBalance) -> None:
    at_once = planned_for(balance, everything(balance)).total
    one_by_one = 0
    for line in balance.lines:
        for _ in line.unit_paid:
            planned = planned_for(balance, [Claim(line.line_id, 1)])
            one_by_one += planned.total
            balance = after(balance, planned)
    assert one_by_one == at_once


@given(balances(), st.integers(0, 100))
def test_points_never_become_money_and_only_card_money_earns_a_bonus(balance: OrderBalance, percent: int) -> None:
    tenders = {tender.payment_id: tender.tender for tender in balance.tenders}
    for wish in RefundTo:
        planned = planned_for(balance, everything(balance), refund_to=wish, bonus_percent=percent)
        for leg in planned.legs:
            tender = tenders[leg.payment_id]
            if tender is Tender.POINTS:
                assert (leg.destination, leg.bonus) == (Destination.POINTS, 0)
            elif wish is RefundTo.POINTS:
                expected = Fraction(leg.amount * percent, 100).__floor__() if tender is Tender.STRIPE else 0
                assert (leg.destination, leg.bonus) == (Destination.POINTS, expected)
            else:
                money = Destination.CARD if tender is Tender.STRIPE else Destination.TRANSFER
                assert (leg.destination, leg.bonus) == (money, 0)


@given(balances(), st.lists(st.integers(0, 60_000), min_size=3, max_size=3))
def test_never_more_than_is_left_of_the_payments(balance: OrderBalance, before: list[int]) -> None:
    tenders = tuple(
        msgspec.structs.replace(tender, refunded=min(gone, tender.captured))
        for tender, gone in zip(balance.tenders, before, strict=False)
    )
    balance = msgspec.structs.replace(balance, tenders=tenders)
    planned = planned_for(balance, everything(balance))
    assert planned.total <= sum(tender.left for tender in tenders)
    left = {tender.payment_id: tender.left for tender in tenders}
    assert all(0 < leg.amount <= left[leg.payment_id] for leg in planned.legs)
    assert planned.total == sum(line.amount for line in planned.lines)
    assert all(line.tax <= line.amount for line in planned.lines if line.line_id is not None)


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**9)), min_size=1, max_size=5), st.data())
@settings(max_examples=300)
def test_a_split_sums_and_stays_within_each_payment(payments: list[tuple[int, int]], data: st.DataObject) -> None:
    tenders = [TenderBalance(uuid4(), Tender.STRIPE, paid, min(paid, gone)) for paid, gone in payments]
    amount = data.draw(st.integers(0, sum(tender.left for tender in tenders)))
    shares = share_among_tenders(tenders, amount)
    assert sum(shares) == amount
    assert all(0 <= share <= tender.left for share, tender in zip(shares, tenders, strict=True))


def order(*paid: Sequence[int], shipping: int = 0) -> OrderBalance:
    lines = tuple(LineBalance(UUID(int=index + 1), tuple(units), (0,) * len(units)) for index, units in enumerate(paid))
    total = sum(sum(units) for units in paid) + shipping
    return OrderBalance("EUR", lines, (TenderBalance(UUID(int=99), Tender.STRIPE, total),), shipping=shipping)


def test_shipping_goes_back_with_the_unit_that_completes_the_order_and_once() -> None:
    balance = order([4990], [4990, 4990], shipping=490)
    first = planned_for(balance, [Claim(UUID(int=1), 1), Claim(UUID(int=2), 1)])
    assert (first.total, first.shipping) == (9980, 0)
    last = planned_for(after(balance, first), [Claim(UUID(int=2), 1)])
    assert (last.total, last.shipping) == (5480, 490)


def test_a_part_pays_what_was_decided_and_settles_the_units() -> None:
    balance = order([3334, 3333, 3333])
    planned = planned_for(balance, [Claim(UUID(int=1), 2, amount=1000)])
    assert planned.total == 1000
    assert after(balance, planned).lines[0].free == [2]


def test_units_freed_by_an_undone_check_in_are_used_again() -> None:
    line = LineBalance(UUID(int=1), (3334, 3333, 3333), (0, 0, 0), settled=frozenset({1}))
    balance = OrderBalance("EUR", (line,), (TenderBalance(UUID(int=9), Tender.STRIPE, 10_000, 3333),))
    planned = planned_for(balance, [Claim(UUID(int=1), 2)])
    assert [(run.first_unit, run.quantity, run.amount) for run in planned.lines] == [(0, 1, 3334), (2, 1, 3333)]


@pytest.mark.parametrize(
    "claim",
    [
        Claim(UUID(int=1), 2),
        Claim(UUID(int=1), 0),
        Claim(UUID(int=7), 1),
        Claim(UUID(int=1), 1, amount=101),
        Claim(UUID(int=1), 1, amount=-1),
    ],
)
def test_claims_that_cannot_be_are_refused(claim: Claim) -> None:
    with pytest.raises(InvalidError):
        planned_for(order([100]), [claim])

"""What an exchange costs, and which exchanges a count fulfils."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.exchanges.models import EXCHANGE_TRANSITIONS, LIVE, ExchangeStatus
from returns_portal.exchanges.rules import Counted, Difference, Returned, Unit, difference, moves

S = ExchangeStatus
BOOT, COAT = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("returned", "product", "price", "expected"),
    [
        (Returned(15_900, BOOT, 15_900), BOOT, 15_900, Difference(15_900)),
        # Bought reduced: another size costs no more for that.
        (Returned(12_000, BOOT, 15_900), BOOT, 15_900, Difference(12_000)),
        (Returned(12_000, BOOT, 15_900), BOOT, 16_900, Difference(13_000, to_pay=1_000)),
        (Returned(12_000, BOOT, 15_900), BOOT, 14_900, Difference(11_000, back=1_000)),
        (Returned(500, BOOT, 15_900), BOOT, 14_900, Difference(0, back=500)),
        (Returned(12_000, BOOT, 15_900), COAT, 15_900, Difference(15_900, to_pay=3_900)),
        (Returned(12_000), COAT, 9_900, Difference(9_900, back=2_100)),
        # Too little for a card to pay: the shop's.
        (Returned(12_000), COAT, 12_030, Difference(12_000)),
    ],
)
def test_the_difference(returned: Returned, product: UUID, price: int, expected: Difference) -> None:
    assert difference(returned, product, price, "EUR") == expected


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.none() | st.integers(0, 10**7), st.booleans())
def test_what_is_paid_what_goes_back_and_what_it_costs_agree(
    paid: int, price: int, known: int | None, same: bool
) -> None:
    found = difference(Returned(paid, BOOT, known), BOOT if same else COAT, price, "EUR")
    assert found.price == paid + found.to_pay - found.back
    assert min(found.to_pay, found.back) == 0
    assert 0 <= found.back <= paid


def units(*each: tuple[ExchangeStatus, bool]) -> list[Unit]:
    return [Unit(UUID(int=place), status, arrived) for place, (status, arrived) in enumerate(each)]


def test_what_comes_first_is_exchanged_and_what_is_refused_ends() -> None:
    waiting = units(*[(S.AWAITING_GOODS, False)] * 3)
    assert moves(waiting, Counted(3, accepted=1)).arrived == [UUID(int=0)]
    assert moves(waiting, Counted(3, refused=1)).over == [UUID(int=2)]
    assert moves(waiting, Counted(3, accepted=1, refused=2)).over == [UUID(int=1), UUID(int=2)]


def test_what_was_sent_stays_sent_when_a_count_is_lowered() -> None:
    here = units((S.SENT, True), (S.TO_SEND, True))
    assert moves(here, Counted(2, accepted=1)).gone == [UUID(int=1)]
    assert moves(here, Counted(2, accepted=0)).gone == [UUID(int=1)]


_STATES = st.sampled_from(
    [(S.AWAITING_PAYMENT, False), (S.AWAITING_PAYMENT, True), (S.AWAITING_GOODS, False), (S.TO_SEND, True),
     (S.SENT, True), (S.ENDED, False)]
)  # fmt: skip


@given(st.lists(_STATES, max_size=6), st.integers(0, 8), st.integers(0, 8))
def test_brought_up_to_a_count_there_is_nothing_more_to_do(
    states: list[tuple[ExchangeStatus, bool]], accepted: int, refused: int
) -> None:
    counted = Counted(len(states), accepted, refused)
    before = units(*states)
    found = moves(before, counted)
    after = []
    for unit in before:
        if unit.id in found.arrived:
            after.append(Unit(unit.id, unit.status, arrived=True))
        elif unit.id in found.gone:
            after.append(Unit(unit.id, unit.status, arrived=False))
        else:
            after.append(Unit(unit.id, S.ENDED, arrived=False) if unit.id in found.over else unit)
    assert moves(after, counted).arrived == moves(after, counted).gone == []
    here = sum(unit.arrived and unit.status != S.ENDED for unit in after)
    assert here <= max(accepted, sum(unit.status == S.SENT for unit in after))


def test_every_state_leads_to_an_end() -> None:
    assert all(EXCHANGE_TRANSITIONS[status] for status in LIVE)
    assert not EXCHANGE_TRANSITIONS[S.SENT]
    assert not EXCHANGE_TRANSITIONS[S.ENDED]

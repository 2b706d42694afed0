"""Pure decisions of the dock."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.ids import new_rma
from returns_portal.warehouse.models import Acceptance, Condition
from returns_portal.warehouse.rules import Counted, recorded, rma_of

A, B = UUID(int=1), UUID(int=2)

US = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./"
# What the same keys type, row by row, as the layouts' own standards list them.
LAYOUTS = {
    "Ukrainian": "'1234567890-=йцукенгшщзхї\\фівапролджєячсмитьбю.",
    "Russian": "ё1234567890-=йцукенгшщзхъ\\фывапролджэячсмитьбю.",
    "Bulgarian": "(1234567890-.,уеишщксдзц;„ьяаожгтнвмчюйъэфхпрлб",
    "German": "^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_scan_is_read_whatever_the_keyboard_layout(layout: str) -> None:
    keys = str.maketrans(US, LAYOUTS[layout])
    for _ in range(300):
        number = new_rma()
        assert rma_of(number.lower().translate(keys)) == number
        # Scanners hold Shift for capitals, and for nothing else: the hyphen's key keeps what it types.
        shifted = "".join(key.upper() if len(key.upper()) == 1 else key for key in number.lower().translate(keys))
        assert rma_of(shifted) == number


@pytest.mark.parametrize("text", ["", "привіт", "4006381333931", "R-0000-0001x", "\x00"])
def test_what_is_no_return_number(text: str) -> None:
    assert rma_of(text) is None


@pytest.mark.parametrize(
    ("condition", "acceptance"),
    [
        (Condition.RESELLABLE, Acceptance.ACCEPTED),
        (Condition.WORN, Acceptance.ACCEPTED),
        (Condition.DAMAGED, Acceptance.WAITING),
        (Condition.WRONG_ITEM, Acceptance.WAITING),
    ],
)
def test_what_a_condition_leads_to(condition: Condition, acceptance: Acceptance) -> None:
    assert [item.acceptance for item in recorded([Counted(A, 1, condition)], {A: 1})] == [acceptance]


def test_more_than_the_order_had_is_surplus() -> None:
    items = recorded([Counted(A, 3, Condition.RESELLABLE), Counted(None, 1, Condition.WRONG_ITEM, "a scarf")], {A: 2})
    assert [(item.quantity, item.acceptance) for item in items] == [
        (2, Acceptance.ACCEPTED),
        (1, Acceptance.SURPLUS),
        (1, Acceptance.SURPLUS),
    ]


@given(
    st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 5), st.sampled_from(list(Condition))), max_size=8),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_nothing_counted_is_lost_and_no_more_than_the_room_is_accepted(
    counts: list[tuple[UUID, int, Condition]], room_a: int, room_b: int
) -> None:
    items = recorded([Counted(*count) for count in counts], {A: room_a, B: room_b})
    for line, room in ((A, room_a), (B, room_b)):
        counted = sum(quantity for line_id, quantity, _ in counts if line_id == line)
        mine = [item for item in items if item.line_id == line]
        assert sum(item.quantity for item in mine) == counted
        kept = sum(item.quantity for item in mine if item.acceptance is not Acceptance.SURPLUS)
        assert kept == min(counted, room)

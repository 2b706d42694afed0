"""Fewer, more, other, another shop's, an empty box, several boxes: each is recorded, and the customer is told."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.notifications.rendering import render_email
from returns_portal.refunds.actions import correct
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Acceptance, Condition, Finding
from returns_portal.warehouse.rules import Announced, Counted, Found, Item, findings
from tests.orders.samples import a_line
from tests.portal import Portal
from tests.warehouse.dock import DAMAGED, LIKE_NEW, MIRA, WRONG, count, found, two_shoes

pytestmark = pytest.mark.anyio

A, B = UUID(int=1), UUID(int=2)


async def told(portal: Portal) -> tuple[str, str]:
    """Subject and text of the newest e-mail."""
    (mail,) = await portal.rows('SELECT template, "values" FROM email ORDER BY created_at DESC, id DESC LIMIT 1')
    rendered = render_email(mail.template, "en", mail.values, DEFAULT, portal.settings)
    return rendered.subject, rendered.text


def item(line: UUID | None, units: int) -> Item:
    return Item(line, units, Condition.RESELLABLE, Acceptance.ACCEPTED)


@pytest.mark.parametrize(
    ("items", "announced", "expected"),
    [
        ([item(A, 2)], {A: Announced(2, 0)}, []),
        ([item(A, 1)], {A: Announced(2, 0)}, [Found(Finding.FEWER, 1, A)]),
        ([item(A, 1)], {A: Announced(2, 1)}, []),
        ([item(A, 3)], {A: Announced(2, 0)}, [Found(Finding.MORE, 1, A)]),
        ([item(A, 1)], {A: Announced(2, 2)}, [Found(Finding.MORE, 1, A)]),
        ([item(B, 1)], {A: Announced(1, 0)}, [Found(Finding.FEWER, 1, A), Found(Finding.OTHER, 1, B)]),
        ([], {A: Announced(1, 0)}, [Found(Finding.EMPTY)]),
    ],
)
def test_a_count_is_held_against_what_was_announced(
    items: list[Item], announced: dict[UUID, Announced], expected: list[Found]
) -> None:
    assert findings(items, announced) == expected


@given(
    st.lists(st.tuples(st.sampled_from([A, B, None]), st.integers(1, 4)), max_size=5),
    st.dictionaries(st.sampled_from([A, B]), st.tuples(st.integers(1, 4), st.integers(0, 4)), max_size=2),
)
def test_missing_and_surplus_units_add_up(
    counted: list[tuple[UUID | None, int]], named: dict[UUID, tuple[int, int]]
) -> None:
    announced = {line: Announced(*numbers) for line, numbers in named.items()}
    told_of = findings([item(*each) for each in counted], announced)
    for line in (A, B):
        units = sum(quantity for each, quantity in counted if each == line)
        wanted, before = named.get(line, (0, 0))
        mine = {each.kind: each.quantity for each in told_of if each.line_id == line}
        if wanted and counted and not mine:
            # Nothing is said where it fits, or where an earlier parcel had brought too much already.
            assert units + before == wanted or (units == 0 and before > wanted)
        assert mine.get(Finding.FEWER, 0) <= wanted
        assert mine.get(Finding.MORE, 0) <= units


async def test_fewer_than_announced(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    assert await found(portal) == [("fewer", 1)]
    subject, text = await told(portal)
    assert subject == f"Return {filed.rma}: something was not in your parcel"
    assert "1 × Derby, 42, Navy was not in this parcel. If it comes in another one" in " ".join(text.split())


async def test_several_parcels_of_one_return_are_told_of_only_when_the_last_is_here(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), more_to_come=True)
    assert await found(portal) == []
    assert (await told(portal))[0] == f"Return {filed.rma}: your parcel has arrived"
    await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW), number=2)
    assert await found(portal) == []


async def test_more_and_other_than_announced(portal: Portal) -> None:
    filed, shoes, socks = await two_shoes(portal)
    released = await count(portal, filed.rma, Counted(shoes, 3, LIKE_NEW), Counted(socks, 1, LIKE_NEW))
    assert await found(portal) == [("more", 1), ("other", 1)]
    # What the order had is paid for, whether it was announced or not.
    assert sum(item.quantity for item in released.items if item.acceptance is Acceptance.ACCEPTED) == 4
    subject, text = await told(portal)
    assert subject == f"Return {filed.rma}: something else was in your parcel"
    said = "1 × Wool Socks, 39–42, Ecru was in the parcel, although the return did not name it"
    assert said in " ".join(text.split())


async def test_another_shops_goods(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    strange = Counted(None, 1, WRONG, "a red umbrella", foreign=True)
    released = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW), strange)
    assert await found(portal) == [("foreign", 1)]
    assert released.items[-1].acceptance is Acceptance.SURPLUS
    subject, text = await told(portal)
    assert subject == f"Return {filed.rma}: another shop’s goods were in your parcel"
    assert "1 × a red umbrella is not from us. It is kept safe for you" in " ".join(text.split())


async def test_an_empty_box(portal: Portal) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    released = await count(portal, filed.rma)
    assert (await found(portal), released.plan.total) == ([("empty", 0)], 0)
    subject, text = await told(portal)
    assert subject == f"Return {filed.rma}: your parcel arrived empty"
    assert "we ask the carrier" in text


async def test_two_returns_in_one_box(portal: Portal) -> None:
    _order, (shoes,) = await portal.order(lines=[a_line(quantity=2, tax=0)])
    one, other = await portal.file("1001", (shoes, 1)), await portal.file("1001", (shoes, 1))
    first = await count(portal, one.rma, Counted(shoes, 1, LIKE_NEW))
    await count(portal, other.rma, Counted(shoes, 1, DAMAGED), box_id=first.check_in_id)
    boxes = await portal.rows("SELECT box_id FROM parcel")
    assert [row.box_id for row in boxes] == [first.check_in_id] * 2
    assert "in one box with another return" in (await told(portal))[1]


async def test_the_customer_is_told_of_what_only_a_correction_found(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW))
    assert (await told(portal))[0] == f"Return {filed.rma}: your parcel has arrived"
    async with portal.begin() as db:
        fewer = [Counted(shoes, 1, LIKE_NEW)]
        second = await correct(db, MIRA, portal.settings, first.check_in_id, fewer, "one was of another return")
    subject, text = await told(portal)
    assert subject == f"Return {filed.rma}: something was not in your parcel"
    assert "We have counted your parcel once more." in text
    assert "has arrived and we have opened it" not in text
    # Of the same again nobody is told twice.
    async with portal.begin() as db:
        await correct(db, MIRA, portal.settings, second.check_in_id, [Counted(shoes, 1, WRONG)], "")
    assert len(await portal.rows("SELECT id FROM email WHERE template = 'checked_in'")) == 2


async def test_a_correction_finds_anew(portal: Portal) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    first = await count(portal, filed.rma, Counted(shoes, 1, LIKE_NEW))
    async with portal.begin() as db:
        await correct(db, MIRA, portal.settings, first.check_in_id, [Counted(shoes, 2, LIKE_NEW)], "in the lining")
    live = await portal.rows(
        "SELECT f.kind FROM parcel_finding f JOIN parcel p ON p.id = f.parcel_id WHERE p.undone_at IS NULL"
    )
    assert live == []

"""Credit notes: numbers without gaps under haste and crashes, cancellations, who may see them, and their PDF."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pypdfium2  # type: ignore[import-untyped]  # pypdfium2 ships no types.
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError, NotFoundError
from returns_portal.finance import credit_notes
from returns_portal.finance.books import check
from returns_portal.finance.credit_notes import issue, issue_some, list_notes, notes_of_refund
from returns_portal.finance.credit_notes_content import note_for, rate
from returns_portal.finance.printed import render_note
from returns_portal.refunds.failed import take_points
from returns_portal.refunds.life import transition
from returns_portal.refunds.lowering import lower
from returns_portal.refunds.models import RefundStatus
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.actions import update_shop
from returns_portal.warehouse.models import Condition
from tests.finance.journey import PRICE, arrived, filed
from tests.finance.seed import identity, stories
from tests.portal import FINANCE, at_once

pytestmark = pytest.mark.anyio

YEAR = datetime.now(UTC).year


async def numbers(begin: Begin) -> Sequence[Any]:
    async with begin() as db:
        found = await db.execute(text("SELECT document, kind, refund_id FROM credit_note ORDER BY year, number"))
        return found.all()


async def paid(db: AsyncConnection, settings: Settings, number: str, **changes: Any) -> Any:  # noqa: ANN401 - an id
    """A refund that has succeeded, without its gateway."""
    journey = await filed(db, settings, number, **changes)
    (refund_id,) = (await arrived(db, settings, journey, Condition.WORN)).refund_ids
    await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
    await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED, gateway_id=f"re_{number}")
    return refund_id


async def test_numbers_follow_the_order_of_the_books(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 40)
    assert await issue(begin) == 40
    assert await issue(begin) == 0
    found = await numbers(begin)
    assert [row.document for row in found] == [f"CN-{YEAR}-{n:06d}" for n in range(1, 41)]
    assert [row.refund_id for row in found] == [identity("refund", n) for n in range(1, 41)]
    assert await check(begin) == []


async def test_fifty_at_once_leave_no_gap(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 300)
    given = await at_once(*(issue(begin) for _ in range(50)))
    assert sum(given) == 300
    assert [row.document for row in await numbers(begin)] == [f"CN-{YEAR}-{n:06d}" for n in range(1, 301)]


async def test_a_crash_before_the_commit_leaves_no_gap(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 5)
    with pytest.raises(ZeroDivisionError):
        await _issue_and_crash(begin)
    assert await numbers(begin) == []
    await issue(begin)
    assert [row.document[-6:] for row in await numbers(begin)] == ["000001", "000002", "000003", "000004", "000005"]


async def _issue_and_crash(begin: Begin) -> None:
    async with begin() as db:
        assert await issue_some(db) == 5
        raise ZeroDivisionError


async def test_many_are_numbered_in_rounds(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit_notes, "ROUND", 20)
    async with begin() as db:
        await stories(db, 1, 67)
    assert await issue(begin) == 67
    assert (await numbers(begin))[-1].document == f"CN-{YEAR}-000067"


async def test_each_year_begins_with_one_in_the_shops_zone(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 2)
    # In Sofia the new year is two hours old.
    with clock.at(datetime(2026, 12, 31, 22, 30, tzinfo=UTC)):
        await issue(begin)
    async with begin() as db:
        await stories(db, 3, 3)
    with clock.at(datetime(2026, 12, 31, 21, 30, tzinfo=UTC)):
        await issue(begin)
    assert {row.document for row in await numbers(begin)} == {"CN-2027-000001", "CN-2027-000002", "CN-2026-000001"}


async def test_what_was_committed_late_is_found_at_night(begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 200, 200)
    await issue(begin)
    async with begin() as db:
        await stories(db, 1, 1)
    assert await issue(begin) == 0
    assert await issue(begin, everything=True) == 1


async def test_a_reversed_refund_is_cancelled_and_its_second_try_has_a_note_of_its_own(
    begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        refund_id = await paid(db, settings, "1001")
    await issue(begin)
    async with begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="expired_or_canceled_card")
    await issue(begin)
    async with begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.PLANNED, again=True)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)
    await issue(begin)
    assert [row.kind for row in await numbers(begin)] == ["credit_note", "cancellation", "credit_note"]
    async with begin() as db:
        links = await notes_of_refund(db, FINANCE, refund_id)
        cancellation = await note_for(db, FINANCE, links[1].document)
    assert cancellation.cancels == links[0].document
    words = read_pdf(render_note(cancellation))
    assert "Cancellation of a credit note" in words
    assert links[0].document in words
    assert "-€119.80" in words
    assert await check(begin) == []


async def test_a_refund_that_was_reversed_before_it_had_a_number_has_both(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        refund_id = await paid(db, settings, "1001")
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="declined")
    assert await issue(begin) == 2
    assert [row.kind for row in await numbers(begin)] == ["credit_note", "cancellation"]


@pytest.mark.parametrize("numbered", ["at once", "afterwards"])
@pytest.mark.parametrize("way", ["less", "nothing", "points"])
async def test_what_was_issued_says_the_same_for_ever(
    begin: Begin, settings: Settings, way: str, numbered: str
) -> None:
    async with begin() as db:
        refund_id = await paid(db, settings, "1001")
        order_id = await db.scalar(text("SELECT order_id FROM refund WHERE id = :id"), {"id": refund_id})
    first = f"CN-{YEAR}-000001"
    before = b""
    if numbered == "at once":
        await issue(begin)
        async with begin() as db:
            before = render_note(await note_for(db, FINANCE, first))
    async with begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="expired_or_canceled_card")
    async with begin() as db:
        if way == "points":
            customer = Actor(kind="customer", id=str(order_id), order_id=order_id)
            await take_points(db, customer, refund_id, agreed=True)
        else:
            await lower(db, FINANCE, refund_id, 500 if way == "less" else 0)
        if way == "less":
            await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        if way != "nothing":
            await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)
    await issue(begin)
    async with begin() as db:
        await db.execute(text("UPDATE orders SET name = 'Somebody Else', number = 'later', locale = 'bg'"))
        await update_shop(db, SYSTEM, timezone="Pacific/Auckland")
        notes = [await note_for(db, FINANCE, row.document) for row in await numbers(begin)]
        listed = await list_notes(db, FINANCE, before=None, limit=9)
    last = {"less": [500], "nothing": [], "points": [2 * PRICE]}[way]
    assert [note.amount for note in notes] == [2 * PRICE, 2 * PRICE, *last]
    assert [row.amount for row in reversed(listed)] == [2 * PRICE, -2 * PRICE, *last]
    assert [note.destination for note in notes[:2]] == ["original", "original"]
    assert [(note.lines, note.buyer, note.bonus) for note in notes[:2]] == [(notes[0].lines, notes[0].buyer, 0)] * 2
    assert sum(line.amount for line in notes[0].lines) == notes[0].amount
    assert notes[0].buyer["name"] == "Ana Petrova"
    if before:
        assert render_note(notes[0]) == before
    assert await check(begin) == []


async def test_only_those_whose_order_it_is_and_finance_see_it(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        refund_id = await paid(db, settings, "1001")
        other = await filed(db, settings, "1002")
        order_id = await db.scalar(text("SELECT order_id FROM refund WHERE id = :id"), {"id": refund_id})
    await issue(begin)
    document = f"CN-{YEAR}-000001"
    async with begin() as db:
        customer = Actor(kind="customer", id="x", order_id=order_id)
        assert (await note_for(db, customer, document)).amount == 2 * PRICE
        assert [link.document for link in await notes_of_refund(db, customer, refund_id)] == [document]
        stranger = Actor(kind="customer", id="y", order_id=other.order_id)
        assert await notes_of_refund(db, stranger, refund_id) == []
        assert await notes_of_refund(db, Actor(kind="customer"), refund_id) == []
        for actor, name in ((stranger, document), (customer, "CN-1999-000001"), (Actor(kind="customer"), document)):
            with pytest.raises(NotFoundError):
                await note_for(db, actor, name)
        with pytest.raises(ForbiddenError):
            await note_for(db, Actor(kind="staff", id="w", grants=frozenset({"warehouse"})), document)
        with pytest.raises(ForbiddenError):
            await list_notes(db, customer, before=None, limit=1)


def read_pdf(content: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(content))
    found = " ".join(page.get_textpage().get_text_bounded() for page in document)
    document.close()
    return re.sub(r"\s+", " ", found)


async def test_the_paper_says_who_what_and_how_much(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await paid(db, settings, "1001")
    await issue(begin)
    # What the shop is called later does not change what was issued.
    async with begin() as db:
        await update_shop(db, SYSTEM, name="Another name", tax_details="VAT BG000000000")
        note = await note_for(db, FINANCE, f"CN-{YEAR}-000001")
    content = render_note(note)
    assert content == render_note(note)
    words = read_pdf(content)
    for expected in (
        f"CN-{YEAR}-000001",
        "Nord & Sund",
        "VAT BG204447115",
        "Ana Petrova",
        "Bulgaria",
        "1001",
        "Wool coat",
        "COAT-38",
        "20 %",
        "€119.80",
        "€19.96",
        "€99.84",
        "Sandbox – no money moves",
    ):
        assert expected in words, expected
    assert "Another name" not in words


async def test_several_ways_of_one_parcel_add_up(begin: Begin, settings: Settings) -> None:
    """A parcel paid by card and points has two refunds, each with a note that says what the other one pays."""
    async with begin() as db:
        refund_id = await paid(db, settings, "1001", refund_to=RefundTo.POINTS)
    await issue(begin)
    async with begin() as db:
        note = await note_for(db, FINANCE, f"CN-{YEAR}-000001")
    assert note.refund_id == refund_id
    assert "were credited to you as points" in read_pdf(render_note(note))
    shared = msgspec.structs.replace(note, amount=note.amount - 2000, others=2000)
    words = read_pdf(render_note(shared))
    assert "These items €119.80" in words
    assert "-€20.00" in words
    assert "Total of this document €99.80" in words


async def test_what_people_type_cannot_break_the_paper(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await paid(db, settings, "1001")
        await db.execute(text("UPDATE orders SET name = '<script>\u202e' || repeat('Їжак ', 60)"))
        await db.execute(text("UPDATE order_line SET title = repeat('verylongword', 40)"))
    await issue(begin)
    async with begin() as db:
        note = await note_for(db, FINANCE, f"CN-{YEAR}-000001")
    words = read_pdf(render_note(note))
    assert "<script>" in words
    assert "Їжак" in words


@pytest.mark.parametrize(
    ("amount", "tax", "units", "percent"),
    [
        (5990, 998, 1, "20"),
        (490, 82, 1, "20"),  # 20.098 % of the net, which is 20 % of a price in whole cents.
        (105_500, 5_500, 1, "5.5"),
        (107_700, 7_700, 1, "7.7"),
        (10_000_000, 811_400, 1, "8.83"),
        (119_70, 19_95, 3, "20"),
        (100, 0, 1, "0"),
    ],
)
def test_a_rate_is_the_plainest_that_rounds_to_the_tax(amount: int, tax: int, units: int, percent: str) -> None:
    assert f"{rate(amount, tax, units):f}" == percent


def test_nothing_has_no_rate() -> None:
    assert rate(0, 0) is None

"""Closing months: in order, once, for good; what comes later belongs to the open month; taken again, the same bytes."""

import csv
import hashlib
import io
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, ForbiddenError, NotFoundError
from returns_portal.finance import journal
from returns_portal.finance.books import check
from returns_portal.finance.closed_files import write_closed
from returns_portal.finance.closing import Month, MonthTotal, close_month, month_of, months
from returns_portal.finance.exports import stream, stream_refunds
from returns_portal.finance.files import content
from returns_portal.finance.filters import Basis, Filters
from returns_portal.finance.journal import in_open, movements_listing
from returns_portal.finance.models import ClosedFileKind
from returns_portal.refunds.failed import take_points
from returns_portal.refunds.life import transition
from returns_portal.refunds.lowering import lower
from returns_portal.refunds.models import RefundStatus
from returns_portal.shop.actions import update_shop
from tests.finance.seed import expected, identity, stories
from tests.portal import FINANCE, at_once

pytestmark = pytest.mark.anyio

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
PLACES = {"EUR": 2, "JPY": 0, "BHD": 3}
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def november() -> object:
    with clock.at(NOW):
        yield


async def seeded(begin: Begin) -> None:
    """Ten refunds in September, twenty in October, five in November."""
    async with begin() as db:
        await stories(db, 1, 10, start=datetime(2026, 9, 10, tzinfo=UTC))
        await stories(db, 11, 30, start=datetime(2026, 10, 10, tzinfo=UTC))
        await stories(db, 31, 35, start=datetime(2026, 11, 10, tzinfo=UTC))


async def close(begin: Begin, month: date) -> Month:
    async with begin() as db:
        assert await close_month(db, FINANCE, month)
        period_id = (await month_of(db, FINANCE, month)).period_id
    assert period_id is not None
    await write_closed(begin, period_id, livemode=False)
    async with begin() as db:
        return await month_of(db, FINANCE, month)


async def read(begin: Begin, month: Month, kind: ClosedFileKind) -> bytes:
    return b"".join([chunk async for chunk in content(begin, month.files[kind].id)])


def rows_of(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


async def test_a_month_holds_what_was_dated_in_it(begin: Begin) -> None:
    await seeded(begin)
    september = await close(begin, SEPTEMBER)
    october = await close(begin, OCTOBER)
    assert (september.lines, october.lines) == (20, 40)
    rows = rows_of(await read(begin, october, ClosedFileKind.REFUNDS_CSV))
    assert [row["refund_id"] for row in rows] == [str(identity("refund", n)) for n in range(11, 31)]
    assert {row["movement"] for row in rows} == {"refund"}
    assert all(row["credit_note"].startswith("CN-2026-") for row in rows)
    euros = [expected(n) for n in range(11, 31) if expected(n).currency == "EUR"]
    total = next(total for total in october.totals if total.currency == "EUR")
    assert total == MonthTotal("EUR", len(euros), sum(story.gross for story in euros), 0, 0)
    assert sum(Decimal(row["gross"]) for row in rows if row["currency"] == "EUR") * 100 == total.refunded
    assert await check(begin) == []


async def test_taken_again_it_is_the_same_bytes_whatever_happened_since(begin: Begin) -> None:
    await seeded(begin)
    september = await close(begin, SEPTEMBER)
    before = {kind: await read(begin, september, kind) for kind in ClosedFileKind}
    async with begin() as db:
        await transition(db, SYSTEM, identity("refund", 4), RefundStatus.FAILED, failure="expired_or_canceled_card")
        await db.execute(text("UPDATE refund SET gateway_reference = 'later'"))
        await db.execute(text("UPDATE orders SET number = number || '-x'"))
    assert september.period_id is not None
    await write_closed(begin, september.period_id, livemode=False)
    async with begin() as db:
        again = await month_of(db, FINANCE, SEPTEMBER)
    assert again.files == september.files
    for kind in ClosedFileKind:
        assert await read(begin, again, kind) == before[kind]
        assert hashlib.sha256(before[kind]).digest() == again.files[kind].digest
        assert again.files[kind].size == len(before[kind])


async def test_a_failure_after_the_closing_is_a_line_of_the_open_month(begin: Begin) -> None:
    await seeded(begin)
    await close(begin, SEPTEMBER)
    async with begin() as db:
        await transition(db, SYSTEM, identity("refund", 4), RefundStatus.FAILED, failure="expired_or_canceled_card")
    october = await close(begin, OCTOBER)
    assert str(identity("refund", 4)) not in (await read(begin, october, ClosedFileKind.REFUNDS_CSV)).decode()
    with clock.at(datetime(2026, 12, 2, tzinfo=UTC)):
        november = await close(begin, date(2026, 11, 1))
    rows = rows_of(await read(begin, november, ClosedFileKind.REFUNDS_CSV))
    (reversal,) = [row for row in rows if row["movement"] == "reversal"]
    assert reversal["refund_id"] == str(identity("refund", 4))
    assert Decimal(reversal["gross"]) == -Decimal(expected(4).gross).scaleb(-PLACES[expected(4).currency])
    assert await check(begin) == []


@pytest.mark.parametrize("way", ["less", "nothing", "points"])
async def test_a_reversal_tells_of_what_was_paid_whatever_the_refund_became(begin: Begin, way: str) -> None:
    await seeded(begin)
    await close(begin, SEPTEMBER)
    await close(begin, OCTOBER)
    refund_id, order_id = identity("refund", 4), identity("order", 4)
    async with begin() as db:
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="expired_or_canceled_card")
    async with begin() as db:
        if way == "points":
            customer = Actor(kind="customer", id=str(order_id), order_id=order_id)
            await take_points(db, customer, refund_id, agreed=True)
        else:
            await lower(db, FINANCE, refund_id, 500 if way == "less" else 0)
        if way == "less":
            await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING, gateway_id="re_second")
        if way != "nothing":
            await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)
    with clock.at(datetime(2026, 12, 2, tzinfo=UTC)):
        november = await close(begin, date(2026, 11, 1))
    rows = rows_of(await read(begin, november, ClosedFileKind.REFUNDS_CSV))
    mine = {row["movement"]: row for row in rows if row["refund_id"] == str(refund_id)}
    reversal = mine["reversal"]
    gross, places = expected(4).gross, -PLACES[expected(4).currency]
    assert Decimal(reversal["gross"]) == Decimal(reversal["card_leg"]) == -Decimal(gross).scaleb(places)
    assert (reversal["destination"], reversal["gateway_refund_id"], reversal["skus"]) == ("original", "re_4", "SKU-4×1")
    assert Decimal(reversal["points_leg"]) == Decimal(reversal["points_bonus"]) == 0
    if way == "points":
        assert Decimal(mine["refund"]["points_bonus"]) == Decimal(gross // 10).scaleb(places)
    elif way == "less":
        assert Decimal(mine["refund"]["gross"]) == Decimal(500).scaleb(places)
    for total in november.totals:
        found = [row for row in rows if row["currency"] == total.currency]
        minor = sum((Decimal(row["gross"]) for row in found), Decimal()).scaleb(PLACES[total.currency])
        assert minor == total.refunded - total.reversed
    assert await check(begin) == []


async def test_what_is_dated_wrongly_falls_into_the_open_month(begin: Begin) -> None:
    """A posting of September that is written when September is closed already is booked on the first of October."""
    await seeded(begin)
    await close(begin, SEPTEMBER)
    async with begin() as db:
        await stories(db, 40, 40, start=datetime(2026, 9, 20, tzinfo=UTC))
        late = await month_of(db, FINANCE, OCTOBER)
        members = in_open(late.begins, late.ends, first=late.first_open)
    so_far = b"".join([chunk async for chunk in stream(begin, movements_listing(members))])
    october = await close(begin, OCTOBER)
    file = await read(begin, october, ClosedFileKind.REFUNDS_CSV)
    first = rows_of(file)[0]
    assert (first["order_number"], first["booked_at"]) == ("N40", "2026-09-30T21:00:00Z")
    assert {row["refund_id"] for row in rows_of(so_far)} == {row["refund_id"] for row in rows_of(file)}
    journal = rows_of(await read(begin, october, ClosedFileKind.JOURNAL_CSV))
    assert {row["date"] for row in journal if row["order_number"] == "N40"} == {"2026-10-01"}
    assert await check(begin) == []


async def exported(begin: Begin, first: date, last: date, **narrowed: Any) -> bytes:  # noqa: ANN401 - filters
    filters = Filters(first=first, last=last, zone="Europe/Sofia", **narrowed)
    return b"".join([chunk async for chunk in stream_refunds(begin, filters)])


async def test_the_report_of_closed_months_is_what_their_files_say(begin: Begin) -> None:
    await seeded(begin)
    september, october = await close(begin, SEPTEMBER), await close(begin, OCTOBER)
    both = await exported(begin, SEPTEMBER, date(2026, 10, 31))
    async with begin() as db:
        await transition(db, SYSTEM, identity("refund", 4), RefundStatus.FAILED, failure="expired_or_canceled_card")
    files = [await read(begin, month, ClosedFileKind.REFUNDS_CSV) for month in (september, october)]
    assert await exported(begin, SEPTEMBER, date(2026, 9, 30)) == files[0]
    header, rows = files[1].split(b"\n", 1)
    assert both == files[0] + rows == await exported(begin, SEPTEMBER, date(2026, 10, 31))
    assert files[0].startswith(header)
    # What is not whole closed months, or not all of them, is how the refunds stand now.
    assert len(rows_of(await exported(begin, SEPTEMBER, date(2026, 9, 29)))) == 9
    assert len(rows_of(await exported(begin, SEPTEMBER, date(2026, 11, 30)))) == 34
    assert len(rows_of(await exported(begin, SEPTEMBER, date(2026, 9, 30), status=RefundStatus.FAILED))) == 1
    assert len(rows_of(await exported(begin, SEPTEMBER, date(2026, 9, 30), basis=Basis.REQUESTED))) == 20


async def test_the_report_of_a_month_whose_files_are_not_written_yet_is_the_same(begin: Begin) -> None:
    await seeded(begin)
    async with begin() as db:
        await close_month(db, FINANCE, SEPTEMBER)
        month = await month_of(db, FINANCE, SEPTEMBER)
    before = await exported(begin, SEPTEMBER, date(2026, 9, 30))
    assert month.period_id is not None
    await write_closed(begin, month.period_id, livemode=False)
    assert await exported(begin, SEPTEMBER, date(2026, 9, 30)) == before


async def test_months_that_were_closed_when_there_were_fewer_columns_are_filled_up(begin: Begin) -> None:
    await seeded(begin)
    async with begin() as db:
        await db.execute(text("UPDATE refund SET reason = E'two\nlines, \"so\"'"))
        await db.execute(text("UPDATE return_line SET reason = 'too small'"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal, "_MOVEMENTS", journal._MOVEMENTS[:-3])
        await close(begin, SEPTEMBER)
    await close(begin, OCTOBER)
    content = await exported(begin, SEPTEMBER, date(2026, 10, 31))
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    assert len(rows) == 30
    assert {len(row) for row in rows} == {len(header)}
    assert {row[header.index("reason")] for row in rows} == {'two\nlines, "so"'}
    reason = header.index("return_reason")
    assert [row[reason:] for row in rows[:10]] == [["", "", ""]] * 10
    assert [row[reason:-1] for row in rows[10:]] == [["too small", ""]] * 20
    assert {float(row[-1]) for row in rows[10:]} == {0}


async def test_every_line_is_in_exactly_one_month(begin: Begin) -> None:
    await seeded(begin)
    found = [await close(begin, SEPTEMBER), await close(begin, OCTOBER)]
    with clock.at(datetime(2026, 12, 2, tzinfo=UTC)):
        found.append(await close(begin, date(2026, 11, 1)))
    seen = [
        row["transaction_id"]
        for month in found
        for row in rows_of(await read(begin, month, ClosedFileKind.JOURNAL_CSV))
        if row["debit"]
    ]
    async with begin() as db:
        debits = await db.execute(text("SELECT transaction_id FROM ledger_entry WHERE amount > 0"))
        assert sorted(map(UUID, seen)) == sorted(debits.scalars())


async def test_months_are_closed_in_order_and_not_before_they_end(begin: Begin) -> None:
    await seeded(begin)
    async with begin() as db:
        for month in (OCTOBER, date(2026, 11, 1), date(2026, 8, 1)):
            with pytest.raises(ConflictError, match="2026-09 is next"):
                await close_month(db, FINANCE, month)
    await close(begin, SEPTEMBER)
    await close(begin, OCTOBER)
    async with begin() as db:
        with pytest.raises(ConflictError, match="has not ended"):
            await close_month(db, FINANCE, date(2026, 11, 1))
        with pytest.raises(ForbiddenError):
            await close_month(db, Actor(kind="staff", id="w", grants=frozenset({"support"})), SEPTEMBER)
        with pytest.raises(NotFoundError):
            await month_of(db, FINANCE, date(2026, 12, 1))


async def test_a_month_ends_at_midnight_of_the_shop(begin: Begin) -> None:
    """In Sofia November begins at 22:00 UTC of the 31st: summer time ended six days before."""
    async with begin() as db:
        await stories(db, 1, 3, start=datetime(2026, 10, 31, 21, 57, tzinfo=UTC))
    with clock.at(datetime(2026, 10, 31, 21, 59, 59, tzinfo=UTC)):
        async with begin() as db:
            with pytest.raises(ConflictError, match="has not ended"):
                await close_month(db, FINANCE, OCTOBER)
    with clock.at(datetime(2026, 10, 31, 22, 1, tzinfo=UTC)):
        october = await close(begin, OCTOBER)
    # Stories 1 and 2 succeeded at 21:58 and 21:59; story 3 at 22:00, and was owed five minutes before.
    assert october.lines == 5
    assert october.files[ClosedFileKind.REFUNDS_CSV].rows == 2


async def test_a_second_click_and_two_at_once_close_it_once(begin: Begin) -> None:
    await seeded(begin)

    async def click() -> bool:
        async with begin() as db:
            return await close_month(db, FINANCE, SEPTEMBER)

    assert sorted(await at_once(*(click() for _ in range(8)))) == [False] * 7 + [True]
    assert await click() is False
    async with begin() as db:
        history = await db.execute(text("SELECT count(*) FROM history WHERE subject = 'period'"))
        assert history.scalar_one() == 1
        jobs = await db.execute(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'finance.write_closed'")
        )
        assert jobs.scalar_one() == 1
        period_id = (await month_of(db, FINANCE, SEPTEMBER)).period_id
    assert period_id is not None
    await at_once(*(write_closed(begin, period_id, livemode=False) for _ in range(4)))
    async with begin() as db:
        assert len((await month_of(db, FINANCE, SEPTEMBER)).files) == 3
        kept = await db.execute(text("SELECT count(*) FROM finance_file"))
        assert kept.scalar_one() == 3


async def test_what_is_closed_cannot_be_changed(begin: Begin) -> None:
    await seeded(begin)
    await close(begin, SEPTEMBER)
    for statement in (
        "DELETE FROM closed_line",
        "UPDATE closed_period SET lines = 0",
        "DELETE FROM closed_file",
        "UPDATE credit_note SET number = 7",
    ):
        async with begin() as db:
            with pytest.raises(Exception, match="append-only"):
                await db.execute(text(statement))
            await db.rollback()
    async with begin() as db:
        await db.execute(text("UPDATE finance_file_chunk SET data = data || 'x'"))
    assert [breach.invariant for breach in await check(begin)] == ["closed-exported-once"]


async def test_the_list_begins_with_the_open_months(begin: Begin) -> None:
    async with begin() as db:
        found = await months(db, FINANCE)
    assert [(month.name, month.first_open, month.over) for month in found] == [
        ("2026-11", False, False),
        ("2026-10", True, True),
    ]
    await seeded(begin)
    await close(begin, SEPTEMBER)
    async with begin() as db:
        await stories(db, 40, 40, start=datetime(2026, 9, 20, tzinfo=UTC))
        found = await months(db, FINANCE)
    assert [(month.name, month.period_id is None) for month in found] == [
        ("2026-11", True),
        ("2026-10", True),
        ("2026-09", False),
    ]
    counts: dict[str, int] = defaultdict(int)
    for month in found:
        counts[month.name] += sum(total.refunds for total in month.totals)
    assert counts == {"2026-11": 5, "2026-10": 21, "2026-09": 10}


async def test_an_empty_month_can_be_closed(begin: Begin) -> None:
    empty = await close(begin, OCTOBER)
    assert (empty.lines, list(empty.totals)) == (0, [])
    assert rows_of(await read(begin, empty, ClosedFileKind.JOURNAL_CSV)) == []
    assert await check(begin) == []


async def test_another_zone_later_leaves_no_gap_between_months(begin: Begin) -> None:
    await seeded(begin)
    september = await close(begin, SEPTEMBER)
    async with begin() as db:
        await update_shop(db, SYSTEM, timezone="America/New_York")
        october = await month_of(db, FINANCE, OCTOBER)
    assert october.begins == september.ends
    assert october.ends == datetime(2026, 11, 1, 4, tzinfo=UTC)
    await close(begin, OCTOBER)
    assert await check(begin) == []

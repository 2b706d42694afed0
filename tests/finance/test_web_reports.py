"""Finance's pages by HTTP: workbook, paper, months, credit notes, journal, liability, the proof of the books."""

import csv
import io
import re
from datetime import UTC, datetime
from html import unescape
from uuid import UUID

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped]  # openpyxl ships no types.
from sqlalchemy import text

from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.finance import exporting, proofs
from returns_portal.finance.closed_files import write_closed
from returns_portal.finance.closing import close_month, month_of
from returns_portal.finance.credit_notes import issue
from returns_portal.finance.filters import parse_month
from returns_portal.jobs import JobContext
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.settings import Settings
from returns_portal.warehouse.models import Condition
from tests.finance.journey import arrived, filed
from tests.finance.seed import identity, stories
from tests.finance.test_credit_notes import YEAR, read_pdf
from tests.portal import FINANCE
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

PERIOD = "from=2026-11-01&to=2026-11-30"


async def test_a_workbook_is_asked_for_waited_for_and_taken(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 30)
    shown = (await browser.get(f"/finance?{PERIOD}&currency=EUR")).text
    form = re.search(r'action="/finance/exports">(.*?)</form>', shown, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    assert fields["currency"] == "EUR"
    answer = await send(browser, "/finance/exports", fields)
    assert answer.status_code == 303
    where = answer.headers["location"]
    waiting = await browser.get(where)
    assert "Your workbook is being written" in waiting.text
    assert waiting.headers["refresh"] == "2"
    assert (await browser.get(f"{where}/file")).status_code == 404
    await exporting.write(JobContext(begin), UUID(where.rpartition("/")[2]))
    ready = await browser.get(where)
    assert "Your workbook is ready" in ready.text
    assert "10 refunds" in ready.text
    assert "refresh" not in ready.headers
    file = await browser.get(f"{where}/file")
    assert file.headers["content-disposition"] == 'attachment; filename="refunds-2026-11-01-2026-11-30.xlsx"'
    assert load_workbook(io.BytesIO(file.content))["Refunds"].max_row == 11
    assert (await browser.get(f"/finance/exports/{UUID(int=7)}")).status_code == 404


async def test_the_report_on_paper_has_all_sums_and_says_what_it_leaves_out(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 120)
    answer = await browser.get(f"/finance/refunds.pdf?{PERIOD}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    words = read_pdf(answer.content)
    assert "The newest 100 of 120 refunds" in words
    assert "Sandbox – no money moves" in words
    assert "R-120" in words
    assert re.search(r"\bR-20\b", words) is None
    empty = read_pdf((await browser.get("/finance/refunds.pdf?from=2025-01-01&to=2025-01-31")).content)
    assert "There are no refunds in this period." in empty


async def test_a_month_is_closed_and_its_files_are_taken(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 12, start=datetime(2026, 10, 5, tzinfo=UTC))
    shown = (await browser.get("/finance/months")).text
    assert "Close October 2026" in shown
    so_far = await browser.get("/finance/months/2026-10/refunds.csv")
    assert len(so_far.text.splitlines()) == 13
    answer = await send(browser, "/finance/months", {"month": "2026-10"})
    assert answer.headers["location"] == "/finance/months"
    assert "October 2026 is closed" in (await browser.get("/finance/months")).text
    assert (await browser.get("/finance/months/2026-10/journal.csv")).status_code == 409
    await send(browser, "/finance/months", {"month": "2026-10"})
    async with begin() as db:
        month = await month_of(db, FINANCE, parse_month("2026-10", "month"))
    assert month.period_id is not None
    await write_closed(begin, month.period_id, livemode=False)
    page = (await browser.get("/finance/months")).text
    assert "Journal, CSV" in page
    # Of the stories 1 to 12 one goes as points, whose bonus is a fifth line.
    for kind, rows in (("refunds.csv", 13), ("journal.csv", 12 * 4 + 1 + 1)):
        first = await browser.get(f"/finance/months/2026-10/{kind}")
        assert len(first.text.splitlines()) == rows
        assert first.content == (await browser.get(f"/finance/months/2026-10/{kind}")).content
    book = await browser.get("/finance/months/2026-10/refunds.xlsx")
    assert load_workbook(io.BytesIO(book.content)).sheetnames == ["Totals", "Refunds"]


@pytest.mark.parametrize("month", ["2026-13", "10-2026", "", "2026-11; DROP"])
async def test_a_month_that_is_none_is_refused(browser: Browser, month: str) -> None:
    assert (await send(browser, "/finance/months", {"month": month})).status_code == 422


async def test_a_month_out_of_order_is_refused_with_the_reason(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 2, start=datetime(2026, 9, 5, tzinfo=UTC))
    answer = await send(browser, "/finance/months", {"month": "2026-10"})
    assert answer.status_code == 303
    assert "2026-09 is next" in (await browser.get("/finance/months")).text
    for path in ("/finance/months/2026-10/secrets.csv", "/finance/months/2031-01/refunds.csv"):
        assert (await browser.get(path)).status_code == 404


async def test_credit_notes_are_listed_and_each_is_a_pdf(browser: Browser, begin: Begin) -> None:
    assert "No credit notes yet" in (await browser.get("/finance/credit-notes")).text
    async with begin() as db:
        await stories(db, 1, 103)
        await transition(db, SYSTEM, identity("refund", 103), RefundStatus.FAILED, failure="declined")
    await issue(begin)
    first = unescape((await browser.get("/finance/credit-notes")).text)
    assert f"CN-{YEAR}-000104" in first
    assert "cancellation" in first
    after = re.search(r'href="(/finance/credit-notes\?after=[^"]+)"', first)
    assert after is not None
    second = (await browser.get(after[1])).text
    assert f">CN-{YEAR}-000004<" in second
    assert f">CN-{YEAR}-000005<" not in second
    answer = await browser.get(f"/credit-notes/CN-{YEAR}-000001")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert f"CN-{YEAR}-000001" in read_pdf(answer.content)
    story = unescape((await browser.get(f"/finance/refunds/{identity('refund', 103)}")).text)
    assert story.count(f"/credit-notes/CN-{YEAR}-") == 2
    assert (await browser.get("/finance/credit-notes?after=x")).status_code == 422


async def test_strangers_cannot_take_a_credit_note_by_its_number(
    settings: Settings, database_url: str, begin: Begin
) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    await issue(begin)
    async with browsing(settings, database_url) as stranger:
        assert (await stranger.get(f"/credit-notes/CN-{YEAR}-000001")).status_code == 404
        await staff_signs_in(stranger, begin, "warehouse")
        assert (await stranger.get(f"/credit-notes/CN-{YEAR}-000001")).status_code == 403
        assert (await stranger.get("/finance/months")).status_code == 403


async def test_the_page_of_a_return_has_its_credit_note(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "1001")
        (refund_id,) = (await arrived(db, settings, journey, Condition.WORN)).refund_ids
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.SUCCEEDED)
    await issue(begin)
    shown = unescape((await browser.get(f"/returns/{journey.rma}")).text)
    assert f'href="/credit-notes/CN-{YEAR}-000001"' in shown


async def test_codes_of_accounts_are_changed_and_what_was_typed_stays(browser: Browser, begin: Begin) -> None:
    shown = (await browser.get("/finance/accounts")).text
    assert 'name="sales_returns" value="4100"' in shown
    refused = await send(browser, "/finance/accounts", {"sales_returns": "=cmd", "breakage": "9999"})
    assert refused.status_code == 422
    assert 'value="=cmd"' in refused.text
    assert 'value="9999"' in refused.text
    assert "A code begins with" in refused.text
    answer = await send(browser, "/finance/accounts", {"sales_returns": "8400"})
    assert answer.status_code == 303
    assert 'name="sales_returns" value="8400"' in (await browser.get("/finance/accounts")).text
    async with begin() as db:
        await stories(db, 1, 2)
    file = await browser.get(f"/finance/journal.csv?{PERIOD}")
    rows = list(csv.DictReader(io.StringIO(file.text, newline="")))
    assert {row["account_code"] for row in rows if row["account"] == "sales_returns"} == {"8400"}
    report = await browser.get(f"/finance/refunds.csv?{PERIOD}")
    assert {row["gl_account"] for row in csv.DictReader(io.StringIO(report.text, newline=""))} == {"8400"}


async def test_the_proof_of_the_books_stands_on_the_first_page(browser: Browser, begin: Begin) -> None:
    assert "not proven yet" in (await browser.get("/finance")).text
    assert "not proven yet" in (await browser.get("/finance/books")).text
    assert await proofs.prove(begin) == []
    assert "The books are in order" in (await browser.get("/finance")).text
    async with begin() as db:
        await stories(db, 1, 3)
        await db.execute(text("UPDATE orders SET total = total + 1"))
    assert [breach.invariant for breach in await proofs.prove(begin)] == ["frozen-sums"]
    first = (await browser.get("/finance")).text
    assert "1 rule of the books is broken" in first
    told = (await browser.get("/finance/books")).text
    assert "frozen-sums" in told
    assert "3 rows break it" in told
    assert str(identity("order", 1)) in told
    answer = await send(browser, "/finance/books", {})
    assert answer.status_code == 303
    async with begin() as db:
        jobs = await db.execute(text("SELECT task_name FROM procrastinate_jobs"))
        assert jobs.scalars().all() == ["finance.prove_books"]
        await db.execute(text("UPDATE books_check SET at = at - interval '40 hours', breaches = '[]'"))
    assert "look whether the worker runs" in (await browser.get("/finance")).text


async def test_closing_by_two_people_at_once_is_one_closing(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 2, start=datetime(2026, 10, 5, tzinfo=UTC))
        await close_month(db, FINANCE, parse_month("2026-10", "month"))
    await send(browser, "/finance/months", {"month": "2026-10"})
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM closed_period")) == 1

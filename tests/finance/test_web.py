"""Finance's pages by HTTP: what needs a decision, decisions, transfers, one refund, the report."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.jobs import JobContext
from returns_portal.ledger.models import Account
from returns_portal.payments.models import Tender
from returns_portal.refunds.actions import correct
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.refunds.settling import submit
from returns_portal.returns.withdrawals import state_withdrawal
from returns_portal.settings import Settings
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.finance.journey import arrived, filed, status_of
from tests.finance.seed import START, expected, stories
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

IBAN = "BG80 BNBG 9661 1020 3456 78"


async def test_others_do_not_come_in(settings: Settings, database_url: str, begin: Begin) -> None:
    async with browsing(settings, database_url) as browser:
        assert (await browser.get("/finance")).headers["location"] == "/sign-in?next=%2Ffinance"
        await staff_signs_in(browser, begin, "support")
        for path in ("/finance", "/finance/transfers", "/finance/transfers.csv", "/finance/refunds.csv"):
            assert (await browser.get(path)).status_code == 403, path
        assert (await browser.get("/finance/decisions")).status_code == 200


async def test_empty_pages_say_something(browser: Browser) -> None:
    for path, sentence in (
        ("/finance", "Nothing waits for you"),
        ("/finance", "No refunds in this period"),
        ("/finance?status=pending", "no day of success yet"),
        ("/finance/decisions", "Nothing waits for a decision"),
        ("/finance/transfers", "No transfers to make"),
    ):
        answer = await browser.get(path)
        assert answer.status_code == 200, answer.text
        assert sentence in answer.text
        assert "style=" not in answer.text


async def test_what_is_shown_is_what_is_exported(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 250)
    answer = await browser.get("/finance?from=2026-11-01&to=2026-11-30&currency=EUR&destination=points")
    assert answer.status_code == 200, answer.text
    mine = [story for story in map(expected, range(1, 251)) if story.currency == "EUR" and story.to_points]
    gross = sum(story.gross for story in mine)
    assert f"All {len(mine)} in EUR" in answer.text
    assert f"{gross // 100:,}.{gross % 100:02}" in answer.text
    href = re.search(r'href="(/finance/refunds\.csv\?[^"]*bom=1)"', answer.text)
    assert href is not None
    exported = await browser.get(unescape(href[1]))
    rows = list(csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig"), newline="")))
    assert {row["order_number"] for row in rows} == set(re.findall(r"<td>(N\d+)</td>", answer.text))
    assert len(rows) == len(mine)


async def test_the_page_begins_with_this_month(browser: Browser) -> None:
    with clock.at(datetime(2026, 2, 28, 23, tzinfo=UTC)):
        shown = (await browser.get("/finance")).text
    # In Sofia it is March already.
    assert "<h1>Refunds, March 2026</h1>" in shown
    assert 'value="2026-03-31"' in shown


async def test_pages_lead_on_until_the_last(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 230)
    path: str | None = "/finance?from=2026-11-01&to=2026-11-30"
    seen: list[str] = []
    while path:
        answer = await browser.get(path)
        seen += re.findall(r"<td>(N\d+)</td>", answer.text)
        following = re.search(r'href="([^"]+)" rel="next"', answer.text)
        path = unescape(following[1]) if following else None
    assert len(seen) == len(set(seen)) == 230


async def test_a_bad_day_is_said_beside_its_field(browser: Browser) -> None:
    answer = await browser.get("/finance?from=yesterday&to=2026-11-30")
    assert answer.status_code == 422
    assert "Give a day as YYYY-MM-DD." in answer.text
    assert 'value="yesterday"' in answer.text


async def test_a_failed_refund_is_shown_and_tried_again(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        (refund_id,) = (await arrived(db, settings, await filed(db, settings, "1001"), Condition.WORN)).refund_ids
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.FAILED, failure="expired_or_canceled_card")
    answer = await browser.get("/finance")
    assert "the card was closed" in answer.text
    assert "119.80" in answer.text
    assert (await send(browser, f"/finance/refunds/{refund_id}/retry", {})).headers["location"] == "/finance"
    assert "It is on its way again." in (await browser.get("/finance")).text
    story = (await browser.get(f"/finance/refunds/{refund_id}")).text
    assert "tried again" in story
    assert "Mira" in story
    async with begin() as db:
        assert await status_of(db, refund_id) == "planned"
    # A second click, and a click on what never was, change nothing and say so.
    await send(browser, f"/finance/refunds/{refund_id}/retry", {})
    assert "does not need to be tried again" in (await browser.get("/finance")).text
    await send(browser, f"/finance/refunds/{UUID(int=5)}/retry", {})
    assert "no such refund" in (await browser.get("/finance")).text


async def test_an_unknown_refund_is_asked_about(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        (refund_id,) = (await arrived(db, settings, await filed(db, settings, "1001"), Condition.WORN)).refund_ids
        await db.execute(text("DELETE FROM procrastinate_jobs"))
        await transition(db, SYSTEM, refund_id, RefundStatus.SUBMITTING)
        await transition(db, SYSTEM, refund_id, RefundStatus.UNKNOWN)
    assert "Nobody knows yet" in (await browser.get("/finance")).text
    await send(browser, f"/finance/refunds/{refund_id}/retry", {})
    async with begin() as db:
        asked = await db.execute(text("SELECT args ->> 'refund_id' FROM procrastinate_jobs"))
        assert asked.scalars().all() == [str(refund_id)]
        assert await status_of(db, refund_id) == "unknown"


async def test_everything_else_that_waits_is_shown_and_settled(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        lowered = await filed(db, settings, "1001")
        check_in = (await arrived(db, settings, lowered, Condition.RESELLABLE)).check_in_id
        await correct(
            db, SYSTEM, settings, check_in, [Counted(lowered.line_id, 1, Condition.RESELLABLE)], "one was ours"
        )
        unshipped = await filed(db, settings, "1002", shipped=False)
        unpayable = await filed(db, settings, "1003")
        await arrived(db, settings, unpayable, Condition.WORN)
        await db.execute(text("UPDATE payment SET status = 'failed' WHERE order_id = :id"), {"id": unpayable.order_id})
        stated, _order, _when = await state_withdrawal(
            db, SYSTEM, name="Boris", order_number="77", email="b@example.com", details="all of it"
        )
        await db.execute(
            text(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts) VALUES"
                " ('default', 'notifications.deliver', '{}', 'failed', 12)"
            )
        )
        job = (await db.execute(text("SELECT id FROM procrastinate_jobs WHERE status = 'failed'"))).scalar_one()
        parcel = (await db.execute(text("SELECT id FROM parcel WHERE corrects_id IS NOT NULL"))).scalar_one()
    shown = (await browser.get("/finance")).text
    for sentence in (
        "2 paid for, 1 accepted now",
        "one was ours",
        "2 items that have not left the shop",
        "The payment of order 1003 could not be confirmed",
        "Boris, b@example.com, order 77",
        "There is no order of this number and address",
        "notifications.deliver",
    ):
        assert sentence in shown, sentence
    for path in (
        f"/finance/corrections/{parcel}/review",
        f"/finance/returns/{unshipped.rma}/unshipped-refund",
        f"/finance/statements/{stated}/handling",
        f"/finance/jobs/{job}/retry",
    ):
        answer = await send(browser, path, {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/finance")
        assert 'class="notice good"' in (await browser.get("/finance")).text
    after = (await browser.get("/finance")).text
    for gone in ("paid for, 1 accepted now", "not left the shop", "Boris", "notifications.deliver"):
        assert gone not in after


async def test_a_deadline_that_passed_stands_on_the_first_page(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        near = await filed(db, settings, "1001")
        await arrived(db, settings, near, Condition.DAMAGED)
        far = await filed(db, settings, "1002")
        await arrived(db, settings, far, Condition.DAMAGED)
        await db.execute(
            text("UPDATE returns SET refund_deadline = :moment WHERE rma = :rma"),
            {"rma": near.rma, "moment": clock.now() - timedelta(days=1)},
        )
    shown = (await browser.get("/finance")).text
    assert near.rma in shown
    assert "was due" in shown
    assert far.rma not in shown
    assert "4 items wait for a decision" in shown


async def test_every_filter_has_a_label_of_its_own(browser: Browser) -> None:
    shown = unescape((await browser.get("/finance")).text)
    form = shown[shown.index('class="filters"') :]
    labels = re.findall(r"<label[^>]*>([^<]+)", form)
    assert [label.strip() for label in labels] == [
        "First day", "Last day", "By the day of", "Status", "Paid to", "Currency",
    ]  # fmt: skip


async def test_a_transfer_is_made(browser: Browser, begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "=1001", tender=Tender.EXTERNAL, bank_account=IBAN)
        (refund_id,) = (await arrived(db, settings, journey, Condition.RESELLABLE)).refund_ids
        silent = await filed(db, settings, "1002", tender=Tender.EXTERNAL)
        (other,) = (await arrived(db, settings, silent, Condition.RESELLABLE)).refund_ids
    for each in (refund_id, other):
        await submit(JobContext(begin), each)
    shown = (await browser.get("/finance/transfers")).text
    assert IBAN in shown
    assert "Not given yet" in shown
    file = list(csv.DictReader(io.StringIO((await browser.get("/finance/transfers.csv")).text, newline="")))
    assert [(row["account"], row["amount"], row["order_number"]) for row in file] == [(IBAN, "119.80", "'=1001")]
    answer = await send(browser, f"/finance/transfers/{refund_id}", {"reference": " "})
    assert answer.status_code == 422
    assert "Give the bank's reference" in unescape(answer.text)
    answer = await send(browser, f"/finance/transfers/{refund_id}", {"reference": "SEPA 20261122-7"})
    assert answer.headers["location"] == "/finance/transfers"
    assert IBAN not in (await browser.get("/finance/transfers")).text
    story = (await browser.get(f"/finance/refunds/{refund_id}")).text
    assert "SEPA 20261122-7" in story
    assert "exported for the bank" in story
    assert "Bank transfers" in story
    async with begin() as db:
        booked = await db.execute(
            text("SELECT amount FROM ledger_entry WHERE account = :a"), {"a": Account.BANK_CLEARING}
        )
        assert booked.scalars().all() == [-11980]
        kept = await db.execute(text("SELECT bank_account FROM returns WHERE rma = :rma"), {"rma": journey.rma})
        assert kept.scalar_one() is None


async def test_an_account_number_of_another_secret_does_not_hide_the_others(
    browser: Browser, begin: Begin, settings: Settings
) -> None:
    async with begin() as db:
        journey = await filed(db, settings, "1001", tender=Tender.EXTERNAL, bank_account=IBAN)
        (refund_id,) = (await arrived(db, settings, journey, Condition.RESELLABLE)).refund_ids
        await db.execute(text("UPDATE returns SET bank_account = 'gAAAAAB-of-another-secret'"))
    await submit(JobContext(begin), refund_id)
    shown = await browser.get("/finance/transfers")
    assert shown.status_code == 200
    assert "stored under another SECRET_KEY" in shown.text


async def test_forms_without_their_token_are_refused(browser: Browser) -> None:
    answer = await browser.post(f"/finance/refunds/{UUID(int=1)}/retry", data={})
    assert answer.status_code == 403


async def test_figures_are_of_the_period(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 3, 3)
        await stories(db, 6, 6, start=datetime(2026, 10, 1, tzinfo=UTC))
    shown = (await browser.get(f"/finance?from={START.date()}&to={START.date()}")).text
    gross = expected(3).gross
    assert f"<b>€{gross // 100}.{gross % 100:02}</b>" in shown
    assert "1 refund<" in shown
    assert shown.count("<rect") == 1

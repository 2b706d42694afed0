"""By when money has to go back: what is listed, as page, as file, and in the shop's e-mail."""

import asyncio
import csv
import io
from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.finance.deadlines import warn
from returns_portal.notifications.rendering import render_email
from returns_portal.refunds.filing import FiledReturn
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import browsing

pytestmark = pytest.mark.anyio

PAGE = "/finance/deadlines"


async def sent_back(portal: Portal, number: str = "1001", *, scanned_after: timedelta | None = None) -> FiledReturn:
    """A return of one unit; with a scan of the carrier where that is asked for."""
    _order, lines = await portal.order(number=number)
    filed = await portal.file(number, (lines[0], 1), to=RefundTo.ORIGINAL)
    if scanned_after is not None:
        await portal.rows(
            "UPDATE label SET first_scan_at = :at, status = 'in_transit' WHERE return_id = :id RETURNING id",
            at=clock.now() + scanned_after,
            id=filed.id,
        )
    return filed


async def listed(portal: Portal, database_url: str, days: int = 7) -> list[dict[str, str]]:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, f"{clock.now().timestamp()}@shop.example", "finance")
        answer = await browser.get(f"{PAGE}.csv?days={days}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_what_nobody_has_sent_yet_may_wait(portal: Portal, database_url: str) -> None:
    await sent_back(portal)
    with clock.shifted(timedelta(days=20)):
        assert await listed(portal, database_url) == []


async def test_a_scan_of_the_carrier_is_the_proof_that_makes_it_due(portal: Portal, database_url: str) -> None:
    filed = await sent_back(portal, scanned_after=timedelta(days=2))
    assert await listed(portal, database_url) == []
    with clock.shifted(timedelta(days=10)):
        (row,) = await listed(portal, database_url)
        assert (row["return"], row["overdue"], row["waits_for"]) == (filed.rma, "false", "check_in")
    with clock.shifted(timedelta(days=15)):
        (row,) = await listed(portal, database_url, days=0)
        assert row["overdue"] == "true"


async def test_goods_that_were_sent_late_are_due_when_they_were_sent(portal: Portal, database_url: str) -> None:
    await sent_back(portal, scanned_after=timedelta(days=30))
    with clock.shifted(timedelta(days=25)):
        (row,) = await listed(portal, database_url)
    due = (clock.now() + timedelta(days=30)).date().isoformat()
    assert row["due_at"].startswith(due)


async def test_goods_that_wait_for_a_decision_and_what_is_settled(portal: Portal, database_url: str) -> None:
    _order, lines = await portal.order()
    filed = await portal.file("1001", (lines[0], 2))
    await portal.receive(filed.rma, (lines[0], 1, Condition.DAMAGED), (lines[0], 1, Condition.RESELLABLE))
    await portal.work()
    with clock.shifted(timedelta(days=12)):
        (row,) = await listed(portal, database_url)
        assert row["waits_for"] == "decision"
    await portal.rows("UPDATE parcel_item SET acceptance = 'sent_back' WHERE acceptance = 'waiting' RETURNING id")
    with clock.shifted(timedelta(days=12)):
        assert await listed(portal, database_url) == []


async def test_a_statement_without_a_return_has_its_deadline(portal: Portal, database_url: str) -> None:
    async with browsing(portal.settings, database_url) as browser:
        stated = {"name": "Ana", "order_number": "=9+9", "email": "ana@example.com"}
        await post(browser, "/withdraw/confirmation", stated)
    with clock.shifted(timedelta(days=13)):
        (row,) = await listed(portal, database_url)
    assert (row["return"], row["order"], row["waits_for"], row["withdrawal"]) == ("", "'=9+9", "statement", "true")


async def test_the_page_says_overdue_in_words(portal: Portal, database_url: str) -> None:
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "mira@shop.example", "finance")
        assert "Nothing is due" in words(await browser.get(PAGE))
        filed = await sent_back(portal, scanned_after=timedelta(0))
        assert filed.rma in words(await browser.get(f"{PAGE}?days=30"))
        wrong = await browser.get(f"{PAGE}?days=soon")
        assert (wrong.status_code, 'value="soon"' in wrong.text) == (422, True)
        assert "Please give a number of days from 0 to 60." in words(wrong)
        with clock.shifted(timedelta(days=16)):
            await sign_in(browser, portal, "ivan@shop.example", "finance")
            shown = words(await browser.get(PAGE))
        assert "1 refund is overdue. Pay it today." in shown
        assert "overdue" in shown
        await sign_in(browser, portal, "vera@shop.example", "support")
        assert (await browser.get(PAGE)).status_code == 403


async def test_the_shop_is_told_once_a_day_and_not_of_nothing(portal: Portal) -> None:
    await warn(portal.begin)
    assert await portal.mails() == []
    filed = await sent_back(portal, scanned_after=timedelta(0))
    with clock.shifted(timedelta(days=12)):
        await asyncio.gather(warn(portal.begin), warn(portal.begin))
        await warn(portal.begin)
    with clock.shifted(timedelta(days=15)):
        await warn(portal.begin)
    letters = await portal.rows("SELECT * FROM email WHERE template = 'deadlines_due' ORDER BY created_at")
    assert [letter.recipient for letter in letters] == [DEFAULT.email] * 2
    assert [(letter.values["overdue"], letter.values["soon"]) for letter in letters] == [(0, 1), (1, 0)]
    late = render_email("deadlines_due", "en", letters[1].values, DEFAULT, portal.settings)
    assert late.subject == "1 refund is overdue"
    for face in (late.text, late.html):
        assert filed.rma in face
        assert "OVERDUE" in face

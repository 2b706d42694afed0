"""The page of the reconciliation: it begins with "All agrees", or with what does not."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.db import Begin
from returns_portal.finance.reconciliation import reconcile
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.settings import Settings
from tests.finance.balances import Account, line, payout
from tests.finance.seed import expected, stories
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

PAGE = "/finance/reconciliation"
DAYS = "?from=2026-11-01&to=2026-11-30"


async def shown(browser: Browser, query: str = DAYS) -> str:
    answer = await browser.get(PAGE + query)
    assert answer.status_code == 200, answer.text
    assert "style=" not in answer.text
    return unescape(answer.text)


async def test_others_do_not_come_in(settings: Settings, database_url: str, begin: Begin) -> None:
    async with browsing(settings, database_url) as browser:
        assert (await browser.get(PAGE)).status_code == 303
        await staff_signs_in(browser, begin, "support")
        assert (await browser.get(PAGE)).status_code == 403
        assert (await send(browser, PAGE, {})).status_code == 403


async def test_before_the_first_comparison_it_says_so_and_can_be_asked_for(browser: Browser, begin: Begin) -> None:
    assert "Nothing was compared yet" in await shown(browser, "")
    assert (await send(browser, PAGE, {})).headers["location"] == PAGE
    assert "Stripe's balance is being read" in await shown(browser, "")
    async with begin() as db:
        names = (await db.execute(text("SELECT task_name FROM procrastinate_jobs"))).scalars().all()
    assert names == ["finance.reconcile"]


async def test_it_begins_with_all_agrees(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 6)
    charge = line(3, id="txn_c", category="charge", source="ch_3", amount=9_000, fee=160, net=8_840, our_id=None)
    odd = line(3, id="txn_o", category="risk_reserved_funds", source=None, amount=-5, our_id=None)
    paid = payout("po_1", 8_840 - expected(3).gross)
    by_hand = payout("po_2", 1, automatic=False, listed=False, status="new_word")
    not_yet = payout("po_3", 2, listed=False)
    account = Account(
        *map(line, range(1, 7)), charge, odd, payouts={paid: ["txn_c", "txn_3"], by_hand: [], not_yet: []}
    )
    await reconcile(begin, account)
    page = await shown(browser)
    main = page[page.index("<h1>Reconciliation</h1>") :]
    first = re.search(r'<p class="notice (\w+)"><b>([^<]*)</b>', main)
    assert first is not None
    assert first.groups() == ("good", "All agrees.")
    for sentence in (
        "6 postings have their lines at Stripe",
        "1 Nov 2026 to 30 Nov 2026",
        "Sandbox: the payments, lines and payouts are made up",
        "All fees in EUR",
        "€1.60",
        "risk reserved funds",
        "new_word",
        "made by hand: Stripe does not tell its lines",
        "its lines are not told yet",
        '<span class="badge good">agrees</span>',
    ):
        assert sentence in page, sentence


async def test_it_begins_with_what_does_not_agree(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 6)
    stray = line(1, id="txn_x", source="re_<x>", our_id=None, amount=-100, payment_amount=-100)
    await reconcile(begin, Account(line(1), line(2, amount=-5), line(3), line(4), line(6), stray))
    answer = (await browser.get(PAGE + DAYS)).text
    assert "re_<x>" not in answer
    page = unescape(answer)
    assert "3 things do not agree." in page
    assert page.index("3 things do not agree.") < page.index("What was matched")
    for sentence in ("Missing at Stripe", "Missing here", "Amount differs", "N5", "re_5", "txn_x"):
        assert sentence in page, sentence
    assert len(re.findall(r'href="/finance/refunds/[0-9a-f-]{36}"', page)) == 2
    # Another period agrees; what the newest comparison found is said all the same.
    elsewhere = await shown(browser, "?from=2026-01-01&to=2026-01-31")
    assert "All agrees." in elsewhere
    assert "The newest comparison found 3 differences" in elsewhere
    first = unescape((await browser.get("/finance")).text)
    assert "3 amounts do not agree with the gateway" in first


async def test_long_lists_have_pages(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 260)
    payouts = [payout(f"po_{n:03}", n) for n in range(1, 121)]
    await reconcile(begin, Account(payouts={one: [] for one in payouts}))
    expecting = {f"N{n}" for n in range(1, 261) if not expected(n).to_points}
    path: str | None = DAYS
    seen: list[str] = []
    sums: list[str] = []
    while path:
        page = await shown(browser, path)
        seen += re.findall(r">(N\d+)</a></td>", page)
        sums += re.findall(
            r'<td class="code">(po_\d+)', page[page.index("What does not agree</h2>") : page.index("What was matched")]
        )
        following = re.search(r'href="/finance/reconciliation([^"]+&after=[^"]+)" rel="next"', page)
        path = following[1] if following else None
    assert sorted(seen) == sorted(expecting)
    assert len(sums) == len(set(sums)) == 120
    path, listed = DAYS, list[str]()
    while path:
        page = await shown(browser, path)
        listed += re.findall(r'<td class="code">(po_\d+)', page[page.index(">Payouts</h2>") :])
        following = re.search(r'href="/finance/reconciliation([^"]+&after_payout=[^"]+)" rel="next"', page)
        path = following[1] if following else None
    assert sorted(listed) == sorted(one.id for one in payouts)


async def test_a_gateway_that_did_not_answer_is_said(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 1)
    account = Account(line(1))
    account.breaks = 0
    with pytest.raises(GatewayUnknownError):
        await reconcile(begin, account)
    page = await shown(browser)
    assert "Stripe's balance could not be read." in page
    assert "the line went dead" in page
    assert "All agrees" not in page
    account.breaks = None
    await reconcile(begin, account)
    account.breaks = 0
    account.lines[0] = line(1, created=clock.now())
    with pytest.raises(GatewayUnknownError):
        await reconcile(begin, account)
    page = await shown(browser)
    assert "All agrees." in page
    assert "Stripe's balance could not be read." in page


async def test_nights_that_were_missed_are_said(browser: Browser, begin: Begin) -> None:
    with clock.at(clock.now() - timedelta(days=2)):
        await reconcile(begin, Account())
    assert "look whether the worker runs" in await shown(browser)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?from=yesterday&to=2026-11-30", "Give a day as YYYY-MM-DD."),
        ("?from=2026-12-01&to=2026-11-30", "The first day is after the last."),
    ],
)
async def test_a_bad_day_is_said_beside_its_field(browser: Browser, begin: Begin, query: str, sentence: str) -> None:
    await reconcile(begin, Account())
    answer = await browser.get(PAGE + query)
    assert answer.status_code == 422
    assert sentence in unescape(answer.text)
    assert f'value="{query.removeprefix("?from=").partition("&")[0]}"' in answer.text


@pytest.mark.parametrize("place", ["x", "2026-11-01_x", "2026-11-01T00:00:00_x", "2026-11-01T00:00:00Z_%00"])
async def test_a_page_that_is_none(browser: Browser, place: str) -> None:
    for name in ("after", "after_payout"):
        assert (await browser.get(f"{PAGE}{DAYS}&{name}={place}")).status_code == 422

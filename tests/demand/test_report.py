"""What is asked for and not there, counted: every number leads to as many rows as it says, and so does its file."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.demand import asking, telling
from returns_portal.demand.answering import Reply, answer
from returns_portal.demand.asking import Asked
from returns_portal.demand.counting import asked_for, bought_between, came_back, named_between, sent_to
from returns_portal.demand.following import follow
from returns_portal.demand.models import Source, State
from returns_portal.demand.pages import report
from returns_portal.errors import ForbiddenError
from tests.demand.things import STRANGER, hire, place, stock
from tests.exchanges.samples import BOOT, a_boot
from tests.portal import Portal
from tests.returns.visits import sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

REPORT = "/staff/demand"


@pytest.fixture
async def desk(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    await stock(portal)
    async with browsing(portal.settings, database_url) as client:
        await sign_in(client, portal, "olga@shop.example", "support")
        yield client


async def wish(portal: Portal, **more: Any) -> UUID:  # noqa: ANN401 - fields
    given: dict[str, Any] = {"product": "boot", "size": "43", "email": "ana@example.com", "consent": "yes"}
    async with portal.begin() as db:
        wanted = Asked(source=Source.PRODUCT, locale="en", **(given | more))
        return await asking.ask(db, STRANGER, portal.settings, wanted)


async def a_month_of_it(portal: Portal) -> None:
    """Ana asks twice and comes back; two name the same gloves; three are sent elsewhere, and one of them goes."""
    place_id = await place(portal)
    for _twice in range(2):
        await wish(portal)
    await wish(portal, size="47", email="")
    await wish(portal, product="", what="  Warm   GLOVES ", size="", email="")
    gloves = await wish(portal, product="", what="warm gloves", size="", email="udo@example.com")
    olga = await hire(portal)
    rows = await portal.rows("SELECT id FROM referral ORDER BY id")
    async with portal.begin() as db:
        await answer(db, olga, portal.settings, gloves, Reply(state=State.ELSEWHERE, places=[place_id]))
        await follow(db, place_id, rows[0].id)
        await follow(db, place_id, None)
    after = clock.now() + timedelta(hours=1)
    lines = [a_boot(quantity=2, tax=5300), a_boot(sku="other")]
    await portal.order(number="77", email="Ana@example.com", placed_at=after, lines=lines, delivered_at=None)
    async with portal.begin() as db:
        await telling.note_who_came_back(db)


async def test_an_empty_report_says_what_will_stand_there(desk: Browser) -> None:
    said = words(await desk.get(REPORT))
    for sentence in ("Nobody asked for anything", "Nobody was sent elsewhere", "Nobody has come back yet"):
        assert sentence in said
    assert "Nobody was sent elsewhere" in words(await desk.get(f"{REPORT}/named"))


async def test_it_counts_and_each_number_leads_to_its_rows(desk: Browser, portal: Portal) -> None:
    await a_month_of_it(portal)
    now, month = clock.now(), timedelta(days=31)
    page = await desk.get(f"{REPORT}?from={now - month:%Y-%m}&to={now + month:%Y-%m}")
    said = words(page)
    assert "Chelsea <Boot> Size 43, Black" not in said
    assert "Chelsea <Boot> Size 43 2 2 2 2" in said
    assert "Chelsea <Boot> Size 47 1 1 0 0" in said
    assert "warm gloves – 2 1 0 0" in said
    assert "Kestrel & Sons 3 1 1" in said
    assert f"EUR 2 1 €{2 * BOOT / 100:.2f}" in said
    links = re.findall(r'<td class="n"><a href="([^"]+)">([0-9]+)</a>', page.text)
    assert len(links) == 3 * 4 + 3 + 2
    for href, count in links:
        rows = await desk.get(unescape(href))
        assert rows.status_code == 200
        shown = (
            rows.text.count('<a href="/staff/requests/')
            if "requests" in href
            else rows.text.count('<tr><th scope="row">')
        )
        assert shown == (2 if "returned" in href and count == "1" else int(count)), href


async def test_what_was_bought_in_a_currency_leads_to_those_who_paid_in_it(desk: Browser, portal: Portal) -> None:
    for number, currency in (("77", "EUR"), ("78", "GBP"), ("79", "GBP")):
        email = f"ana{number}@example.com"
        await wish(portal, email=email)
        after = clock.now() + timedelta(hours=1)
        await portal.order(number=number, email=email, placed_at=after, currency=currency, lines=[a_boot()])
    async with portal.begin() as db:
        await telling.note_who_came_back(db)
    page = await desk.get(REPORT)
    for currency, count in (("EUR", 1), ("GBP", 2)):
        [href] = set(re.findall(rf'{currency}</th><td class="n"><a href="([^"]+)">', page.text))
        assert (await desk.get(unescape(href))).text.count('<a href="/staff/requests/') == count


async def test_a_long_list_says_that_it_is_one(desk: Browser, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_TOP", 2)
    for size, said in (("43", False), ("44", False), ("45", True)):
        await wish(portal, size=size)
        page = await desk.get(REPORT)
        assert ("There are more; the CSV has all of them." in words(page)) is said
    assert page.text.count('<th scope="row">') == 2


@pytest.mark.parametrize(("before", "shown"), [(0, True), (32, True), (95, False)])
async def test_without_months_it_is_about_the_last_three(
    desk: Browser, portal: Portal, before: int, shown: bool
) -> None:
    with clock.at(clock.now().replace(day=1) - timedelta(days=before)):
        await wish(portal)
    assert ("Chelsea <Boot> Size 43 1 1" in words(await desk.get(REPORT))) is shown
    assert (await desk.get(f"{REPORT}/asked.csv")).text.count("\n") == 1 + shown


@pytest.mark.parametrize(("name", "rows"), [("asked", 5), ("named", 4), ("returned", 1)])
async def test_behind_each_part_is_a_file(desk: Browser, portal: Portal, name: str, rows: int) -> None:
    await a_month_of_it(portal)
    months = f"from={clock.now():%Y-%m}&to={clock.now() + timedelta(days=31):%Y-%m}"
    answered = await desk.get(f"{REPORT}/{name}.csv?{months}")
    assert answered.headers["content-type"].startswith("text/csv")
    found = list(csv.DictReader(io.StringIO(answered.text)))
    assert len(found) == rows
    assert "ana@" not in answered.text.lower()
    if name == "returned":
        assert (found[0]["order"], found[0]["requests"], found[0]["worth_minor"]) == ("77", "2", str(2 * BOOT))
    assert (
        list(csv.DictReader(io.StringIO((await desk.get(f"{REPORT}/{name}.csv?from=2025-01&to=2025-02")).text))) == []
    )


async def test_what_spreadsheets_would_run_is_text(desk: Browser, portal: Portal) -> None:
    await wish(portal, product="", what="=1+1", size="", email="")
    [row] = csv.DictReader(io.StringIO((await desk.get(f"{REPORT}/asked.csv")).text))
    assert row["what"].startswith("'=")
    # An order's number is what another system sent.
    await wish(portal)
    lines = [a_boot()]
    after = clock.now() + timedelta(hours=1)
    await portal.order(number="=2+2", email="ana@example.com", placed_at=after, lines=lines, delivered_at=None)
    async with portal.begin() as db:
        await telling.note_who_came_back(db)
    for name, column in (("asked", "came_back_order"), ("returned", "order")):
        rows = csv.DictReader(io.StringIO((await desk.get(f"{REPORT}/{name}.csv")).text))
        assert "'=2+2" in [row[column] for row in rows]


@pytest.mark.parametrize("months", ["from=soon", "from=2026-05&to=2026-04", "from=2020-01&to=2026-01"])
async def test_what_are_no_months_is_said(desk: Browser, months: str) -> None:
    answered = await desk.get(f"{REPORT}?{months}")
    assert (answered.status_code, 'id="from-error"' in answered.text) == (422, True)
    assert (await desk.get(f"{REPORT}/asked.csv?{months}")).status_code == 422


async def test_nobody_else_reads_it(desk: Browser, portal: Portal) -> None:
    await sign_in(desk, portal, "ivo@shop.example", "warehouse")
    for path in ("", "/named", "/asked.csv", "/named.csv", "/returned.csv"):
        assert (await desk.get(REPORT + path)).status_code == 403
    now = clock.now()
    async with portal.begin() as db:
        for count in (asked_for, sent_to, came_back, named_between, bought_between):
            with pytest.raises(ForbiddenError):
                await count(db, STRANGER, now, now)

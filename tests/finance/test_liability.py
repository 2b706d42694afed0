"""The points liability as page and file: opening and changes come to closing, and closing to its months."""

import csv
import io
from collections import defaultdict
from decimal import Decimal

import pytest

from returns_portal.db import Begin
from returns_portal.finance.liability import CHANGES
from returns_portal.settings import Settings
from tests.finance.seed import expected, stories
from tests.webclient import Browser, browsing, staff_signs_in

pytestmark = pytest.mark.anyio

PLACES = {"EUR": 2, "JPY": 0, "BHD": 3}


async def rows(browser: Browser, query: str) -> list[dict[str, str]]:
    answer = await browser.get(f"/finance/liability.csv?{query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_it_adds_up(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 70)
    found = await rows(browser, "from=2026-11-01&to=2026-11-30")
    mine = [expected(n) for n in range(1, 71) if expected(n).to_points]
    for currency in ("EUR", "JPY", "BHD"):
        sums = {
            row["name"]: Decimal(row["amount"])
            for row in found
            if row["currency"] == currency and row["section"] == "change"
        }
        assert list(sums) == [name for name, _heading in CHANGES]
        scale = Decimal(1).scaleb(-PLACES[currency])
        assert sums["refunds"] == sum(story.gross for story in mine if story.currency == currency) * scale
        assert sums["bonus"] == sum(story.bonus for story in mine if story.currency == currency) * scale
        assert sum(sums.values()) - sums["closing"] == sums["closing"]
        expiring = [
            Decimal(row["amount"]) for row in found if row["currency"] == currency and row["section"] == "expiry"
        ]
        assert sum(expiring) == sums["closing"]
    assert {row["livemode"] for row in found} == {"false"}


async def test_what_was_before_is_the_opening(browser: Browser, begin: Begin) -> None:
    async with begin() as db:
        await stories(db, 1, 70)
    before = await rows(browser, "from=2026-11-01&to=2026-11-30")
    after = await rows(browser, "from=2026-12-01&to=2026-12-31")
    closing: dict[str, str] = defaultdict(str)
    for row in before:
        if row["name"] == "closing":
            closing[row["currency"]] = row["amount"]
    assert {row["currency"]: row["amount"] for row in after if row["name"] == "opening"} == closing


async def test_the_page_shows_it_and_an_impossible_period(browser: Browser, begin: Begin) -> None:
    assert "No points yet" in (await browser.get("/finance/liability")).text
    async with begin() as db:
        await stories(db, 7, 7)
    shown = (await browser.get("/finance/liability?from=2026-11-01&to=2026-11-30")).text
    assert "When the closing expires" in shown
    assert "JPY" in shown or "EUR" in shown or "BHD" in shown
    wrong = await browser.get("/finance/liability?from=2026-11-30&to=2026-11-01")
    assert wrong.status_code == 422
    assert "The first day is after the last." in wrong.text


async def test_support_does_not_see_it(settings: Settings, database_url: str, begin: Begin) -> None:
    async with browsing(settings, database_url) as client:
        await staff_signs_in(client, begin, "support")
        assert (await client.get("/finance/liability")).status_code == 403

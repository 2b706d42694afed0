"""What is measured of questions, against a second program that counts minutes and sorts by hand."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import run
from returns_portal.errors import ForbiddenError
from returns_portal.ids import new_id
from returns_portal.service import answering
from returns_portal.service.measuring import came_between, cases_between, measured, percentile
from tests.portal import Portal
from tests.returns.visits import sign_in, words
from tests.service.things import MONDAY, answers, asks, hire, open_shop, writes
from tests.webclient import browsing

pytestmark = pytest.mark.anyio

SOFIA = ZoneInfo("Europe/Sofia")
START = datetime(2026, 10, 19, tzinfo=UTC)
"""A week before clocks are put back."""
COUNTED = """
    SELECT number, opened_at, first_reply_at, closed_at FROM question WHERE opened_at >= :start AND opened_at < :end
"""


async def a_month(portal: Portal) -> tuple[datetime, datetime]:
    """Questions at any time of five weeks; some answered, some of these closed; the period that is looked at."""
    await open_shop(portal)
    olga = await hire(portal)
    chance = random.Random(7)  # noqa: S311 - the same in each run
    for _each in range(40):
        asked_at = START + timedelta(minutes=chance.randrange(35 * 1440))
        with clock.at(asked_at):
            question_id = await asks(portal)
        if chance.random() < 0.8:
            replied_at = asked_at + timedelta(minutes=chance.randrange(5000))
            with clock.at(asked_at + (replied_at - asked_at) / 2):
                async with portal.begin() as db:
                    await answering.note(db, olga, question_id, "Not an answer")
                    await answering.promise(db, olga, question_id, replied_at + timedelta(minutes=1), "Nor this")
            with clock.at(replied_at):
                await answers(portal, olga, question_id)
            if chance.random() < 0.6:
                with clock.at(replied_at + timedelta(minutes=chance.randrange(2000))):
                    async with portal.begin() as db:
                        await answering.close(db, olga, question_id)
    return START + timedelta(days=3), START + timedelta(days=30)


def open_minutes(start: datetime, end: datetime) -> int:
    """Seconds in which the shop's clock shows nine to six on a weekday, a minute at a time."""
    count, moment = 0, start
    while moment < end:
        shows = moment.astimezone(SOFIA)
        count += shows.weekday() < 5 and 9 <= shows.hour < 18
        moment += timedelta(minutes=1)
    return count * 60


def by_hand(values: list[int], share: float) -> int | None:
    """The least value that this share of them stays within, by trying each."""
    fitting = [value for value in values if sum(other <= value for other in values) >= share * len(values)]
    return min(fitting, default=None)


async def test_the_figures_are_those_of_a_second_count(portal: Portal) -> None:
    start, end = await a_month(portal)
    rows = await portal.rows(COUNTED, start=start, end=end)
    async with portal.begin() as db:
        found = measured(await cases_between(db, Actor(kind="system"), start, end))
        came = await came_between(db, Actor(kind="system"), start, end, "Europe/Sofia")
    assert found.asked == len(rows)
    assert found.unanswered == sum(row.first_reply_at is None for row in rows) > 0
    for field, calendar, service in (
        ("first_reply_at", found.first_calendar, found.first_service),
        ("closed_at", found.whole_calendar, found.whole_service),
    ):
        spans = [(row.opened_at, getattr(row, field)) for row in rows if getattr(row, field)]
        assert len(spans) > 5
        for figure, waits in (
            (calendar, [int((until - since).total_seconds()) for since, until in spans]),
            (service, [open_minutes(since, until) for since, until in spans]),
        ):
            assert (figure.count, figure.median, figure.p90) == (len(waits), by_hand(waits, 0.5), by_hand(waits, 0.9))
    expected = [[0] * 24 for _day in range(7)]
    for row in await portal.rows("SELECT at FROM question_message WHERE kind = 'customer'"):
        if start <= row.at < end:
            shows = row.at.astimezone(SOFIA)
            expected[shows.weekday()][shows.hour] += 1
    assert came == expected


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 20, 99])
def test_a_percentile_is_a_value_that_there_is(count: int) -> None:
    values = [3 * number for number in range(1, count + 1)]
    for percent in (50, 90):
        assert percentile(values, percent) == by_hand(values, percent / 100)
    assert percentile([], 50) is None


async def test_the_page_says_who_waits_beside_what_was_measured(portal: Portal, database_url: str) -> None:
    await open_shop(portal)
    olga = await hire(portal, "first@example.com")
    with clock.at(MONDAY):
        answered = await asks(portal)
        await asks(portal, email="b@example.com")
        await asks(portal, email="c@example.com")
    with clock.at(MONDAY + timedelta(hours=1)):
        await answers(portal, olga, answered)
        await writes(portal, answered)
        await answers(portal, olga, answered, "Yes.")
    async with browsing(portal.settings, database_url) as browser:
        with clock.at(MONDAY + timedelta(hours=26)):
            await sign_in(browser, portal, "olga@example.com", "support")
            said = words(await browser.get("/staff/service"))
            assert "Wait for an answer now 2" in said
            assert "The longest of them 26 hours" in said
            assert "3 questions were asked in these days." in said
            assert "First answer of a person all hours 1 1 hour 1 hour" in said
            assert "Until it was closed all hours 0 – –" in said
            assert "Monday 3 1" in said
            text = (await browser.get("/staff/service.csv")).text
            rows = list(csv.DictReader(io.StringIO(text)))
            assert [row["state"] for row in rows] == ["answered", "waiting", "waiting"]
            assert rows[0]["opened_at"] == "2026-11-23T08:00:00Z"
            assert (rows[0]["first_reply_seconds"], rows[0]["first_reply_service_seconds"]) == ("3600", "3600")
            assert (rows[1]["first_reply_seconds"], rows[0]["resolution_seconds"]) == ("", "")
            assert "example.com" not in text
            none = words(await browser.get("/staff/service?from=2026-01-01&to=2026-01-31"))
            assert "0 questions were asked" in none
            assert "Wait for an answer now 2" in none
        for wrong in ("from=x", "from=2026-12-01&to=2026-01-01", "from=2020-01-01&to=2026-01-01", "to=0000-00-00"):
            answer = await browser.get(f"/staff/service?{wrong}")
            assert answer.status_code == 422
            assert 'class="error"' in answer.text
        await sign_in(browser, portal, "w@example.com", "warehouse")
        assert (await browser.get("/staff/service")).status_code == 403
        assert (await browser.get("/staff/service.csv")).status_code == 403


async def test_more_than_can_be_counted_is_said_and_not_cut_off(
    portal: Portal, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_shop(portal)
    monkeypatch.setattr("returns_portal.service.measuring.MOST", 2)
    with clock.at(MONDAY):
        await asks(portal, "One of the day before.")
    async with browsing(portal.settings, database_url) as browser:
        with clock.at(MONDAY + timedelta(days=1)):
            for number in range(2):
                await asks(portal, f"Number {number}.")
            await sign_in(browser, portal, "olga@example.com", "support")
            shown = await browser.get("/staff/service")
            assert (shown.status_code, "more than 2 questions" in words(shown)) == (422, True)
            assert "2 questions were asked in these days." in words(shown)
            assert (await browser.get("/staff/service.csv")).status_code == 422
            assert (await browser.get("/staff/service?from=2026-11-24")).status_code == 200


async def test_what_is_listed_and_counted_is_found_by_an_index(portal: Portal) -> None:
    plans = {
        "ix_question_waiting": "SELECT id FROM question WHERE state = 'waiting' ORDER BY asked_at, id LIMIT 50",
        "ix_question_opened": "SELECT id FROM question WHERE opened_at >= now() ORDER BY opened_at LIMIT 9",
        "ix_question_message_came": "SELECT at FROM question_message WHERE kind = 'customer' AND at > now()",
    }
    async with portal.begin() as db:
        await run(db, "SET LOCAL enable_seqscan = off")
        for index, query in plans.items():
            plan = " ".join(row[0] for row in await run(db, f"EXPLAIN {query}"))
            assert index in plan, plan


async def test_measures_are_for_those_who_serve(portal: Portal) -> None:
    dock = Actor(kind="staff", id=str(new_id()), grants=frozenset({"warehouse"}))
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await cases_between(db, dock, MONDAY, MONDAY)
        with pytest.raises(ForbiddenError):
            await came_between(db, dock, MONDAY, MONDAY, "UTC")

"""The pages as finance and support see them: numbers that lead to their rows, files, words, and who may not look."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from httpx import Response

from returns_portal.accounts import actions
from returns_portal.accounts.rules import STAFF_SESSION
from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import Measure
from returns_portal.insights.queries import Span, groups
from returns_portal.web.signing import SESSION_COOKIE
from tests.insights.oracle import Oracle
from tests.insights.year import START, Year
from tests.returns.visits import words
from tests.webclient import Browser, add_staff

pytestmark = pytest.mark.anyio

NOW = START + timedelta(days=366)
DAYS = "from=2025-11-21&to=2026-11-21"


async def sign_in(browser: Browser, begin: Begin, *roles: str) -> None:
    async with begin() as db:
        staff_id = await add_staff(db, f"{roles[0]}@example.com", *roles)
        token = await actions.open_session(db, lasting=STAFF_SESSION, staff_id=staff_id)
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")


async def a_year(begin: Begin, orders: int = 120) -> Year:
    year = Year(orders)
    async with begin() as db:
        await year.write(db)
    return year


def hrefs(page: Response, part: str = "<main") -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', page.text.split(part, 1)[1].split("</main>")[0])]


async def read_csv(browser: Browser, path: str) -> list[dict[str, str]]:
    answer = await browser.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize("dimension", list(Dimension))
async def test_a_table_says_what_is_counted_and_leads_to_its_rows(
    browser: Browser, begin: Begin, dimension: Dimension
) -> None:
    year = await a_year(begin)
    await sign_in(browser, begin, "finance")
    page = await browser.get(f"/insights/{dimension}?{DAYS}&measure=returned")
    assert page.status_code == 200
    assert page.text.count("<svg") == 1
    assert 'aria-labelledby="picture-name picture-desc"' in page.text
    span = Span(START + timedelta(hours=22), NOW, NOW, "Europe/Sofia")
    expected = Oracle(year, span).groups(dimension)
    links = [href for href in hrefs(page, "<tbody") if "/rows?" in href]
    assert len(links) == sum(
        bool(group[measure]) for group in expected.values() for measure in SHOWN if group["shipped"]
    )
    for href in links[:6]:
        behind = await browser.get(href)
        assert behind.status_code == 200
        assert behind.text.count("<tr><td>") > 0
    rows = {
        row["key"].removeprefix("'"): row for row in await read_csv(browser, f"/insights/{dimension}/table.csv?{DAYS}")
    }
    assert set(rows) == set(expected)
    for key, group in expected.items():
        for measure in Measure:
            assert int(rows[key][measure]) == group[measure], (key, measure)


SHOWN = ("sold", "shipped", "returned")


async def test_rows_lead_to_what_they_are_about(browser: Browser, begin: Begin) -> None:
    await a_year(begin)
    await sign_in(browser, begin, "support")
    for measure, path in (("returned", "/returns/R-"), ("claimed", "/claims/"), ("asked", "/staff/questions/")):
        page = await browser.get(f"/insights/month/rows?{DAYS}&measure={measure}")
        found = [href for href in hrefs(page) if href.startswith(path)]
        assert found
        assert (await browser.get(found[0])).status_code == 200
    page = await browser.get(f"/insights/month/rows?{DAYS}&measure=sold")
    assert any(href.startswith("/staff/orders/Y") for href in hrefs(page))
    await sign_in(browser, begin, "finance")
    page = await browser.get(f"/insights/month/rows?{DAYS}&measure=asked")
    assert "Q-" in words(page)
    assert not [href for href in hrefs(page) if "question" in href]
    page = await browser.get(f"/insights/month/rows?{DAYS}&measure=returned")
    [first, *_others] = [href for href in hrefs(page) if href.startswith("/returns/R-")]
    assert (await browser.get(first)).status_code == 200


@pytest.mark.parametrize("file", ["rows", "rows.csv"])
async def test_rows_are_never_cut_without_a_word(
    browser: Browser, begin: Begin, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    await a_year(begin, orders=20)
    await sign_in(browser, begin, "finance")
    path = f"/insights/product/{file}?{DAYS}&measure=sold"
    assert (await browser.get(path)).status_code == 200
    monkeypatch.setattr("returns_portal.insights.rows.MOST", 5)
    answer = await browser.get(path)
    assert answer.status_code == 422
    assert "These are more than 5 rows. Choose fewer days." in words(answer)


async def test_pages_and_files_say_nothing_of_people(browser: Browser, begin: Begin) -> None:
    await a_year(begin)
    await sign_in(browser, begin, "finance")
    for path in (
        "/insights", "/insights/product", f"/insights/product/rows?{DAYS}&measure=returned",
        f"/insights/product/rows.csv?{DAYS}&measure=returned", f"/insights/product/rows?{DAYS}&measure=asked",
    ):  # fmt: skip
        text = (await browser.get(path)).text
        for person in ("example.com", "Ana", "Oma", "a@b.c"):
            assert person not in text.split("<main", 1)[-1], (path, person)


async def test_no_cell_of_a_file_is_a_formula(browser: Browser, begin: Begin) -> None:
    await a_year(begin)
    await sign_in(browser, begin, "finance")
    colours = await read_csv(browser, f"/insights/color/table.csv?{DAYS}")
    assert "'=Navy" in {row["key"] for row in colours}
    rows = await read_csv(browser, f"/insights/color/rows.csv?{DAYS}&measure=sold&key=%3DNavy")
    assert {row["color"] for row in rows} == {"'=Navy"}


async def test_at_a_glance(browser: Browser, begin: Begin) -> None:
    await a_year(begin, orders=400)
    async with begin() as db:
        span = Span(START + timedelta(hours=22), NOW, NOW, "Europe/Sofia")
        before = {group.key: group for group in await groups(db, Actor(kind="system"), Dimension.SUPPLIER, span)}
    await sign_in(browser, begin, "finance")
    page = await browser.get(f"/insights?{DAYS}")
    said = words(page)
    assert page.status_code == 200
    whole = sum(group[Measure.SOLD] for group in before.values())
    assert f"Sold {whole:,}" in said
    assert "Nothing stands out clearly" in said
    assert "Nothing changed clearly" in said
    for href in hrefs(page):
        if "/rows?" in href:
            assert (await browser.get(href)).status_code == 200


async def test_the_last_months_are_compared_with_no_other(browser: Browser, begin: Begin) -> None:
    await a_year(begin, orders=500)
    await sign_in(browser, begin, "finance")
    rows = {row["key"]: row for row in await read_csv(browser, f"/insights/month/table.csv?{DAYS}")}
    assert {key for key, row in rows.items() if row["stands"] == "unknown"} >= {"2026-10", "2026-11"}
    assert {rows[key]["chance"] for key in ("2026-10", "2026-11")} == {"1.000000"}
    assert rows["2026-09"]["stands"] == "alike"
    for path in ("/insights", "/insights/month"):
        assert "when 30 days have passed since its end" in words(await browser.get(f"{path}?{DAYS}"))
    assert "30 days have passed" not in words(await browser.get(f"/insights/size?{DAYS}"))


async def test_what_stands_out_is_said_with_the_rows_behind_it(browser: Browser, begin: Begin) -> None:
    await stood_out(begin)
    await sign_in(browser, begin, "support")
    page = await browser.get("/insights")
    said = words(page)
    assert "Plovdiv: Came back" in said
    assert "more than the rest." in said
    assert "More: Lviv, Came back" in said
    table = await browser.get("/insights/supplier")
    assert "more than the rest" in words(table)
    assert 'class="strong"' in table.text


async def stood_out(begin: Begin) -> None:
    """Of one supplier everything comes back, of another what was bought lately."""
    year = Year(500, seed=9)
    year.come_back("Plovdiv", since=START)
    year.come_back("Lviv", since=NOW - timedelta(days=30))
    async with begin() as db:
        await year.write(db)


async def test_an_empty_shop_says_what_will_stand_here(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, begin, "admin")
    assert "Nothing was bought in these days As soon as there are orders" in words(await browser.get("/insights"))
    for dimension in Dimension:
        assert "Nothing to be seen of this" in words(await browser.get(f"/insights/{dimension}"))
    assert "Nothing was counted here" in words(await browser.get("/insights/size/rows?measure=sold&key=42"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2026-13-01", "Give a day as YYYY-MM-DD."),
        ("from=2026-03-01&to=2026-02-01", "The first day is after the last."),
        ("from=2020-01-01&to=2026-02-01", "Give at most 1100 days."),
    ],
)
async def test_days_that_cannot_be_are_said_with_what_was_typed(
    browser: Browser, begin: Begin, query: str, said: str
) -> None:
    await sign_in(browser, begin, "finance")
    for path in ("/insights", "/insights/size", "/insights/size/rows"):
        page = await browser.get(f"{path}?{query}")
        assert page.status_code == 422
        if "rows" not in path:
            assert said in words(page)
            assert f'value="{query.split("=")[1].split("&", 1)[0]}"' in page.text


async def test_who_may_not_look(browser: Browser, begin: Begin) -> None:
    paths = ("/insights", "/insights/product", "/insights/product/rows", "/insights/product/table.csv")
    for path in paths:
        assert (await browser.get(path)).status_code in {302, 303}
    await sign_in(browser, begin, "warehouse")
    for path in paths:
        assert (await browser.get(path)).status_code == 403
    assert "Weak points" not in (await browser.get("/station")).text
    await sign_in(browser, begin, "support")
    for path in ("/insights/person", "/insights/person/rows", "/insights/person/table.csv"):
        assert (await browser.get(path)).status_code == 404


async def test_by_warehouse_it_is_said_whose_each_number_is(browser: Browser, begin: Begin) -> None:
    await a_year(begin, orders=60)
    await sign_in(browser, begin, "support")
    sent = words(await browser.get(f"/insights/warehouse?{DAYS}"))
    assert "how it looked when it came back, of the one that counted it." in sent
    assert "Warehouse Sold Sent Came back Share" in sent
    assert all(name in sent for name in ("Hall 1", "several warehouses", "warehouse not known"))
    counted = words(await browser.get(f"/insights/warehouse?{DAYS}&measure=came_worn"))
    assert "Warehouse Looked at when it came back Came back worn Share" in counted

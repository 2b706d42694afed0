"""Every number of every table leads to its rows; numbers, rows and files say the same."""

from urllib.parse import parse_qs, urlsplit

import pytest

from returns_portal.db import Begin
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import Measure, base_of
from returns_portal.insights.pages.asked import OFFERED
from tests.insights.test_pages import DAYS, a_year, hrefs, read_csv, sign_in
from tests.insights.test_queries import EXACT
from tests.returns.visits import words
from tests.webclient import Browser

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("dimension", list(Dimension))
async def test_numbers_rows_and_files_agree(browser: Browser, begin: Begin, dimension: Dimension) -> None:
    await a_year(begin, orders=40)
    await sign_in(browser, begin, "finance")
    table = {
        row["key"].removeprefix("'"): row for row in await read_csv(browser, f"/insights/{dimension}/table.csv?{DAYS}")
    }
    for measure in OFFERED:
        page = await browser.get(f"/insights/{dimension}?{DAYS}&measure={measure}")
        found = {}
        for href in (each for each in hrefs(page, "<tbody") if "/rows?" in each):
            asked = parse_qs(urlsplit(href).query, keep_blank_values=True)
            if asked["measure"] == [measure]:
                found[asked["key"][0]] = href
        base = Measure.SOLD if measure is Measure.ASKED else base_of(measure)
        assert set(found) == {
            key for key, row in table.items() if int(row[measure]) and (measure is Measure.ASKED or int(row[base]))
        }
        for key, href in list(found.items())[:3]:
            behind = await read_csv(browser, href.replace("/rows?", "/rows.csv?"))
            units, counted = sum(int(row["quantity"]) for row in behind), int(table[key][measure])
            shown = await browser.get(href)
            assert shown.text.count("<tr><td>") == len(behind) > 0
            assert units == counted if measure in EXACT else units >= counted
            assert (units != counted) is ("in the table each unit is counted once" in words(shown))

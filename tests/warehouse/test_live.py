"""The dock live, what is expected, and the calls for programs."""

import csv
import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock
from returns_portal.accounts import actions as accounts
from returns_portal.warehouse.found import keep
from returns_portal.warehouse.pulse import pulse
from returns_portal.warehouse.rules import Counted
from tests.portal import FINANCE, Portal
from tests.returns.visits import sign_in, words
from tests.warehouse.dock import BOSS, DAMAGED, LIKE_NEW, MIRA, count, two_shoes
from tests.webclient import browsing

pytestmark = pytest.mark.anyio

ZONE = "Europe/Sofia"


def today() -> datetime:
    return clock.now().astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


async def test_figures_of_an_empty_dock(portal: Portal) -> None:
    async with portal.begin() as db:
        found = await pulse(db, MIRA, today(), ZONE)
    assert (found.arrived, found.waiting, found.waiting_since) == (0, 0, None)
    assert (found.value_waiting, found.people) == ([], [])


async def test_figures_of_a_day(portal: Portal, database_url: str) -> None:
    filed, shoes, socks = await two_shoes(portal)
    counts = [Counted(shoes, 1, LIKE_NEW), Counted(shoes, 1, DAMAGED), Counted(socks, 1, DAMAGED)]
    await count(portal, filed.rma, *counts)
    async with portal.begin() as db:
        await keep(db, MIRA, shelf="A 3")
        found = await pulse(db, FINANCE, today(), ZONE)
    (paid,) = await portal.rows("SELECT sum(unit_paid[1]) AS amount FROM order_line")
    assert (found.arrived, found.units, found.waiting, found.nameless, found.restocked) == (1, 3, 2, 1, 1)
    assert found.findings == {"other": 1}
    (person,) = found.people
    hour = clock.now().astimezone(ZoneInfo(ZONE)).hour
    assert (person.parcels, person.units, sum(person.hours.values())) == (1, 3, 1)
    assert set(person.hours) <= {hour, (hour - 1) % 24}
    assert [(worth.currency, worth.amount) for worth in found.value_waiting] == [("EUR", int(paid.amount))]
    async with browsing(portal.settings, database_url) as browser:
        await sign_in(browser, portal, "mira@example.com", "warehouse")
        shown = words(await browser.get("/station/live"))
    assert "Arrived today 1 3 items" in shown
    assert "Without a name 1" in shown
    assert "Something that was not announced: 1" in shown


async def test_what_is_expected_as_page_file_and_call(portal: Portal, database_url: str) -> None:
    filed, _shoes, _socks = await two_shoes(portal)
    async with portal.begin() as db:
        key = await accounts.create_api_key(db, BOSS, "wms", ["check-ins:write"])
    async with browsing(portal.settings, database_url) as browser:
        calls = {"Authorization": f"Bearer {key}"}
        # How long its carrier usually takes decides on which day it is expected.
        days = [(today() + timedelta(days=ahead)).date() for ahead in range(1, 15)]
        on = {day: (await browser.get(f"/api/v1/arrivals?day={day}", headers=calls)).json()["items"] for day in days}
        ((day, (call,)),) = [(day, found) for day, found in on.items() if found]
        assert (call["rma"], call["quantity"], call["order_number"]) == (filed.rma, 2, "1001")
        assert call["expected"] == str(day)
        assert (await browser.get("/api/v1/arrivals?day=soon", headers=calls)).status_code == 422
        for wrong in ("limit=0", "limit=201", "cursor=x", "cursor=2026-01-01", "cursor=_"):
            assert (await browser.get(f"/api/v1/arrivals?{wrong}", headers=calls)).status_code == 422
        assert (await browser.get("/api/v1/arrivals")).status_code == 401
        await sign_in(browser, portal, "mira@example.com", "warehouse")
        assert f"{filed.rma} 1001" in words(await browser.get(f"/station/arrivals?day={day}"))
        file = await browser.get(f"/station/arrivals.csv?day={day}")
        (row,) = csv.DictReader(io.StringIO(file.text))
        assert (row["rma"], row["value"], row["currency"]) == (filed.rma, f"{call['value'] / 100:.2f}", "EUR")
        assert "Nothing is expected on this day" in words(await browser.get("/station/arrivals?day=2020-01-01"))
        assert (await browser.get("/station/arrivals?day=soon")).status_code == 200


async def test_stock_over_the_api(portal: Portal, database_url: str) -> None:
    filed, shoes, _socks = await two_shoes(portal)
    await count(portal, filed.rma, Counted(shoes, 2, LIKE_NEW))
    async with portal.begin() as db:
        reader = await accounts.create_api_key(db, BOSS, "shop", ["restock:read"])
        writer = await accounts.create_api_key(db, BOSS, "shop", ["restock:read", "restock:write"])
    async with browsing(portal.settings, database_url) as browser:
        read, write = ({"Authorization": f"Bearer {key}"} for key in (reader, writer))
        page = (await browser.get("/api/v1/restock-events", headers=read)).json()
        assert ([event["quantity"] for event in page["events"]], page["more"]) == ([2], False)
        ids = {"ids": [event["id"] for event in page["events"]]}
        assert (await browser.post("/api/v1/restock-events/taken", json=ids, headers=read)).status_code == 403
        for taken in (1, 0):
            answer = await browser.post("/api/v1/restock-events/taken", json=ids, headers=write)
            assert answer.json() == {"taken": taken}
        assert (await browser.get("/api/v1/restock-events", headers=read)).json()["events"] == []

"""The demo's orders end the day before they are loaded, whenever that is."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from returns_portal import clock, demo
from returns_portal.db import Begin
from returns_portal.demo.dates import NEWEST, moved
from returns_portal.finance.books import check
from returns_portal.settings import Settings
from tests.catalog.test_actions import rows

pytestmark = pytest.mark.anyio

LATER = datetime(2027, 11, 23, 21, 30, tzinfo=UTC)


def placed_in(text: str) -> dict[str, datetime]:
    found = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return {row["Name"]: datetime.fromisoformat(row["Created at"].replace(" +", "+")) for row in found}


def test_all_dates_move_by_the_same_days_and_nothing_else_changes() -> None:
    text = demo.ORDERS.read_bytes().decode()
    before = placed_in(text)
    assert max(before.values()) == NEWEST
    day = datetime.fromisoformat("2027-03-01T00:00:00+02:00")
    after = placed_in(moved(text, day))
    by = day - timedelta(days=1) - NEWEST.replace(hour=0, minute=0)
    assert {name: at - by for name, at in after.items()} == before
    assert max(after.values()).date() == day.date() - timedelta(days=1)
    lines = csv.DictReader(io.StringIO(text)), csv.DictReader(io.StringIO(moved(text, day)))
    for one, other in zip(*lines, strict=True):
        dated = {"Created at", "Paid at", "Fulfilled at", "Cancelled at"}
        assert {key for key in one if one[key] != other[key]} <= dated
        assert all(not other[key] or datetime.fromisoformat(other[key].replace(" +", "+")) <= day for key in dated)


async def test_a_year_later_the_newest_order_was_placed_the_day_before(begin: Begin, settings: Settings) -> None:
    with clock.at(LATER):
        await demo._load_orders(begin, settings)
    [newest] = await rows(begin, "SELECT max(placed_at) AS placed, max(shipped_at) AS sent FROM orders")
    # In the zone of the file it is the day before, 23:30.
    assert newest.placed.astimezone(NEWEST.tzinfo).date() == (LATER - timedelta(days=1)).date()
    assert newest.sent < LATER
    assert not await check(begin)


async def test_loaded_on_after_midnight_the_orders_stay_as_they_were(begin: Begin, settings: Settings) -> None:
    known = []
    for day in range(2):
        with clock.at(LATER + timedelta(days=day)):
            await demo._load_orders(begin, settings)
        known.append(await rows(begin, "SELECT number, placed_at, updated_at FROM orders ORDER BY number"))
    assert known[0] == known[1]

"""The demo shop's orders, counted a second time from the file that they come from."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from returns_portal import clock, demo
from returns_portal.actor import SYSTEM
from returns_portal.catalog.importing import import_products
from returns_portal.db import Begin
from returns_portal.demo import ORDERS
from returns_portal.demo.goods import PRODUCTS
from returns_portal.demo.sales import BOOT, FRAGILE, STORK
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import CONDITIONS, REASONS, Measure
from returns_portal.insights.queries import Span, tables
from returns_portal.insights.standing import weakest
from returns_portal.orders.importing import import_orders
from returns_portal.settings import Settings
from tests.insights.demo_oracle import counted

pytestmark = pytest.mark.anyio

ALL = Span(
    datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC), "Europe/Sofia"
)


async def test_what_the_demo_shop_sold_is_what_its_file_says(begin: Begin, settings: Settings) -> None:
    await import_orders(begin, ORDERS, fmt="shopify", dry_run=False, sandbox_payments=False, settings=settings)
    await import_products(begin, PRODUCTS, fmt="portal", dry_run=False)
    async with begin() as db:
        found = await tables(db, SYSTEM, ALL)
    expected = from_the_files()
    for dimension, counts in expected.items():
        assert {group.key: group[Measure.SOLD] for group in found[dimension]} == counts, dimension
    assert expected[Dimension.SUPPLIER]["Lviv Tannery"] > 20


async def test_what_came_back_to_the_demo_shop_is_what_was_sent_back(begin: Begin, settings: Settings) -> None:
    await import_orders(begin, ORDERS, fmt="shopify", dry_run=False, sandbox_payments=True, settings=settings)
    await import_products(begin, PRODUCTS, fmt="portal", dry_run=False)
    await demo._return_some(begin, settings)
    async with begin() as db:
        found = await tables(db, SYSTEM, ALL)
    by_product, by_month = sent_back()
    for dimension, expected in ((Dimension.PRODUCT, by_product), (Dimension.MONTH, by_month)):
        seen = {
            (group.key, measure): group[measure] for group in found[dimension] for measure in BACK if group[measure]
        }
        assert seen == expected, dimension
    assert sum(count for (_key, measure), count in by_product.items() if measure is Measure.TOO_SMALL) == 4


async def test_the_whole_year_of_the_demo_shop_is_what_was_planned(begin: Begin, settings: Settings) -> None:
    # Loaded the day after the file's newest order, so that its dates are those of the file.
    day = datetime.fromisoformat("2026-11-11T00:00:00+02:00")
    with clock.at(day + timedelta(hours=9)):
        await demo._load_orders(begin, settings)
        await import_products(begin, PRODUCTS, fmt="portal", dry_run=False)
    whole = Span(day - timedelta(days=370), day, day + timedelta(days=1), "Europe/Sofia")
    async with begin() as db:
        found = await tables(db, SYSTEM, whole)
    for dimension, expected in counted(day).items():
        seen = {(group.key, measure): group[measure] for group in found[dimension] for measure in Measure}
        assert {place: count for place, count in seen.items() if count} == dict(expected), dimension
    standing_out = {
        (each.dimension, each.standing.group.key, each.standing.measure)
        for each in weakest(found, [Measure.RETURNED, Measure.CLAIMED])
    }
    assert {
        (Dimension.PRODUCT, BOOT, Measure.RETURNED),
        (Dimension.SUPPLIER, "Lviv Tannery", Measure.RETURNED),
        (Dimension.PRODUCT, FRAGILE, Measure.CLAIMED),
        (Dimension.CARRIER, STORK, Measure.CLAIMED),
    } <= standing_out


BACK = (Measure.RETURNED, *REASONS, Measure.CHECKED, *CONDITIONS)


def sent_back() -> tuple[Counter[tuple[str, Measure]], Counter[tuple[str, Measure]]]:
    """By the demo's plan: one of the first line of each of the last fourteen orders that were paid and sent."""
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        handles = {row["sku"]: row["handle"] for row in csv.DictReader(file)}
    with ORDERS.open(encoding="utf-8-sig", newline="") as file:
        heads = [row for row in csv.DictReader(file) if row["Financial Status"] == "paid" and not row["Cancelled at"]]
    whole = sorted((row for row in heads if row["Fulfillment Status"] == "fulfilled"), key=lambda row: row["Name"])
    themes = (None, Measure.TOO_SMALL, None, Measure.TOO_SMALL, Measure.LOOKS, Measure.TOO_LARGE, None)
    looks = (Measure.CAME_RESELLABLE, Measure.CAME_WORN, Measure.CAME_DAMAGED, Measure.CAME_RESELLABLE)
    by_product: Counter[tuple[str, Measure]] = Counter()
    by_month: Counter[tuple[str, Measure]] = Counter()
    for place, head in enumerate(whole[:-15:-1]):
        known = [Measure.RETURNED, themes[place % 7]]
        known += [Measure.CHECKED, looks[place % 7]] if place % 7 < len(looks) else []
        placed = datetime.fromisoformat(head["Created at"].replace(" +", "+")).astimezone(ZoneInfo("Europe/Sofia"))
        for measure in (each for each in known if each is not None):
            by_product[handles[head["Lineitem sku"]], measure] += 1
            by_month[placed.strftime("%Y-%m"), measure] += 1
    return by_product, by_month


def from_the_files() -> dict[Dimension, Counter[str]]:
    with PRODUCTS.open(encoding="utf-8", newline="") as file:
        offered = list(csv.DictReader(file))
    products = {row["sku"]: row for row in offered}
    suppliers = {row["handle"]: row["supplier"] for row in offered if row["title"]}
    with ORDERS.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    heads = {row["Name"]: row for row in lines if row["Financial Status"]}
    found: dict[Dimension, Counter[str]] = {
        each: Counter() for each in (Dimension.PRODUCT, Dimension.SIZE, Dimension.SUPPLIER, Dimension.MONTH)
    }
    for line in lines:
        head, product, count = heads[line["Name"]], products[line["Lineitem sku"]], int(line["Lineitem quantity"])
        if head["Cancelled at"] and line["Lineitem fulfillment status"] != "fulfilled":
            continue
        placed = datetime.fromisoformat(head["Created at"].replace(" +", "+")).astimezone(ZoneInfo("Europe/Sofia"))
        found[Dimension.PRODUCT][product["handle"]] += count
        found[Dimension.SIZE][product["size"]] += count
        found[Dimension.SUPPLIER][suppliers[product["handle"]]] += count
        found[Dimension.MONTH][placed.strftime("%Y-%m")] += count
    return found

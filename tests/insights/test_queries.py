"""What the database counts, against a second count of the same year in Python, and how long it takes."""

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.actor import Actor
from returns_portal.db import Begin, run
from returns_portal.errors import ForbiddenError
from returns_portal.insights import queries
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import BASES, CONDITIONS, SHARES, Group, Measure, added, base_of
from returns_portal.insights.queries import Span, groups, tables
from returns_portal.insights.rows import rows
from tests.insights.oracle import Oracle
from tests.insights.year import DAYS, START, Year

pytestmark = pytest.mark.anyio

MIRA = Actor(kind="staff", id="mira", grants=frozenset({"finance"}))
ALL = Span(START, START + timedelta(days=DAYS), START + timedelta(days=2 * DAYS), "Europe/Sofia")
SPRING = Span(
    START + timedelta(days=101, hours=7), START + timedelta(days=160), START + timedelta(days=170), "Asia/Tokyo"
)
HALF = Span(START, START + timedelta(days=200), START + timedelta(days=200), "Europe/Sofia")
NAMES = ["a year", "a spring, as it stood soon after", "half a year, as it stood at its end"]


@pytest.mark.parametrize("span", [ALL, SPRING, HALF], ids=NAMES)
async def test_every_number_is_that_of_a_second_count(begin: Begin, span: Span) -> None:
    year = Year(240)
    async with begin() as db:
        await year.write(db)
    oracle = Oracle(year, span)
    async with begin() as db:
        found = await tables(db, MIRA, span)
    assert list(found) == list(Dimension)
    for dimension, several in found.items():
        expected = oracle.groups(dimension)
        assert {group.key for group in several} == set(expected)
        for group in several:
            for measure in Measure:
                assert group[measure] == expected[group.key][measure], (dimension, group.key, measure)
                if measure not in {Measure.SOLD, Measure.ASKED}:
                    assert group.purchases.get(measure, 0) == expected[group.key][f"some {measure}"]
            for base in BASES:
                assert group.squares[base] == expected[group.key][f"squares {base}"]
            for measure in SHARES:
                assert 0 <= group[measure] <= group[base_of(measure)]
                # What a warehouse counts may have been sold by another.
                known = dimension is Dimension.WAREHOUSE and measure in CONDITIONS
                assert known or group[base_of(measure)] <= group[Measure.SOLD]
    assert added(found[Dimension.SIZE])[Measure.RETURNED] > 0


async def test_rows_are_those_that_a_number_was_counted_of(begin: Begin) -> None:
    year = Year(120, seed=3)
    async with begin() as db:
        await year.write(db)
        for dimension in (Dimension.PRODUCT, Dimension.CARRIER, Dimension.WAREHOUSE):
            found = await groups(db, MIRA, dimension, ALL)
            for group in found:
                for measure in Measure:
                    behind = await rows(db, MIRA, dimension, ALL, measure, group.key)
                    count = sum(row.quantity for row in behind)
                    # A unit is counted once, however often something happened to it; the rows say every time.
                    assert count == group[measure] if measure in EXACT else count >= group[measure]
                    assert bool(behind) == bool(group[measure])
            everything = await rows(db, MIRA, dimension, ALL, Measure.RETURNED, None)
            assert len(everything) == sum(
                [len(await rows(db, MIRA, dimension, ALL, Measure.RETURNED, group.key)) for group in found]
            )
            assert [row.at for row in everything] == sorted((row.at for row in everything), reverse=True)


EXACT = (Measure.SOLD, Measure.SHIPPED, Measure.ASKED)


async def test_an_empty_shop_has_no_groups(begin: Begin) -> None:
    async with begin() as db:
        for dimension in Dimension:
            assert await groups(db, MIRA, dimension, ALL) == []
            assert await rows(db, MIRA, dimension, ALL, Measure.ASKED, None) == []


@pytest.mark.parametrize("roles", [{"warehouse"}, {"orders:read"}, set()])
async def test_who_may_not_look(begin: Begin, roles: set[str]) -> None:
    stranger = Actor(kind="staff", id="x", grants=frozenset(roles))
    async with begin() as db:
        with pytest.raises(ForbiddenError):
            await groups(db, stranger, Dimension.PRODUCT, ALL)
        with pytest.raises(ForbiddenError):
            await rows(db, stranger, Dimension.PRODUCT, ALL, Measure.SOLD, None)


async def test_ten_thousand_orders_are_counted_at_once(begin: Begin, statements: list[str]) -> None:
    year = Year(10_000, seed=5, products=40)
    async with begin() as db:
        # Nothing tells the database yet how much there is: as after an import.
        await year.write(db)
        statements.clear()
        began = time.perf_counter()
        found = await tables(db, MIRA, ALL)
        taken = time.perf_counter() - began
    assert len(statements) == 4
    assert taken < 4
    assert added(found[Dimension.MONTH])[Measure.SOLD] > 20_000


def test_what_is_added_up_is_all_of_it() -> None:
    parts = [Group("a", "A", {Measure.SOLD: 3, Measure.ASKED: 1}), Group("b", "B", {Measure.SOLD: 4, Measure.ASKED: 1})]
    assert added(parts)[Measure.SOLD] == 7
    assert added(parts)[Measure.ASKED] == 0


async def test_goods_that_change_their_supplier_while_it_is_counted(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = Year(60)
    async with begin() as db:
        await year.write(db)

    async def interrupted(db: AsyncConnection, statement: str, **values: object) -> Any:  # noqa: ANN401 - rows
        found = await run(db, statement, **values)
        if "GROUPING SETS" in statement:
            async with begin() as other:
                await run(other, "UPDATE product SET supplier = 'Anew'")
        return found

    monkeypatch.setattr(queries, "run", interrupted)
    async with begin() as db:
        found = await tables(db, MIRA, ALL)
    assert {group.key for group in found[Dimension.SUPPLIER]} == {"", "Lviv", "Plovdiv"}

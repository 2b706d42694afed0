"""Sizes: what a label says, what goes with what, and which sizes stand next to one another."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.catalog import size_tables
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.size_labels import letters, plain, read
from returns_portal.catalog.sizes import (
    SYSTEMS,
    Sizing,
    convert,
    fits,
    guess_group,
    guess_system,
    in_order,
    larger,
    neighbours,
)

SHOE, CLOTHING = ProductKind.SHOE, ProductKind.CLOTHING
MEN, WOMEN, KIDS = SizeGroup.MEN, SizeGroup.WOMEN, SizeGroup.KIDS
EU, UK, US, ALPHA, OWN = SizeSystem.EU, SizeSystem.UK, SizeSystem.US, SizeSystem.ALPHA, SizeSystem.OWN
TABLES = list(size_tables._TABLES.items())
PARIS_POINT, BARLEYCORN = 20 / 3, 25.4 / 3


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [
        ("42", 42, 42), ("42.5", 42.5, 42.5), ("42,5", 42.5, 42.5), ("42 1/3", 42 + 1 / 3, 42 + 1 / 3),
        ("42⅔", 42 + 2 / 3, 42 + 2 / 3), ("38 ½", 38.5, 38.5), ("38/40", 38, 40), ("38 – 40", 38, 40),
        ("EU 42", 42, 42),
        ("8 UK", 8, 8), ("us9.5", 9.5, 9.5), ("M", 0, 0), ("s", -1, -1), ("XXL", 3, 3), ("2XL", 3, 3), ("4xl", 5, 5),
        ("S/M", -1, 0), ("XS-S", -2, -1), ("W32 L34", 32, 32), ("32W x 34L", 32, 32), ("10.5C", 10.5, 10.5),
        ("3-4 years", 3, 4),
    ],
)  # fmt: skip
def test_labels_are_read(label: str, low: float, high: float) -> None:
    found = read(label)
    assert found is not None
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize("label", ["", "One size", "XM", "Large", "12-18M", "42 1/4", "1" * 50, "4242", "X", "²", "UK"])
def test_what_is_no_size_is_not_read(label: str) -> None:
    assert read(label) is None


@pytest.mark.parametrize(("label", "system"), [("EUR 42", EU), ("8 UK", UK), ("USA 9", US), ("42", None)])
def test_a_label_may_name_its_system(label: str, system: SizeSystem | None) -> None:
    found = read(label)
    assert found is not None
    assert found.system == system


@given(st.integers(-6, 8))
def test_letters_are_read_as_they_are_written(rank: int) -> None:
    found = read(letters(rank))
    assert found is not None
    assert found.low == rank


@pytest.mark.parametrize(("key", "table"), TABLES)
def test_every_column_grows(key: tuple[ProductKind, SizeGroup], table: size_tables.Table) -> None:
    assert len({len(column) for column in table.columns.values()}) == 1, key
    for system, column in table.columns.items():
        numbers = [number for number in column if number is not None]
        for before, after in pairwise(numbers):
            assert before < after or (system == ALPHA and before == after), (key, system, before)


@pytest.mark.parametrize("group", [MEN, WOMEN])
def test_adults_shoes_are_what_their_units_say(group: SizeGroup) -> None:
    table = size_tables.table_for(SHOE, group)
    assert table is not None
    american = 24 if group == MEN else 22.5
    for eu, uk, us in zip(table.columns[EU], table.columns[UK], table.columns[US], strict=True):
        assert isinstance(eu, (int, float))
        assert isinstance(uk, (int, float))
        assert isinstance(us, (int, float))
        # Within half of an English half size of each other.
        assert eu * PARIS_POINT == pytest.approx((uk + 25) * BARLEYCORN, abs=BARLEYCORN / 4)
        assert (us + american) * BARLEYCORN == pytest.approx((uk + 25) * BARLEYCORN)


def test_childrens_shoes_are_what_their_units_say() -> None:
    table = size_tables.table_for(SHOE, KIDS)
    assert table is not None
    for eu, uk, us in zip(table.columns[EU], table.columns[UK], table.columns[US], strict=True):
        assert isinstance(eu, (int, float))
        assert isinstance(uk, (int, float))
        assert isinstance(us, (int, float))
        assert (uk + 12) * BARLEYCORN == pytest.approx(eu * PARIS_POINT, abs=BARLEYCORN / 4)
        assert (us + 11 + 2 / 3) * BARLEYCORN == pytest.approx(eu * PARIS_POINT, abs=BARLEYCORN / 4)


def test_letters_are_those_of_the_standard() -> None:
    bust = {32: 76, 34: 80, 36: 84, 38: 88, 40: 92, 42: 96, 44: 100, 46: 104, 48: 110, 50: 116, 52: 122, 54: 128}
    women = {-2: (74, 82), -1: (82, 90), 0: (90, 98), 1: (98, 107), 2: (107, 119), 3: (119, 131)}
    men = {-2: (78, 86), -1: (86, 94), 0: (94, 102), 1: (102, 110), 2: (110, 118), 3: (118, 129), 4: (129, 141)}
    for group, girth, ranges in ((WOMEN, bust, women), (MEN, {n: 2 * n for n in range(40, 68, 2)}, men)):
        table = size_tables.table_for(CLOTHING, group)
        assert table is not None
        for eu, rank in zip(table.columns[EU], table.columns[ALPHA], strict=True):
            assert eu is not None
            assert rank is not None
            low, high = ranges[int(rank)]
            # The last two numbers of men lie where the standard's steps become larger than theirs.
            assert low - 4 < girth[int(eu)] <= high, (group, eu)


@pytest.mark.parametrize(
    ("size", "sizing", "to", "there"),
    [
        ("42", Sizing(SHOE, MEN, EU), UK, "8"), ("42", Sizing(SHOE, MEN, EU), US, "9"),
        ("38", Sizing(SHOE, WOMEN, EU), US, "7.5"), ("8.5", Sizing(SHOE, MEN, UK), EU, "42.5"),
        ("42 1/3", Sizing(SHOE, MEN, EU), UK, "8.5"), ("41.5", Sizing(SHOE, MEN, EU), UK, "7.5–8"),
        ("28", Sizing(SHOE, KIDS, EU), UK, "10C"), ("33", Sizing(SHOE, KIDS, EU), UK, "1Y"),
        ("13", Sizing(SHOE, KIDS, UK), EU, "32"), ("1", Sizing(SHOE, KIDS, UK), EU, "33"),
        ("38", Sizing(CLOTHING, WOMEN, EU), ALPHA, "S"), ("M", Sizing(CLOTHING, WOMEN, ALPHA), EU, "40–42"),
        ("50", Sizing(CLOTHING, MEN, EU), UK, "40"), ("38/40", Sizing(CLOTHING, WOMEN, EU), UK, "10–12"),
        ("104", Sizing(CLOTHING, KIDS, EU), UK, "3-4Y"), ("3-4Y", Sizing(CLOTHING, KIDS, UK), EU, "104"),
        ("UK 8", Sizing(SHOE, MEN, EU), EU, "42"),
        ("134", Sizing(CLOTHING, KIDS, EU), US, None), ("42", Sizing(SHOE, MEN, EU), ALPHA, None),
        ("60", Sizing(SHOE, MEN, EU), UK, None), ("One size", Sizing(CLOTHING, MEN, OWN), EU, None),
        ("7", Sizing(ProductKind.OTHER, MEN, EU), UK, None), ("38", Sizing(CLOTHING, WOMEN, ALPHA), EU, None),
    ],
)  # fmt: skip
def test_sizes_are_converted(size: str, sizing: Sizing, to: SizeSystem, there: str | None) -> None:
    assert convert(size, sizing, to) == there


@pytest.mark.parametrize(("key", "table"), TABLES)
def test_there_and_back_is_where_it_began(key: tuple[ProductKind, SizeGroup], table: size_tables.Table) -> None:
    numbers = [system for system in SYSTEMS if system != ALPHA and system in table.columns]
    for row, size in enumerate(table.columns[EU]):
        assert size is not None
        for system in numbers:
            if table.columns[system][row] is None:
                continue
            there = convert(plain(size), Sizing(*key, EU), system)
            assert there is not None
            assert convert(there, Sizing(*key, system), EU) == plain(size), (key, size, system, there)


@given(st.sampled_from(TABLES), st.floats(10, 200), st.floats(10, 200))
def test_a_larger_size_is_never_smaller_elsewhere(
    entry: tuple[tuple[ProductKind, SizeGroup], size_tables.Table], one: float, other: float
) -> None:
    (kind, group), _table = entry
    small, large = sorted((round(one, 1), round(other, 1)))
    sizing = Sizing(kind, group, EU)
    for system in (UK, US):
        low, high = convert(plain(small), sizing, system), convert(plain(large), sizing, system)
        if low and high:
            place = in_order([low.split("–")[0], high.split("–")[0]])
            assert place[0] == low.split("–")[0]


@pytest.mark.parametrize(
    ("size", "sizes", "beside"),
    [
        ("42", ["41", "42", "43", "44"], ["41", "43"]),
        ("42", ["44", "41", "40"], ["41", "44"]),
        ("42", ["41", "42", "42.5", "43"], ["41", "42.5"]),
        ("42 1/3", ["41 1/3", "42", "42 1/3", "42 2/3"], ["42", "42 2/3"]),
        ("42,5", ["42", "43"], ["42", "43"]),
        ("M", ["S", "M", "L", "XL"], ["S", "L"]),
        ("S", ["S", "M"], ["M"]),
        ("XL", ["3XL", "L", "XXL"], ["L", "XXL"]),
        ("40", ["M", "L"], []),
        ("42", ["42"], []),
        ("42", [], []),
        ("W32 L32", ["W31 L32", "W32 L32", "W33 L32", "W32 L34", "W33 L34"], ["W31 L32", "W33 L32"]),
        ("32/32", ["30/32", "32/30", "32/32", "34/32", "32/34"], ["30/32", "34/32"]),
        ("38/40", ["34/36", "38/40", "42/44"], ["34/36", "42/44"]),
        ("13C", ["12C", "13C", "1Y"], ["12C", "1Y"]),
        ("Regular", ["Short", "Regular", "Long"], ["Short", "Long"]),
        ("Tall", ["Short", "Regular"], []),
        ("42", ["42", "42.0", "43", "43"], ["43"]),
    ],
)
def test_neighbours(size: str, sizes: list[str], beside: list[str]) -> None:
    assert neighbours(size, sizes) == beside


@given(
    st.lists(st.sampled_from(["36", "37", "37.5", "38 1/3", "39", "40", "XS", "S", "M", "L", "One size"])), st.data()
)
def test_neighbours_are_the_nearest_on_each_side(sizes: list[str], data: st.DataObject) -> None:
    numbers = [label.low for size in sizes if (label := read(size)) is not None and label.sort == "number"]
    size = data.draw(st.sampled_from(["35", "37", "38", "41"]))
    found = [label.low for name in neighbours(size, sizes) if (label := read(name)) is not None]
    here = float(size)
    below, above = [n for n in numbers if n < here], [n for n in numbers if n > here]
    assert found == [*([max(below)] if below else []), *([min(above)] if above else [])]


@pytest.mark.parametrize(
    ("wanted", "size", "sizing", "there"),
    [
        ("42", "42", Sizing(SHOE, MEN, EU), True), ("42", "42.5", Sizing(SHOE, MEN, EU), False),
        ("UK 8", "42", Sizing(SHOE, MEN, EU), True), ("UK 8", "42", Sizing(SHOE, WOMEN, EU), True),
        ("US 9", "40", Sizing(SHOE, WOMEN, EU), True), ("US 9", "42", Sizing(SHOE, WOMEN, EU), False),
        ("42", "8", Sizing(SHOE, MEN, UK), True), ("8", "8", Sizing(SHOE, MEN, UK), True),
        ("8", "42", Sizing(SHOE, MEN, EU), False), ("m", "M", Sizing(CLOTHING, WOMEN, ALPHA), True),
        ("40", "M", Sizing(CLOTHING, WOMEN, ALPHA), True), ("M", "42", Sizing(CLOTHING, WOMEN, EU), True),
        ("M", "44", Sizing(CLOTHING, WOMEN, EU), False), ("38", "38/40", Sizing(CLOTHING, WOMEN, EU), True),
        ("42.33", "42 1/3", Sizing(SHOE, MEN, EU), True), ("one SIZE", "One size", Sizing(CLOTHING, MEN, OWN), True),
        ("32", "W32 L34", Sizing(CLOTHING, MEN, OWN), False), ("W32 L34", "W32 L34", Sizing(CLOTHING, MEN, OWN), True),
        ("W32 L30", "W32 L34", Sizing(CLOTHING, MEN, OWN), False),
        ("7", "7", Sizing(ProductKind.OTHER, MEN, OWN), True),
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(wanted: str, size: str, sizing: Sizing, there: bool) -> None:
    assert fits(wanted, size, sizing) is there


@pytest.mark.parametrize(
    ("kind", "sizes", "system"),
    [
        (SHOE, ["40", "41", "42.5"], EU), (SHOE, ["7", "8", "8.5"], OWN), (SHOE, ["UK 7", "UK 8"], UK),
        (SHOE, ["7 US"], US), (CLOTHING, ["S", "M", "XXL"], ALPHA), (CLOTHING, ["36", "38"], EU),
        (CLOTHING, ["8", "10"], OWN), (CLOTHING, ["104", "110"], EU), (CLOTHING, ["W32 L32"], OWN),
        (CLOTHING, ["One size"], OWN), (SHOE, [], OWN), (ProductKind.OTHER, ["S", "M"], OWN),
        (ProductKind.OTHER, ["80", "90"], OWN),
    ],
)  # fmt: skip
def test_the_system_is_guessed(kind: ProductKind, sizes: list[str], system: SizeSystem) -> None:
    assert guess_system(kind, sizes) == system


def test_for_whom_is_guessed() -> None:
    def guess(kind: ProductKind, *sizes: str, group: SizeGroup = SizeGroup.UNISEX) -> SizeGroup:
        return guess_group(Sizing(kind, group, EU), sizes)

    assert guess(SHOE, "28", "30") == KIDS
    assert guess(SHOE, "38", "42") == SizeGroup.UNISEX
    assert guess(CLOTHING, "104", "110") == KIDS
    assert guess(CLOTHING, "36", "44") == WOMEN
    assert guess(CLOTHING, "48", "50", group=MEN) == MEN
    assert guess_group(Sizing(CLOTHING, MEN, ALPHA), ["S"]) == MEN


@pytest.mark.parametrize(
    ("size", "than", "found"),
    [
        ("43", "42", True),
        ("42 1/2", "42", True),
        ("41,5", "42", False),
        ("XXL", "XL", True),
        ("S", "M", False),
        ("W34 L32", "W32 L32", True),
        ("W32 L34", "W32 L32", None),
        ("42", "42.0", None),
        ("M", "38", None),
        ("Bambini", "42", None),
    ],
)
def test_which_of_two_sizes_is_larger(size: str, than: str, found: bool | None) -> None:
    assert larger(size, than, (size, than)) is found

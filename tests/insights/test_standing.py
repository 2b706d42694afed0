"""What stands out and what changed: only what is clear, and the same whichever way it is looked at."""

from hypothesis import given
from hypothesis import strategies as st

from returns_portal.insights.chart import MOST, ROW, TOP, Item, chart
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import SHARES, Group, Measure, added
from returns_portal.insights.rules import adjusted, differs, effective, wilson
from returns_portal.insights.standing import Compared, Stands, by_doubt, by_month, changes, standings, weakest

R = Measure.RETURNED


def group(key: str, came_back: int, sent: int, at_once: int = 1) -> Group:
    """Units that were bought so many at a time."""
    counts = {Measure.SOLD: sent * at_once, Measure.SHIPPED: sent * at_once, R: came_back * at_once}
    return Group(key, key, counts, {Measure.SHIPPED: sent, R: came_back}, {Measure.SHIPPED: sent * at_once**2})


@st.composite
def several(draw: st.DrawFn) -> list[Group]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        sent = draw(st.integers(0, 80))
        made.append(group(str(number), draw(st.integers(0, sent)), sent))
    return made


@given(several())
def test_each_group_is_tested_against_the_rest_and_all_of_them_together(made: list[Group]) -> None:
    known = [one for one in made if one[Measure.SHIPPED]]
    hits, whole = sum(one[R] for one in known), sum(one[Measure.SHIPPED] for one in known)
    chances = [differs(one[R], one[Measure.SHIPPED], hits - one[R], whole - one[Measure.SHIPPED]) for one in known]
    found = standings(made, R)
    assert [one.group for one in found] == known
    assert [one.chance for one in found] == adjusted(chances)
    for one in found:
        rest = (hits - one.events) / (whole - one.whole) if whole > one.whole else 0
        if one.stands in {Stands.MORE, Stands.LESS}:
            assert one.chance < 0.05
            assert (one.stands is Stands.MORE) == (one.share > rest)
        assert one.interval.low <= one.share <= one.interval.high


def test_what_was_bought_at_once_is_one_observation() -> None:
    by_one = standings([group("a", 6, 20), group("b", 10, 100)], R)
    by_ten = standings([group("a", 6, 20, at_once=10), group("b", 10, 100, at_once=10)], R)
    assert [one.chance for one in by_one] == [one.chance for one in by_ten]
    assert [one.interval for one in by_one] == [one.interval for one in by_ten]
    assert effective(200, 2000) == 20
    assert by_one[0].interval == wilson(6, 20)
    assert effective(0, 0) == 0
    assert Group("", "", {}).interval(R) == (0, 1)


def test_months_of_which_things_may_still_come_back_are_compared_with_no_other() -> None:
    months = [group(f"2026-{month:02}", back, 200) for month, back in ((7, 40), (8, 38), (9, 41), (10, 20), (11, 1))]
    # All of them together, the youngest would be the best by far, and July worse than the rest.
    assert [one.stands for one in standings(months, R)][-1] is Stands.LESS
    found = by_month([*months, Group("2026-12", "", {Measure.SOLD: 3})], R, "2026-10")
    assert [(one.group.key[-2:], one.stands) for one in found] == [
        ("07", Stands.ALIKE), ("08", Stands.ALIKE), ("09", Stands.ALIKE),
        ("10", Stands.UNKNOWN), ("11", Stands.UNKNOWN),
    ]  # fmt: skip
    assert found[:3] == standings(months[:3], R)


def test_little_is_said_of_few() -> None:
    found = {
        one.group.key: one.stands
        for one in standings([group("few", 1, 5), group("a", 40, 200), group("b", 41, 200)], R)
    }
    assert found == {"few": Stands.UNKNOWN, "a": Stands.ALIKE, "b": Stands.ALIKE}
    assert standings([group("alone", 5, 100)], R)[0].stands is Stands.UNKNOWN
    clear = standings([group("few", 9, 9), group("many", 5, 500)], R)
    assert clear[0].stands is Stands.MORE
    assert [one.group.key for one in by_doubt(standings([group("many", 5, 500), group("few", 9, 9)], R))] == [
        "few",
        "many",
    ]


def test_what_is_worst_comes_first_and_the_nameless_is_left_out() -> None:
    tables = {
        Dimension.PRODUCT: [group("bad", 60, 100), group("worse", 90, 100), group("good", 50, 1000)],
        Dimension.SUPPLIER: [group("", 90, 100), group("Lviv", 60, 1000)],
    }
    assert [(found.dimension, found.standing.group.key) for found in weakest(tables, SHARES)] == [
        (Dimension.PRODUCT, "worse"),
        (Dimension.PRODUCT, "bad"),
    ]


def test_changes_are_told_where_they_are_clear() -> None:
    now = [group("a", 30, 60), group("b", 3, 60), group("c", 10, 60), group("new", 60, 60)]
    before = [group("a", 5, 60), group("b", 30, 60), group("c", 8, 60), group("gone", 60, 60)]
    found = changes([Compared(Dimension.PRODUCT, now, before)], SHARES)
    assert [(one.now.group.key, one.now.stands, one.before.events) for one in found] == [
        ("b", Stands.LESS, 30),
        ("a", Stands.MORE, 5),
    ]


def test_all_together_is_the_sum() -> None:
    whole = added([group("a", 1, 10), group("b", 2, 20, at_once=2)])
    assert (whole[R], whole[Measure.SHIPPED], whole.tried(R)) == (5, 50, (3, 30))


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 10)), max_size=40), st.integers(0, 100))
def test_bars_and_whiskers_stay_inside(parts: list[tuple[int, int]], shop: int) -> None:
    items = [
        Item("A name that is rather long for a telephone", "x", hits / 100, wilson(hits, 100), strong=bool(more))
        for hits, more in parts
    ]
    drawn = chart(items, shop / 100)
    assert len(drawn.bars) == min(len(items), MOST)
    assert drawn.height == TOP + ROW * len(drawn.bars)
    assert 0 <= drawn.line <= 100
    for item, bar in zip(items, drawn.bars, strict=False):
        assert 0 <= bar.low <= bar.width <= bar.high <= 100 or bar.width == 100
        assert 0 < bar.text_y < bar.y < bar.y + drawn.thick <= drawn.height
        assert len(bar.name) <= 24
        assert item.name in bar.title

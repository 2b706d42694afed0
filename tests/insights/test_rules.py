"""The statistics, each against a second computation: exact fractions, or the definition itself."""

import math
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.insights.rules import adjusted, differs, leans, wilson


@st.composite
def part_of(draw: st.DrawFn, most: int = 60, least: int = 0) -> tuple[int, int]:
    whole = draw(st.integers(least, most))
    return draw(st.integers(0, whole)), whole


def score(events: int, whole: int, share: float) -> float:
    """How many standard errors the share that is seen lies from one that is supposed."""
    return abs(events / whole - share) / math.sqrt(share * (1 - share) / whole)


@given(part_of(most=5000, least=1))
def test_the_interval_ends_where_the_score_test_does(seen: tuple[int, int]) -> None:
    events, whole = seen
    found = wilson(events, whole)
    limit = NormalDist().inv_cdf(0.975)
    assert 0 <= found.low <= events / whole <= found.high <= 1
    for end in (end for end in found if 0 < end < 1):
        assert score(events, whole, end) == pytest.approx(limit, rel=1e-6)


def test_the_interval_of_an_example_in_the_literature() -> None:
    # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statist. Med. 17 (1998), table I.
    for events, whole, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        assert list(wilson(events, whole)) == pytest.approx([low, high], abs=5e-5)
    assert wilson(0, 0) == (0, 1)


def fisher(events: int, whole: int, other_events: int, other_whole: int) -> Fraction:
    """The sum of all tables that are no likelier than the one that is seen, in whole numbers."""
    hits = events + other_events
    tables = [math.comb(whole, k) * math.comb(other_whole, hits - k) for k in range(min(whole, hits) + 1)]
    return Fraction(sum(table for table in tables if table <= tables[events]), math.comb(whole + other_whole, hits))


@given(part_of(), part_of())
def test_groups_differ_as_exact_fractions_say(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert differs(*one, *other) == pytest.approx(float(fisher(*one, *other)), rel=1e-6)
    assert differs(*one, *other) == pytest.approx(differs(*other, *one), rel=1e-6)


def test_groups_of_an_example_in_the_literature() -> None:
    # Fisher's tea: three of four cups recognised (Agresti 2013, §3.5.1), and criminal twins (Fisher 1934, §21.02).
    assert differs(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert differs(10, 13, 2, 17) == pytest.approx(0.000537, abs=5e-7)


def test_groups_of_a_large_shop() -> None:
    assert differs(400, 1000, 9000, 99_000) < 1e-100
    assert differs(100, 1000, 9900, 99_000) == pytest.approx(1.0, abs=0.05)
    assert differs(0, 0, 5, 10) == differs(3, 3, 4, 4) == differs(0, 3, 0, 9) == 1


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_direction_is_as_sure_as_coins_are_fair(first: int, second: int) -> None:
    whole = first + second
    tail = sum(math.comb(whole, k) for k in range(min(first, second) + 1))
    assert leans(first, second) == pytest.approx(float(min(Fraction(1), Fraction(2 * tail, 2**whole))), rel=1e-9)


@given(st.lists(st.floats(0, 1), max_size=40))
def test_adjusted_chances_choose_what_the_procedure_chooses(chances: list[float]) -> None:
    found = adjusted(chances)
    # As published: at any level all are kept up to the last whose part of the level, by its rank, is not exceeded.
    ranks = {each: sum(other <= each for other in chances) for each in chances}
    for here, kept in zip(chances, found, strict=True):
        level = min(each * len(chances) / ranks[each] for each in chances if each >= here)
        assert kept == pytest.approx(level, rel=1e-12)
        assert here <= kept <= 1


def test_adjusted_chances_of_the_paper() -> None:
    # Benjamini & Hochberg 1995, §3.2: fifteen chances, of which four are kept at 0.05.
    chances = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528]
    chances += [0.759, 1.0]
    assert [each <= 0.05 for each in adjusted(chances)] == [True] * 4 + [False] * 11

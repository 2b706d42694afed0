"""When a product is said to run small or large, and that a list of hundreds does not cry wolf."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.insights.fit import Confidence, Evidence, Verdict, judged
from returns_portal.insights.rules import adjusted, leans


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    buyers = draw(st.integers(0, 300))
    small = draw(st.integers(0, buyers))
    return Evidence(buyers, small, draw(st.integers(0, buyers - small)))


@given(st.lists(evidence(), max_size=30))
def test_a_direction_is_told_only_with_buyers_voices_and_a_clear_lead(seen: list[Evidence]) -> None:
    heard = [one for one in seen if one.buyers >= 20 and one.small + one.large >= 5]
    chances = iter(adjusted([leans(one.small, one.large) for one in heard]))
    for one, found in zip(seen, judged(seen), strict=True):
        chance = next(chances) if one in heard and one.buyers >= 20 and one.small + one.large >= 5 else 1.0
        assert found.chance == chance
        if found.verdict in {Verdict.SMALL, Verdict.LARGE}:
            assert one.buyers >= 20
            assert one.said >= 5
            assert chance < 0.05
            assert (found.verdict is Verdict.SMALL) == (one.small > one.large)
            assert one.said / one.buyers > 0.05
        if found.verdict is Verdict.AS_EXPECTED:
            assert max(one.small, one.large) / one.buyers < 0.15


@given(evidence())
def test_large_is_small_in_the_mirror(one: Evidence) -> None:
    [here], [there] = judged([one]), judged([Evidence(one.buyers, one.large, one.small)])
    mirror = {Verdict.SMALL: Verdict.LARGE, Verdict.LARGE: Verdict.SMALL}
    assert there == type(here)(mirror.get(here.verdict, here.verdict), here.chance)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Evidence(60, 14, 1), Verdict.SMALL),
        (Evidence(60, 0, 12), Verdict.LARGE),
        (Evidence(60, 1, 0), Verdict.AS_EXPECTED),
        (Evidence(19, 15, 0), Verdict.UNKNOWN),
        (Evidence(60, 4, 0), Verdict.UNKNOWN),
        (Evidence(60, 14, 13), Verdict.UNKNOWN),
        (Evidence(1000, 20, 0), Verdict.AS_EXPECTED),
        (Evidence(0, 0, 0), Verdict.UNKNOWN),
    ],
)
def test_verdicts_one_by_one(seen: Evidence, verdict: Verdict) -> None:
    assert judged([seen])[0].verdict is verdict


def test_of_products_that_fit_hardly_any_is_accused() -> None:
    chance = random.Random(11)  # noqa: S311 - the same in each run
    accused = 0
    for _list in range(40):
        fair = []
        for _product in range(100):
            voices = chance.randrange(5, 40)
            small = sum(chance.random() < 0.5 for _voice in range(voices))
            fair.append(Evidence(60, small, voices - small))
        accused += any(found.verdict in {Verdict.SMALL, Verdict.LARGE} for found in judged(fair))
    # Where nothing is wrong, a list of a hundred names anybody in one of twenty lists at most.
    assert accused <= 5


def test_how_sure_is_said_in_words() -> None:
    words = [judged([Evidence(100, said, 0)])[0].confidence for said in (20, 9, 6)]
    assert words == [Confidence.VERY, Confidence.SURE, Confidence.FAIRLY]

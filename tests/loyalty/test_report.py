"""What surprises bring: intervals against the literature and an independent computation, groups by the lot alone."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal import clock
from returns_portal.loyalty.comparing import Group, cost_of_one_more, difference, wilson
from returns_portal.orders.models import FinancialStatus
from tests.loyalty.test_levels import bought
from tests.loyalty.things import at_the_table, look, put, surprises, waiting
from tests.portal import Portal
from tests.returns.visits import sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

PAGE = "/staff/loyalty/report"
Z = 1.959963984540054


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


@pytest.mark.parametrize(
    ("first", "second", "interval"),
    [
        # Newcombe 1998, table II, method 10.
        (Group(70, 56), Group(80, 48), (0.0524, 0.3339)),
        (Group(10, 9), Group(10, 3), (0.1705, 0.8090)),
        (Group(10, 10), Group(20, 0), (0.6791, 1.0000)),
        (Group(56, 5), Group(29, 0), (-0.0381, 0.1926)),
    ],
)
def test_intervals_are_those_of_the_literature(first: Group, second: Group, interval: tuple[float, float]) -> None:
    found = difference(first, second)
    assert found is not None
    assert found.least == pytest.approx(interval[0], abs=1e-4)
    assert found.most == pytest.approx(interval[1], abs=1e-4)


@given(st.integers(min_value=1, max_value=500), st.data())
def test_wilsons_interval_is_where_the_score_test_turns(customers: int, data: st.DataObject) -> None:
    group = Group(customers, data.draw(st.integers(min_value=0, max_value=customers)))
    least, most = wilson(group)
    assert 0 <= least <= group.again / customers <= most <= 1
    for share in (least, most):
        if 0 < share < 1:
            deviation = (group.again / customers - share) ** 2
            assert deviation == pytest.approx(Z * Z * share * (1 - share) / customers, rel=1e-6, abs=1e-12)


def test_what_one_more_costs_is_told_only_where_it_is_certain() -> None:
    first, second = Group(70, 56), Group(80, 48)
    assert cost_of_one_more(14_000, first, difference(first, second)) == 1_000
    assert cost_of_one_more(14_000, second, difference(second, first)) is None
    assert cost_of_one_more(14_000, Group(10, 6), difference(Group(10, 6), Group(10, 5))) is None
    assert difference(Group(0, 0), second) is None
    assert cost_of_one_more(1, first, None) is None


async def test_groups_are_the_lots_and_months_have_their_cost(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "f@shop.example", "finance")
    empty = words(await browser.get(PAGE))
    assert "No surprises yet" in empty
    assert "Too early to tell: there must be somebody in both groups" in empty
    await surprises(portal, budget=2_000)
    await portal.rows("INSERT INTO loyalty_member VALUES ('boris@example.com', true, now()) RETURNING control")
    trials = await waiting(portal, "ana@example.com", "vera@example.com", "boris@example.com")
    assert await look(portal) == 3
    found = await at_the_table(portal)
    await put(portal, found[trials[0].number])
    assert "Surprised 0 0 –" in words(await browser.get(PAGE))
    await portal.rows("UPDATE surprise SET proposed_at = proposed_at - interval '91 days' RETURNING id")
    # Of an order within the days one group has one; what was ordered long after is none.
    await bought(portal, "3301", days_ago=40, email="vera@example.com")
    # Nor is one that was never paid.
    await bought(
        portal, "3302", days_ago=40, email="boris@example.com", financial_status=FinancialStatus.VOIDED, payments=[]
    )
    said = words(await browser.get(PAGE))
    assert "Surprised 2 1 50 % Left out by lot 1 0 0 %" in said
    assert "The difference is 50 %" in said
    assert "Too early to tell: chance alone could explain this difference." in said
    month = f"{clock.now() + timedelta(hours=2):%Y-%m}"
    assert f"{month} 1 €3.00 €20.00 0 1" in said
    table = (await browser.get(f"{PAGE}.csv")).text
    assert table.splitlines() == ["month,currency,given,cost,budget,declined,withheld", f"{month},EUR,1,300,2000,0,1"]
    await sign_in(browser, portal, "s@shop.example", "support")
    assert (await browser.get(PAGE)).status_code == 403

"""Levels by what was kept: a return is not counted, and takes nothing away that was reached."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import InvalidError
from returns_portal.loyalty.actions import change
from returns_portal.loyalty.form import amounts, read_levels, written
from returns_portal.loyalty.queries import programme, standings
from returns_portal.loyalty.rules import KeptOrder, Level, Standing, hides, level_of, standing
from tests.orders.samples import a_line
from tests.points.purse import send_back
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

ANA = "ana@example.com"
LEVELS = (Level("Friend", orders=2), Level("Good friend", orders=3, values={"EUR": 50_000}, both=True))
PAGE = "/staff/loyalty"


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


async def bought(portal: Portal, number: str, *, days_ago: int, **changes: Any) -> Any:  # noqa: ANN401 - the line's id
    """An order of one pair for 159.00 that arrived so many days ago; its line."""
    arrived = clock.now() - timedelta(days=days_ago)
    given: dict[str, Any] = {"email": ANA, "delivered_at": arrived, "lines": [a_line(quantity=1, tax=2_650)]} | changes
    _order, [line] = await portal.order(number=number, placed_at=arrived - timedelta(days=2), **given)
    await portal.work()
    return line


async def stands(portal: Portal, email: str = ANA) -> Standing:
    async with portal.begin() as db:
        return (await standings(db, await programme(db), [email, "nobody@example.com"]))[email]


async def levels(portal: Portal, **fields: Any) -> None:  # noqa: ANN401 - the fields of a programme
    async with portal.begin() as db:
        await change(db, SYSTEM, **{"levels": LEVELS, "wait_days": 30, **fields})


def test_a_level_is_reached_by_either_or_by_both() -> None:
    assert [level_of(LEVELS, n, {"EUR": 50_000}) for n in range(4)] == [0, 0, 1, 2]
    assert level_of(LEVELS, 3, {"EUR": 49_999}) == 1
    either = (Level("A", orders=5, values={"EUR": 100, "BGN": 200}),)
    assert level_of(either, 0, {"BGN": 200}) == 1
    # Amounts of different currencies are not added.
    assert level_of(either, 0, {"BGN": 199, "EUR": 99}) == 0
    assert level_of((Level("Nothing asked"),), 9, {"EUR": 9}) == 0


@given(st.lists(st.integers(min_value=0, max_value=10**6)), st.integers(min_value=1, max_value=10**6))
def test_more_that_is_kept_never_leads_lower(values: list[int], more: int) -> None:
    kept = [KeptOrder("EUR", value, clock.now()) for value in values]
    before, after = standing(LEVELS, kept), standing(LEVELS, [*kept, KeptOrder("EUR", more, clock.now())])
    assert after.level >= before.level
    assert after.orders == before.orders + 1
    assert sum(after.values.values()) == sum(values) + more


async def test_what_was_asked_back_in_time_is_not_counted(portal: Portal) -> None:
    await levels(portal)
    await bought(portal, "3001", days_ago=40)
    line = await bought(portal, "3002", days_ago=10)
    await send_back(portal, "3002", line, 1)
    await bought(portal, "3003", days_ago=29)
    assert await stands(portal) == Standing(1, {"EUR": 15_900}, 0)
    with clock.at(clock.now() + timedelta(days=25)):
        # The last is settled by then, and the one that came back is none.
        assert await stands(portal) == Standing(2, {"EUR": 31_800}, 1)
    with clock.at(clock.now() + timedelta(days=400)):
        assert await stands(portal) == Standing()


async def test_who_returns_everything_keeps_what_they_reached(portal: Portal) -> None:
    await levels(portal, wait_days=3)
    lines = {number: await bought(portal, number, days_ago=5) for number in ("3011", "3012")}
    reached = await stands(portal)
    assert reached == Standing(2, {"EUR": 31_800}, 1)
    for number, line in lines.items():
        await send_back(portal, number, line, 1)
    assert await stands(portal) == reached


async def test_a_part_that_is_kept_counts_with_its_own_value(portal: Portal) -> None:
    await levels(portal)
    line = await bought(portal, "3021", days_ago=10, lines=[a_line(quantity=3, tax=7_950)])
    await send_back(portal, "3021", line, 2)
    with clock.at(clock.now() + timedelta(days=25)):
        assert await stands(portal) == Standing(1, {"EUR": 15_900}, 0)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("300 EUR, 600 BGN", {"EUR": 30_000, "BGN": 60_000}),
        ("49,90 eur", {"EUR": 4_990}),
        ("JPY 30000;12.5 EUR", {"JPY": 30_000, "EUR": 1_250}),
        ("", {}),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, read: dict[str, int]) -> None:
    assert amounts(typed, "values-0") == read
    assert amounts(written(read), "values-0") == read


@pytest.mark.parametrize("typed", ["300", "EUR", "300 EUR, 20 EUR", "1.5 JPY", "0 EUR", "-3 EUR", "3 XXX", "9 EUR 9"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(InvalidError) as refusal:
        amounts(typed, "values-0")
    assert refusal.value.field == "values-0"


def test_a_level_needs_a_name_and_something_to_reach() -> None:
    assert read_levels({"name-3": "A", "orders-3": "2"}) == (Level("A", 2),)
    for sent, field in (
        ({"orders-0": "2"}, "name-0"),
        ({"name-1": "A"}, "orders-1"),
        ({"name-1": "A", "orders-1": "2", "both-1": "yes"}, "orders-1"),
    ):
        with pytest.raises(InvalidError) as refusal:
            read_levels(sent)
        assert refusal.value.field == field


@pytest.mark.parametrize(
    ("lower", "higher", "hidden"),
    [
        (Level("A", 3), Level("B", 2), True),
        (Level("A", 2), Level("B", 2), True),
        (Level("A", 2), Level("B", 3), False),
        (Level("A", values={"EUR": 300}), Level("B", 1), True),
        (Level("A", values={"EUR": 300}), Level("B", values={"EUR": 200}), True),
        (Level("A", values={"EUR": 300}), Level("B", values={"BGN": 200}), False),
        (Level("A", 2, {"EUR": 300}), Level("B", 2), False),  # Whoever spent 300 at once is on the lower one.
        (Level("A", 2, {"EUR": 300}, both=True), Level("B", 2), True),
        (Level("A", 2), Level("B", 2, {"EUR": 300}, both=True), False),
    ],
)
def test_a_level_that_takes_another_away_is_refused(lower: Level, higher: Level, hidden: bool) -> None:
    assert hides(higher, lower) is hidden


def test_levels_in_a_wrong_order_are_told_where_they_stand() -> None:
    sent = {"name-0": "High", "orders-0": "9", "name-2": "Middle", "orders-2": "12", "name-3": "Low", "orders-3": "1"}
    with pytest.raises(InvalidError) as refusal:
        read_levels(sent)
    assert (refusal.value.field, refusal.value.values["name"]) == ("name-3", "High")


async def test_the_admin_sets_levels_and_what_is_wrong_is_told_and_kept(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    sent = {"months": "12", "wait_days": "30", "name-0": "Friend <3", "values-0": "300"}
    refused = await post(browser, PAGE, sent)
    assert refused.status_code == 422
    assert "Give amounts such as 300 EUR" in words(refused)
    assert 'value="Friend &lt;3"' in refused.text
    for _twice in range(2):
        assert (await post(browser, PAGE, sent | {"values-0": "300 EUR"})).status_code == 303
    told = await portal.rows("SELECT data FROM history WHERE subject = 'loyalty_programme'")
    assert [row.data["levels"][0]["values"] for row in told] == [{"EUR": 30_000}]
    assert 'value="300.00 EUR"' in (await browser.get(PAGE)).text


async def test_support_looks_up_where_a_customer_stands(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "s@example.com", "support")
    assert (await browser.get(PAGE)).status_code == 403
    assert "There are no levels yet" in words(await browser.get(f"{PAGE}/customers"))
    await levels(portal)
    for number in ("3031", "3032"):
        await bought(portal, number, days_ago=40)
    said = words(await post(browser, f"{PAGE}/customers", {"email": "Ana@Example.com"}))
    assert "Friend 2 orders were kept and count now: €318.00." in said
    # An address stands in no URL, which servers and browsers write down.
    assert "Friend" not in words(await browser.get(f"{PAGE}/customers?email=Ana@Example.com"))
    unknown = await post(browser, f"{PAGE}/customers", {"email": "eve@example.com"})
    assert unknown.status_code == 422
    assert "Nobody with this address has ordered here." in words(unknown)

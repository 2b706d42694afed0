"""Occasions: a first order, a round number of them, a year since the first; returns are no matter."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from returns_portal import clock
from returns_portal.loyalty.models import Occasion
from returns_portal.loyalty.rules import Level, Programme, occasion_of
from tests.loyalty.test_levels import bought
from tests.loyalty.test_surprises import FORM, PAGE, TABLE
from tests.loyalty.things import at_the_table, look, surprises, waiting
from tests.points.purse import send_back
from tests.portal import Portal
from tests.returns.visits import post, sign_in, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

ALL = Programme(first_order=True, every_orders=5, anniversary=True)
HIGH = {"levels": (Level("Far away", orders=1000),), "from_level": 1}
"""Nobody has such a level: whoever is surprised has an occasion."""


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        yield client


@pytest.mark.parametrize(
    ("nth", "first", "placed", "occasion"),
    [
        (1, date(2025, 6, 1), date(2025, 6, 1), Occasion.FIRST),
        (2, date(2025, 6, 1), date(2025, 6, 1), None),
        (5, date(2025, 6, 1), date(2025, 9, 1), Occasion.ROUND),
        (10, date(2025, 6, 1), date(2026, 6, 1), Occasion.ROUND),
        (3, date(2025, 6, 1), date(2026, 5, 31), None),
        (3, date(2025, 6, 1), date(2026, 6, 1), Occasion.YEAR),
        (3, date(2025, 6, 1), date(2028, 7, 1), Occasion.YEAR),
        (3, date(2025, 6, 1), date(2026, 7, 2), None),
        # Over the turn of the year, and of a day that most years have not.
        (3, date(2024, 12, 20), date(2025, 1, 5), None),
        (3, date(2024, 12, 20), date(2026, 1, 5), Occasion.YEAR),
        (3, date(2024, 2, 29), date(2025, 2, 28), None),
        (3, date(2024, 2, 29), date(2025, 3, 1), Occasion.YEAR),
        (3, date(2024, 2, 29), date(2028, 2, 29), Occasion.YEAR),
    ],
)
def test_what_an_order_celebrates(nth: int, first: date, placed: date, occasion: Occasion | None) -> None:
    assert occasion_of(ALL, nth, first, placed) == occasion
    assert occasion_of(Programme(), nth, first, placed) is None


async def occasion_at_the_table(portal: Portal, email: str) -> Occasion | None:
    """What the packing table is told of the next parcel of somebody; it fails where it is told of no surprise."""
    [trial] = await waiting(portal, email)
    await look(portal)
    return (await at_the_table(portal))[trial.number].occasion


async def test_a_first_order_and_a_round_one_are_reason_enough_whatever_came_back(portal: Portal) -> None:
    await surprises(portal, **HIGH, first_order=True, every_orders=3)
    assert await occasion_at_the_table(portal, "ana@example.com") == Occasion.FIRST
    line = await bought(portal, "3401", days_ago=5, email="vera@example.com")
    [second] = await waiting(portal, "vera@example.com")
    await look(portal)
    assert second.number not in await at_the_table(portal)
    # What came back is an order all the same; one that was called off is none.
    await send_back(portal, "3401", line, 1)
    await bought(portal, "3402", days_ago=4, email="vera@example.com", cancelled_at=clock.now())
    assert await occasion_at_the_table(portal, "Vera@example.com") == Occasion.ROUND


async def test_a_year_after_the_first_order_is_one(portal: Portal) -> None:
    await surprises(portal, **HIGH, anniversary=True)
    await bought(portal, "3411", days_ago=366 + 5, email="ana@example.com")
    await bought(portal, "3412", days_ago=200, email="boris@example.com")
    [_ana, boris] = await waiting(portal, "ana@example.com", "boris@example.com")
    assert await look(portal) == 1
    [found] = (await at_the_table(portal)).values()
    assert found.occasion == Occasion.YEAR
    assert boris.number not in await at_the_table(portal)


async def test_the_lot_and_the_days_between_hold_for_occasions_too(portal: Portal) -> None:
    await surprises(portal, **HIGH, first_order=True, every_orders=2)
    await portal.rows("INSERT INTO loyalty_member VALUES ('boris@example.com', true, now()) RETURNING control")
    await waiting(portal, "ana@example.com", "boris@example.com")
    assert await look(portal) == 2
    await waiting(portal, "ana@example.com", "boris@example.com")
    assert await look(portal) == 2
    rows = await portal.rows("SELECT status, occasion FROM surprise ORDER BY email_key")
    assert [tuple(row) for row in rows] == [("proposed", "first"), ("withheld", "first")]
    with clock.at(clock.now() + timedelta(days=91)):
        assert await look(portal) == 4
    rows = await portal.rows("SELECT status, occasion FROM surprise ORDER BY email_key, id")
    assert [tuple(row) for row in rows] == [
        ("proposed", "first"),
        ("proposed", "round"),
        ("withheld", "first"),
        ("withheld", "round"),
    ]


async def test_the_admin_chooses_them_and_the_table_is_told(browser: Browser, portal: Portal) -> None:
    await sign_in(browser, portal, "mira@example.com", "admin")
    chosen = {"from_level": "5", "first_order": "yes", "every_orders": "10"}
    refused = await post(browser, f"{PAGE}/surprises", FORM | chosen | {"every_orders": "often"})
    assert refused.status_code == 422
    assert 'name="first_order" value="yes" checked' in refused.text
    assert 'id="every_orders-error"' in refused.text
    assert (await post(browser, f"{PAGE}/surprises", FORM | chosen)).status_code == 303
    page = (await browser.get(PAGE)).text
    assert 'name="first_order" value="yes" checked' in page
    assert 'name="anniversary" value="yes" checked' not in page
    await waiting(portal, "ana@example.com")
    await look(portal)
    assert "It is their first order." in words(await browser.get(TABLE))

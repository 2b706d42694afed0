"""What the shop owes in points: how a period changed it, and when what is left expires."""

from datetime import UTC, date, datetime, timedelta

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ForbiddenError
from returns_portal.payments.models import Tender
from returns_portal.points import expiry
from returns_portal.points.liability import Expiring, Liability, liability
from returns_portal.returns.models import RefundTo
from tests.points.purse import buy, capture, give, hold, policy, release, send_back
from tests.portal import FINANCE, Portal

pytestmark = pytest.mark.anyio

OCTOBER, NOVEMBER, DECEMBER, JANUARY = (
    datetime(2026, 9, 30, 21, tzinfo=UTC),
    datetime(2026, 10, 31, 22, tzinfo=UTC),
    datetime(2026, 11, 30, 22, tzinfo=UTC),
    datetime(2026, 12, 31, 22, tzinfo=UTC),
)


async def owed(portal: Portal, begins: datetime, ends: datetime) -> Liability:
    async with portal.begin() as db:
        [found] = await liability(db, FINANCE, begins, ends)
    changes = ("earned", "bonus", "refunds", "restored", "spent", "expired", "clawed_back", "adjusted")
    assert found.opening + sum(getattr(found, name) for name in changes) == found.closing
    assert sum(month.points for month in found.by_month) == found.closing
    return found


async def test_a_shop_without_points_owes_nothing(portal: Portal) -> None:
    async with portal.begin() as db:
        assert await liability(db, FINANCE, OCTOBER, NOVEMBER) == []
        with pytest.raises(ForbiddenError):
            await liability(db, Actor(kind="staff", id="w", grants=frozenset({"warehouse"})), OCTOBER, NOVEMBER)


async def test_every_change_stands_under_its_name(portal: Portal) -> None:
    """The whole life of points in one month, as it is now."""
    await policy(portal, points_rate=30)
    first = clock.now() - timedelta(days=1)
    last = clock.now() + timedelta(days=1)
    order, line = await buy(portal, "1", (Tender.STRIPE, 10_000))
    await portal.work()
    await give(portal, 1_000)
    await capture(portal, (await hold(portal, 800)).id, 500, order="2")
    await hold(portal, 50)
    await send_back(portal, order.number, line, 1, to=RefundTo.POINTS)
    paid, unit = await buy(portal, "2", (Tender.POINTS, 500), units=1)
    await send_back(portal, paid.number, unit, 1)
    found = await owed(portal, first, last)
    assert (found.opening, found.earned, found.clawed_back) == (0, 300, -150)
    assert (found.refunds, found.bonus, found.restored) == (5_000, 500, 500)
    assert (found.spent, found.adjusted, found.expired) == (-500, 1_000, 0)
    assert found.closing == 6_650
    assert found.by_month == [Expiring(None, 6_650)]


async def test_months_follow_one_another_and_stay_as_they_were(portal: Portal) -> None:
    with clock.at(OCTOBER + timedelta(days=3)):
        await give(portal, 100, months=2)
        await give(portal, 200, months=14)
        kept = await hold(portal, 30, minutes=60 * 24 * 40)
    with clock.at(NOVEMBER + timedelta(days=3)):
        await capture(portal, (await hold(portal, 40)).id)
        gone = await hold(portal, 60, minutes=60 * 24 * 60)
    october = await owed(portal, OCTOBER, NOVEMBER)
    with clock.at(DECEMBER + timedelta(days=7)):
        await release(portal, kept.id)
        await expiry.expire(portal.begin)
        await capture(portal, gone.id)
    assert await owed(portal, OCTOBER, NOVEMBER) == october
    assert (october.opening, october.adjusted, october.closing) == (0, 300, 300)
    assert october.by_month == [Expiring(date(2026, 12, 1), 100), Expiring(date(2027, 12, 1), 200)]
    november = await owed(portal, NOVEMBER, DECEMBER)
    assert (november.opening, november.spent, november.closing) == (300, -40, 260)
    assert november.by_month == [Expiring(date(2026, 12, 1), 60), Expiring(date(2027, 12, 1), 200)]
    december = await owed(portal, DECEMBER, JANUARY)
    assert (december.opening, december.spent, december.expired, december.closing) == (260, -60, -30, 170)
    assert december.by_month == [Expiring(date(2027, 12, 1), 170)]


async def test_each_currency_by_itself(portal: Portal) -> None:
    await give(portal, 100)
    await give(portal, 5_000, currency="JPY")
    async with portal.begin() as db:
        found = await liability(db, FINANCE, clock.now() - timedelta(days=1), clock.now() + timedelta(days=1))
    assert [(each.currency, each.closing) for each in found] == [("EUR", 100), ("JPY", 5_000)]

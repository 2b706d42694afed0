"""What the shop measured of itself, and what is told where it has measured too little."""

from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.policies.content import Conditions, Content, Effects, Rule
from returns_portal.refunds.pace import FEWEST, Expectation, expectation, measure
from returns_portal.returns.actions import Wanted
from returns_portal.warehouse.models import Condition
from tests.policies.test_postage import an_order, filed, promised
from tests.portal import Portal

pytestmark = pytest.mark.anyio

# As its carrier tells of it: handed in, and brought so many days later.
_TRAVELLED = """
    UPDATE label SET carrier = 'easypost', status = 'delivered', first_scan_at = now() - CAST(:ago AS interval),
        delivered_at = now() - CAST(:ago AS interval) + CAST(:days AS interval) RETURNING id
"""


async def travelled(portal: Portal, number: str, *, country: str, days: float) -> None:
    _order, [shoes] = await portal.order(number=number)
    await portal.rows(
        "UPDATE orders SET address = address || jsonb_build_object('country', CAST(:country AS text))"
        " WHERE number = :number RETURNING id",
        country=country,
        number=number,
    )
    await portal.work()
    filed = await portal.file(number, (shoes, 1))
    moved = _TRAVELLED.replace("RETURNING", "WHERE return_id = :id RETURNING")
    await portal.rows(moved, id=filed.id, ago=timedelta(days=9), days=timedelta(days=days))
    await portal.receive(filed.rma, (shoes, 1, Condition.RESELLABLE))
    await portal.work()


async def expected(portal: Portal, carrier: str, country: str) -> Expectation:
    async with portal.begin() as db:
        return await expectation(db, carrier, country, "original")


async def test_a_median_by_carrier_and_country_once_there_is_enough(portal: Portal) -> None:
    for place, days in enumerate([2.0, 2.5, 3.2, 4.0, 8.0]):
        await travelled(portal, f"1{place}", country="UA", days=days)
        if place == FEWEST - 2:
            assert await measure(portal.begin) == 0
    await travelled(portal, "20", country="BG", days=1.0)
    assert await measure(portal.begin) == 3
    # Rounded up; the refund came nine days less the way after that.
    ukraine = await expected(portal, "easypost", "ua")
    assert (ukraine.transit, ukraine.usual_transit) == (4, 3)
    assert ukraine.refund == 7
    # Of one parcel from Bulgaria nothing is said: all countries' figure is, and none for a carrier that nobody used.
    assert (await expected(portal, "easypost", "BG")).transit == 3
    assert (await expected(portal, "nova_poshta", "UA")).transit is None
    assert await measure(portal.begin) == 3
    with clock.shifted(timedelta(days=120)):
        assert await measure(portal.begin) == 0
    assert (await expected(portal, "easypost", "UA")).transit is None


async def test_what_is_kept_says_nothing_of_how_long_refunds_take(portal: Portal) -> None:
    await promised(portal, Content(rules=(Rule("Not worth the trip", Conditions(), Effects(keep_it=True)),)))
    for place in range(FEWEST):
        number, [shoes] = await an_order(portal, number=f"3{place}")
        await filed(portal, number, Wanted(shoes, 1))
    await portal.work()
    assert len(await portal.rows("SELECT id FROM refund WHERE status = 'succeeded'")) == FEWEST
    assert await measure(portal.begin) == 0

"""Nova Poshta's own ways: its list of return orders knows no filter, and grows long."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.carriers.gateway import CarrierRefusedError
from tests.carriers.nova_poshta_server import OUTBOUND
from tests.carriers.worlds import NovaPoshtaWorld, a_shipment, nova_poshta_world

pytestmark = pytest.mark.anyio

MANY = 2_130
PAGES = 43


@pytest.fixture
async def world() -> AsyncIterator[NovaPoshtaWorld]:
    async with nova_poshta_world() as opened:
        yield opened
        await opened.carrier.close()


def of_others(world: NovaPoshtaWorld, count: int) -> None:
    """Return orders of other waybills, made since."""
    for number in range(count):
        order = {"OrderNumber": f"102-{number:08d}", "OrderStatus": "Прийняте", "DocumentNumber": f"2059{number:010d}"}
        world.server.orders.insert(0, order)


async def test_a_label_is_bought_however_many_others_have_one(world: NovaPoshtaWorld) -> None:
    of_others(world, MANY)
    offer = await world.carrier.prepare(a_shipment(), "")
    bought = await world.carrier.buy(offer.ref, offer.service)
    of_others(world, MANY)
    found = await world.carrier.look_up(offer.ref)
    assert found is not None
    assert found.code == bought.code


async def test_the_list_is_read_once_for_all_parcels_that_are_asked_about(world: NovaPoshtaWorld) -> None:
    of_others(world, MANY)
    for number in range(20):
        await world.carrier.track(f"2059{number:010d}", "")
    assert len(world.server.calls) == PAGES
    with clock.shifted(timedelta(minutes=11)):
        await world.carrier.track(OUTBOUND, "")
    assert len(world.server.calls) == 2 * PAGES


async def test_an_order_that_was_given_back_a_moment_ago_keeps_nobody_from_another(world: NovaPoshtaWorld) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    await world.carrier.buy(offer.ref, offer.service)
    with clock.shifted(timedelta(minutes=11)):
        with pytest.raises(CarrierRefusedError, match="another label"):
            await world.carrier.prepare(a_shipment(), "")
        await world.carrier.void(offer.ref)
        assert (await world.carrier.prepare(a_shipment(), "")).ref == offer.ref

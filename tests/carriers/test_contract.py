"""What every carrier's adapter keeps. A new adapter joins `worlds.REMOTE`, and that is its test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from returns_portal import clock
from returns_portal.carriers.gateway import (
    CarrierRefusedError,
    CarrierUnknownError,
    ScanCode,
    VoidStatus,
)
from tests.carriers.faults import Fault
from tests.carriers.worlds import ALL, REMOTE, World, a_shipment

pytestmark = pytest.mark.anyio

UNKNOWN: list[Fault] = ["lost before", "broken", "nonsense", "busy"]
assert set(UNKNOWN) < set(get_args(Fault))


@pytest.fixture(params=sorted(ALL))
async def any_world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with ALL[request.param]() as world:
        yield world


@pytest.fixture(params=sorted(REMOTE))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with REMOTE[request.param]() as world:
        yield world


async def test_preparing_costs_nothing_and_buying_gives_a_label(any_world: World) -> None:
    offer = await any_world.carrier.prepare(a_shipment(), "")
    assert offer.ref
    assert not any_world.bought
    bought = await any_world.carrier.buy(offer.ref, offer.service)
    assert bought.cost is None or bought.currency
    found = await any_world.carrier.look_up(offer.ref)
    assert found == bought


async def test_a_label_is_bought_once_however_often_it_is_asked_for(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    first = await world.carrier.buy(offer.ref, offer.service)
    assert await world.carrier.buy(offer.ref, offer.service) == first
    assert world.bought == [offer.ref]
    assert first.cost
    assert first.tracking or first.code


async def test_what_was_bought_before_the_line_was_cut_is_found(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    world.faults.set("buy", "lost after")
    with pytest.raises(CarrierUnknownError):
        await world.carrier.buy(offer.ref, offer.service)
    assert world.bought == [offer.ref]
    found = await world.carrier.look_up(offer.ref)
    assert found is not None
    assert await world.carrier.buy(offer.ref, offer.service) == found
    assert world.bought == [offer.ref]


@pytest.mark.parametrize("fault", UNKNOWN)
async def test_what_was_not_bought_is_not_found_and_can_be_bought(world: World, fault: Fault) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    world.faults.set("buy", fault)
    with pytest.raises(CarrierUnknownError):
        await world.carrier.buy(offer.ref, offer.service)
    assert await world.carrier.look_up(offer.ref) is None
    await world.carrier.buy(offer.ref, offer.service)
    assert world.bought == [offer.ref]


@pytest.mark.parametrize("fault", UNKNOWN)
@pytest.mark.parametrize("call", ["prepare", "look_up"])
async def test_a_carrier_out_of_order_is_not_a_no(world: World, call: str, fault: Fault) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    # A question that changes nothing may be asked again at once by a client of its own accord.
    world.faults.set(call, fault, lasting=True)
    asked = world.carrier.prepare(a_shipment(), "") if call == "prepare" else world.carrier.look_up(offer.ref)
    with pytest.raises(CarrierUnknownError):
        await asked


async def test_a_no_is_a_no_and_nothing_was_bought(world: World) -> None:
    world.faults.set("prepare", "refused")
    with pytest.raises(CarrierRefusedError):
        await world.carrier.prepare(a_shipment(), "")
    offer = await world.carrier.prepare(a_shipment(), "")
    world.faults.set("buy", "refused")
    with pytest.raises(CarrierRefusedError, match=r"\w"):
        await world.carrier.buy(offer.ref, offer.service)
    assert not world.bought


async def test_an_unused_label_is_given_back_and_asking_again_changes_nothing(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    assert await world.carrier.void(offer.ref) is VoidStatus.NOT_APPLICABLE
    await world.carrier.buy(offer.ref, offer.service)
    first = await world.carrier.void(offer.ref)
    assert first in {VoidStatus.SUBMITTED, VoidStatus.REFUNDED}
    assert await world.carrier.void(offer.ref) in {first, VoidStatus.NOT_APPLICABLE}


async def test_a_void_without_an_answer_was_asked_once(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    await world.carrier.buy(offer.ref, offer.service)
    world.faults.set("void", "lost after")
    with pytest.raises(CarrierUnknownError):
        await world.carrier.void(offer.ref)
    assert await world.carrier.void(offer.ref) is not VoidStatus.REJECTED


async def test_a_used_label_is_not_given_back(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    await world.carrier.buy(offer.ref, offer.service)
    world.hand_in(offer.ref, datetime(2026, 11, 17, 9, tzinfo=UTC))
    try:
        said = await world.carrier.void(offer.ref)
    except CarrierRefusedError:
        said = VoidStatus.REJECTED
    assert said is VoidStatus.REJECTED


async def test_a_parcel_is_followed_and_the_same_scan_is_the_same_each_time(world: World) -> None:
    offer = await world.carrier.prepare(a_shipment(), "")
    bought = await world.carrier.buy(offer.ref, offer.service)
    world.hand_in(offer.ref, datetime(2026, 11, 17, 9, tzinfo=UTC))
    # What is told of many parcels at once may be a few minutes old.
    with clock.shifted(timedelta(minutes=11)):
        first = await world.carrier.track(offer.ref, bought.tracking)
    assert first.tracking
    assert first.scans[-1].code in {ScanCode.PICKED_UP, ScanCode.IN_TRANSIT}
    assert first.scans[-1].at.date().isoformat() == "2026-11-17"
    assert first.scans[-1].words
    assert await world.carrier.track(offer.ref, first.tracking) == first
    world.bring(offer.ref, datetime(2026, 11, 19, 10, tzinfo=UTC))
    then = await world.carrier.track(offer.ref, first.tracking)
    assert then.scans[-1].code is ScanCode.DELIVERED
    assert then.scans[-1].event_id not in {scan.event_id for scan in first.scans}
    assert then.expected is not None


async def test_a_label_that_was_never_made_is_nowhere(world: World) -> None:
    try:
        found = await world.carrier.look_up("no-such-shipment")
    except CarrierRefusedError:
        found = None
    assert found is None


async def test_only_those_that_say_so_pick_up(any_world: World) -> None:
    offer = await any_world.carrier.prepare(a_shipment(), "")
    await any_world.carrier.buy(offer.ref, offer.service)
    begins, ends = datetime(2026, 11, 18, 7, tzinfo=UTC), datetime(2026, 11, 18, 11, tzinfo=UTC)
    place = a_shipment().customer
    if not any_world.carrier.picks_up:
        with pytest.raises(CarrierRefusedError):
            await any_world.carrier.prepare_pickup(offer.ref, place, begins, ends)
        return
    ready = await any_world.carrier.prepare_pickup(offer.ref, place, begins, ends)
    any_world.faults.set("book_pickup", "lost after")
    with pytest.raises(CarrierUnknownError):
        await any_world.carrier.book_pickup(ready.ref)
    assert await any_world.carrier.book_pickup(ready.ref) == await any_world.carrier.book_pickup(ready.ref)
    await any_world.carrier.cancel_pickup(ready.ref)
    await any_world.carrier.cancel_pickup(ready.ref)

"""From the shelf to the customer and what they decide."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, DomainError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.photos import Photo
from returns_portal.tryon import calling_off, deciding, settling, shipping
from returns_portal.tryon.models import Decision, TrialStatus
from returns_portal.tryon.queries import TrialView
from returns_portal.tryon.rules import trial_ends
from tests.portal import API, Portal, at_once
from tests.tryon.samples import boots, decided, delivered, place, seen, shipped

pytestmark = pytest.mark.anyio

KEEP, RETURN, PROBLEM = Decision.KEEP, Decision.RETURN, Decision.PROBLEM
ZONE = "Europe/Sofia"


@pytest.fixture
async def trial(portal: Portal) -> TrialView:
    """One that the bank agreed to."""
    placed = await place(portal, await boots(portal), trial_days=3)
    await portal.work()
    authorised = await seen(portal, placed)
    assert authorised.status == TrialStatus.AUTHORISED
    return authorised


@pytest.fixture
async def running(portal: Portal, trial: TrialView) -> TrialView:
    """One that the customer has at home."""
    await shipped(portal, trial)
    return await delivered(portal, trial)


def announced(trial: TrialView) -> set[str]:
    return {item.size for item in trial.items if item.requested}


async def test_the_label_is_there_from_the_first_day_and_announces_all(trial: TrialView) -> None:
    assert trial.rma is not None
    assert announced(trial) == {"40", "41", "42", "43"}


async def test_packed_shipped_delivered(portal: Portal, trial: TrialView) -> None:
    async with portal.begin() as db:
        assert (await shipping.pack(db, API, trial.number)).status == TrialStatus.PACKED
        assert (await shipping.pack(db, API, trial.number)).status == TrialStatus.PACKED
    sent = await shipped(portal, trial, tracking="EC1")
    assert (sent.status, [(p.carrier, p.tracking) for p in sent.shipments]) == ("shipped", [("Econt", "EC1")])
    moment = clock.now()
    there = await delivered(portal, trial, at=moment)
    assert there.status == TrialStatus.DELIVERED
    assert there.delivered_at is not None
    assert there.ends_at == trial_ends(there.delivered_at, 3, ZONE)
    mails = await portal.mails()
    assert [mails.count(name) for name in ("trial_shipped", "trial_delivered")] == [1, 1]
    [order] = await portal.rows("SELECT fulfillment_status, delivered_at FROM orders")
    assert tuple(order) == ("fulfilled", None)


async def test_a_second_click_sends_no_second_parcel(portal: Portal, trial: TrialView) -> None:
    await at_once(*(shipped(portal, trial) for _ in range(8)))
    assert len((await seen(portal, trial)).shipments) == 1


async def test_it_begins_with_the_last_of_two_parcels(portal: Portal, trial: TrialView) -> None:
    await shipped(portal, trial, tracking="EC1")
    sent = await shipped(portal, trial, tracking="EC2")
    first, last = sent.shipments
    there = await delivered(portal, trial, shipment_id=first.id)
    assert (there.status, there.ends_at) == ("shipped", None)
    with clock.shifted(timedelta(days=2)):
        there = await delivered(portal, trial, shipment_id=last.id)
        assert there.delivered_at is not None
        assert there.delivered_at > clock.now() - timedelta(minutes=1)
    assert there.status == TrialStatus.DELIVERED


async def test_where_nobody_says_so_it_is_taken_for_delivered(portal: Portal, trial: TrialView) -> None:
    await shipped(portal, trial)
    with clock.shifted(timedelta(days=6)):
        async with portal.begin() as db:
            assert await shipping.assume_delivered(db) == 0
    with clock.shifted(timedelta(days=7, minutes=1)):
        async with portal.begin() as db:
            assert await shipping.assume_delivered(db) == 1
        begun = await seen(portal, trial)
    assert (begun.status, begun.delivery_assumed) == ("delivered", True)


async def test_the_real_delivery_begins_a_trial_anew_that_was_taken_for_delivered(
    portal: Portal, trial: TrialView
) -> None:
    await shipped(portal, trial)
    with clock.shifted(timedelta(days=7, minutes=1)):
        async with portal.begin() as db:
            await shipping.assume_delivered(db)
    with clock.shifted(timedelta(days=9)):
        there = await delivered(portal, trial)
        again = await delivered(portal, trial, at=clock.now() - timedelta(days=1))
    assert (there.status, there.delivery_assumed) == ("delivered", False)
    assert there.delivered_at is not None
    assert there.ends_at == trial_ends(there.delivered_at, 3, ZONE)
    assert again.ends_at == there.ends_at
    assert (await portal.mails()).count("trial_delivered") == 2


async def test_the_last_parcel_says_when_it_must_have_arrived(portal: Portal, trial: TrialView) -> None:
    await shipped(portal, trial, tracking="EC1")
    with clock.shifted(timedelta(days=6)):
        await shipped(portal, trial, tracking="EC2")
    for days, count in ((8, 0), (14, 1)):
        with clock.shifted(timedelta(days=days)):
            async with portal.begin() as db:
                assert await shipping.assume_delivered(db) == count


async def test_a_parcel_that_follows_the_first_one_stops_the_trial_until_it_is_there(
    portal: Portal, running: TrialView
) -> None:
    with clock.shifted(timedelta(days=1)):
        sent = await shipped(portal, running, tracking="EC2")
        assert (sent.status, sent.ends_at, sent.delivered_at) == ("shipped", None, None)
        assert (await portal.mails()).count("trial_shipped") == 2
    with clock.shifted(timedelta(days=2)):
        there = await delivered(portal, running)
    assert there.status == "delivered"
    assert there.delivered_at is not None
    assert there.delivered_at - running.placed_at >= timedelta(days=2)
    assert there.ends_at == trial_ends(there.delivered_at, 3, ZONE)


async def test_no_more_parcels_follow_what_is_being_settled(portal: Portal, running: TrialView) -> None:
    await decided(portal, running, KEEP, RETURN, RETURN, RETURN)
    async with portal.begin() as db:
        await settling.begin(db, API, running.number, now_by_staff=True)
    with pytest.raises(ConflictError) as refused:
        await shipped(portal, running, tracking="EC2")
    assert refused.value.code == "wrong_status"


async def test_a_parcel_that_was_not_sent_does_not_arrive(portal: Portal, trial: TrialView) -> None:
    await shipped(portal, trial)
    with pytest.raises(NotFoundError) as refused:
        await delivered(portal, trial, shipment_id=uuid4())
    assert refused.value.code == "shipment_not_found"


async def test_the_future_has_not_arrived(portal: Portal, trial: TrialView) -> None:
    with pytest.raises(ConflictError) as refused:
        await delivered(portal, trial)
    assert refused.value.code == "not_shipped"
    await shipped(portal, trial)
    with pytest.raises(InvalidError):
        await delivered(portal, trial, at=clock.now() + timedelta(hours=1))


async def test_what_is_kept_is_not_expected_back(portal: Portal, running: TrialView) -> None:
    after = await decided(portal, running, RETURN, KEEP)
    assert announced(after) == {"40", "42", "43"}
    after = await decided(portal, running, KEEP, RETURN)
    assert announced(after) == {"41", "42", "43"}
    assert after.rma == running.rma
    after = await decided(portal, running, KEEP, KEEP, KEEP, KEEP)
    assert after.return_status == "cancelled"
    after = await decided(portal, running, RETURN)
    assert announced(after) == {"40"}
    assert after.rma != running.rma


async def test_a_problem_is_told_and_what_is_missing_is_not_expected(portal: Portal, running: TrialView) -> None:
    [first, second, *_] = running.items
    async with portal.begin() as db:
        after = await deciding.decide(
            db,
            API,
            running.number,
            {first.id: PROBLEM, second.id: PROBLEM},
            {first.id: ("missing", ""), second.id: ("damaged", "  The sole is loose. ")},
        )
    assert [(item.problem, item.problem_note) for item in after.items[:2]] == [
        ("missing", ""),
        ("damaged", "The sole is loose."),
    ]
    assert announced(after) == {"41", "42", "43"}
    assert (await portal.mails()).count("trial_problem") == 2


async def test_nothing_is_decided_of_what_was_not_sent(portal: Portal, trial: TrialView) -> None:
    with pytest.raises(ConflictError) as refused:
        await decided(portal, trial, KEEP)
    assert refused.value.code == "not_shipped"


@pytest.mark.parametrize("decision", [Decision.UNDECIDED, KEEP])
async def test_bad_decisions_are_refused(portal: Portal, running: TrialView, decision: Decision) -> None:
    item = uuid4() if decision == KEEP else running.items[0].id
    for decisions in ({item: decision}, {}):
        async with portal.begin() as db:
            with pytest.raises(InvalidError):
                await deciding.decide(db, API, running.number, decisions)


async def test_more_time_is_given_once(portal: Portal, running: TrialView) -> None:
    async def more() -> TrialView | DomainError:
        async with portal.begin() as db:
            return await deciding.extend(db, API, running.number)

    found = await at_once(*(more() for _ in range(6)))
    assert sum(isinstance(each, TrialView) for each in found) == 1
    longer = await seen(portal, running)
    assert longer.delivered_at is not None
    assert longer.ends_at == trial_ends(longer.delivered_at, 6, ZONE)
    assert (await portal.mails()).count("trial_extended") == 1


async def test_photos_are_the_customers_own_and_bounded(portal: Portal, running: TrialView) -> None:
    owner = Actor(kind="customer", id=str(running.order_id), order_id=running.order_id)
    item, photo = running.items[0].id, Photo(2, 2, b"\xff\xd8jpeg")

    async def add(to: UUID) -> UUID:
        async with portal.begin() as db:
            return await deciding.add_photo(db, owner, running.number, to, photo)

    await add(item)
    with pytest.raises(NotFoundError):
        await add(uuid4())
    found = await at_once(*(add(item) for _ in range(9)))
    assert sum(isinstance(each, UUID) for each in found) == 5


async def test_customers_do_not_say_what_carriers_and_warehouses_say(portal: Portal, running: TrialView) -> None:
    owner = Actor(kind="customer", id=str(running.order_id), order_id=running.order_id)
    async with portal.begin() as db:
        for call in (
            shipping.pack(db, owner, running.number),
            shipping.ship(db, owner, running.number),
            shipping.deliver(db, owner, running.number, clock.now()),
            shipping.scanned(db, owner, running.number, clock.now()),
        ):
            with pytest.raises(ForbiddenError):
                await call


async def test_what_was_sent_is_not_called_off(portal: Portal, running: TrialView) -> None:
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as refused:
            await calling_off.cancel(db, API, running.number)
    assert refused.value.code == "already_shipped"

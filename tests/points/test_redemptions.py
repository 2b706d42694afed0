"""Paying with points: never more than there are, whoever clicks how often."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.points import redemptions
from returns_portal.points.queries import redemption_for
from returns_portal.points.redemptions import Hold
from tests.points.purse import ANA, NOW, balance, capture, expiring, give, hold, release
from tests.portal import API, Portal, at_once

pytestmark = pytest.mark.anyio


async def test_points_are_held_then_spent(portal: Portal) -> None:
    await give(portal, 1_000)
    held = await hold(portal, 400, order_number="#1001", reference="cart 7")
    assert (held.status, held.amount, held.captured, held.order_number) == ("held", 400, 0, "1001")
    assert ((await balance(portal)).points, (await balance(portal)).held) == (600, 400)
    spent = await capture(portal, held.id)
    assert (spent.status, spent.captured, spent.settled_at is not None) == ("captured", 400, True)
    assert ((await balance(portal)).points, (await balance(portal)).held) == (600, 0)


async def test_what_is_not_captured_goes_back_into_the_lots_that_last_longest(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=1)
        await give(portal, 100, months=2)
        await give(portal, 100)
        before = await expiring(portal)
        held = await hold(portal, 250)
        assert await expiring(portal) == [(50, None)]
        await capture(portal, held.id, 120)
    # The first to expire are spent: all of the first lot, and 20 of the second.
    assert await expiring(portal) == [(80, before[1][1]), (100, None)]


async def test_released_points_are_as_they_were(portal: Portal) -> None:
    with clock.at(NOW):
        await give(portal, 100, months=1)
        await give(portal, 100, months=2)
        before = await expiring(portal)
        held = await hold(portal, 150)
        released = await release(portal, held.id)
    assert released.status == "released"
    assert await expiring(portal) == before


async def test_more_than_there_is_holds_nothing(portal: Portal) -> None:
    await give(portal, 100)
    with pytest.raises(ConflictError) as refused:
        await hold(portal, 101)
    assert refused.value.code == "too_few_points"
    assert ((await balance(portal)).points, (await balance(portal)).held) == (100, 0)
    with pytest.raises(ConflictError):
        await hold(portal, 1, email="nobody@example.com")
    assert await portal.rows("SELECT 1 FROM points_account WHERE email_key = 'nobody@example.com'") == []


async def test_points_of_another_currency_do_not_pay(portal: Portal) -> None:
    await give(portal, 5_000, currency="JPY")
    with pytest.raises(ConflictError):
        await hold(portal, 1)


async def test_again_changes_nothing_and_otherwise_is_refused(portal: Portal) -> None:
    await give(portal, 1_000)
    held = await hold(portal, 400)
    once = await capture(portal, held.id, 300, order="1001")
    assert await capture(portal, held.id, 300) == once
    with pytest.raises(ConflictError, match="spent already"):
        await capture(portal, held.id, 200)
    with pytest.raises(ConflictError, match="spent already"):
        await release(portal, held.id)
    other = await hold(portal, 100)
    gone = await release(portal, other.id)
    assert await release(portal, other.id) == gone
    with pytest.raises(ConflictError, match="went back"):
        await capture(portal, other.id)
    assert (await balance(portal)).points == 700


async def test_what_cannot_be_is_refused_by_name(portal: Portal) -> None:
    await give(portal, 1_000)
    held = await hold(portal, 400, order_number="1001")
    for call, field in (
        (capture(portal, held.id, 401), "amount"),
        (capture(portal, held.id, 0), "amount"),
        (capture(portal, held.id, order="1002"), "order_number"),
        (hold(portal, 1, email="nobody"), "email"),
    ):
        with pytest.raises(InvalidError) as refused:
            await call
        assert refused.value.field == field
    with pytest.raises(NotFoundError):
        await capture(portal, UUID(int=7))
    async with portal.begin() as db:
        with pytest.raises(InvalidError):
            await redemptions.hold(db, API, Hold(ANA, "XXX", 1))
        reader = Actor(kind="api", id="r", grants=frozenset({"points:read"}))
        with pytest.raises(ForbiddenError):
            await redemptions.hold(db, reader, Hold(ANA, "EUR", 1))


async def test_fifty_at_once_never_overspend(portal: Portal) -> None:
    await give(portal, 1_000)
    await give(portal, 45)
    answers = await at_once(*(hold(portal, 100) for _ in range(50)))
    kinds = Counter(type(answer).__name__ for answer in answers)
    assert kinds == {"Redemption": 10, "ConflictError": 40}
    found = await balance(portal)
    assert (found.points, found.held) == (45, 1_000)


async def test_capture_and_release_at_once_end_one_way(portal: Portal) -> None:
    await give(portal, 1_000)
    held = await hold(portal, 1_000)
    calls = [capture(portal, held.id, 700) for _ in range(25)] + [release(portal, held.id) for _ in range(25)]
    answers = await at_once(*calls)
    [(status,)] = await portal.rows("SELECT status FROM points_redemption")
    ended = [answer.status for answer in answers if not isinstance(answer, BaseException)]
    assert set(ended) == {status}
    assert len(ended) == 25
    assert (await balance(portal)).points == (300 if status == "captured" else 1_000)


async def test_a_hold_whose_time_is_over_is_released_once(portal: Portal) -> None:
    await give(portal, 1_000)
    late, early = await hold(portal, 300, minutes=10), await hold(portal, 200, minutes=60)
    with clock.shifted(timedelta(minutes=11)):
        await at_once(*(redemptions.release_overdue(portal.begin) for _ in range(5)))
    async with portal.begin() as db:
        statuses = [(await redemption_for(db, API, each.id)).status for each in (late, early)]
    assert statuses == ["released", "held"]
    assert ((await balance(portal)).points, (await balance(portal)).held) == (800, 200)
    [told] = await portal.rows("SELECT action FROM history WHERE subject_id = :id AND action <> 'held'", id=late.id)
    assert told.action == "hold_expired"


async def test_the_database_itself_refuses_to_spend_what_is_not_there(portal: Portal) -> None:
    await give(portal, 10)
    with pytest.raises(Exception, match="remaining_of_granted"):
        await portal.rows("UPDATE points_lot SET remaining = -1 RETURNING id")
    await hold(portal, 10)
    with pytest.raises(Exception, match="append-only"):
        await portal.rows("UPDATE points_move SET delta = -1 RETURNING id")

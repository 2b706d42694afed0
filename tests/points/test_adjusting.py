"""Points by hand: with a reason, above the limit with somebody else, and never below zero."""

from datetime import timedelta
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.payments.models import Tender
from returns_portal.points import adjusting
from returns_portal.points.models import AdjustmentStatus
from tests.points.purse import ANA, balance, buy, give, policy
from tests.portal import FINANCE, Portal, at_once

pytestmark = pytest.mark.anyio

SUPPORT = Actor(kind="staff", id="stefan", grants=frozenset({"support"}))
OTHER = Actor(kind="staff", id="irina", grants=frozenset({"finance"}))
ADMIN = Actor(kind="staff", id="alex", grants=frozenset({"admin"}))


async def account(portal: Portal) -> UUID:
    await buy(portal, "1", (Tender.EXTERNAL, 1_000))
    await policy(portal, points_limit=500)
    async with portal.begin() as db:
        return await adjusting.open_account(db, SUPPORT, " Ana@EXAMPLE.com ")


async def adjust(portal: Portal, account_id: UUID, amount: int, *, by: Actor = SUPPORT) -> AdjustmentStatus:
    async with portal.begin() as db:
        return await adjusting.request(db, by, account_id, "EUR", amount, "We are sorry.")


async def approve(portal: Portal, by: Actor) -> None:
    [(pending,)] = await portal.rows("SELECT id FROM points_adjustment WHERE needed_second")
    async with portal.begin() as db:
        await adjusting.approve(db, by, pending)


async def test_up_to_the_limit_it_is_done_at_once(portal: Portal) -> None:
    account_id = await account(portal)
    assert await adjust(portal, account_id, 500) is AdjustmentStatus.DONE
    assert await adjust(portal, account_id, -200) is AdjustmentStatus.DONE
    assert (await balance(portal)).points == 300


async def test_many_small_ones_are_a_large_one(portal: Portal) -> None:
    account_id = await account(portal)
    assert await adjust(portal, account_id, 300) is AdjustmentStatus.DONE
    assert await adjust(portal, account_id, 201, by=FINANCE) is AdjustmentStatus.PENDING
    # What is taken counts for itself, so that a mistake can be put right by whoever made it.
    assert await adjust(portal, account_id, -300) is AdjustmentStatus.DONE
    with clock.shifted(timedelta(days=31)):
        assert await adjust(portal, account_id, 500) is AdjustmentStatus.DONE


@pytest.mark.parametrize("amount", [501, -501])
async def test_above_it_somebody_else_approves(portal: Portal, amount: int) -> None:
    account_id = await account(portal)
    await give(portal, 1_000)
    await policy(portal, points_limit=500)
    assert await adjust(portal, account_id, amount, by=FINANCE) is AdjustmentStatus.PENDING
    assert (await balance(portal)).points == 1_000
    with pytest.raises(ForbiddenError, match="yourself"):
        await approve(portal, FINANCE)
    with pytest.raises(ForbiddenError):
        await approve(portal, SUPPORT)
    assert (await balance(portal)).points == 1_000
    await approve(portal, OTHER)
    assert (await balance(portal)).points == 1_000 + amount


async def test_who_is_given_points_is_told_once_they_are_there(portal: Portal) -> None:
    account_id = await account(portal)
    await adjust(portal, account_id, 100)
    await adjust(portal, account_id, -50)
    told = "SELECT recipient, values ->> 'points' AS points FROM email WHERE template = 'points_given' ORDER BY id"
    assert [tuple(row) for row in await portal.rows(told)] == [(ANA, "100")]
    await adjust(portal, account_id, 700)
    assert len(await portal.rows(told)) == 1
    await approve(portal, FINANCE)
    assert [tuple(row) for row in await portal.rows(told)] == [(ANA, "100"), (ANA, "700")]


async def test_nobody_approves_their_own_also_as_admin(portal: Portal) -> None:
    await adjust(portal, await account(portal), 501, by=ADMIN)
    with pytest.raises(ForbiddenError):
        await approve(portal, ADMIN)


async def test_approved_by_fifty_at_once_it_happens_once(portal: Portal) -> None:
    await adjust(portal, await account(portal), 600)
    answers = await at_once(*(approve(portal, OTHER) for _ in range(50)))
    assert [type(answer) for answer in answers if answer is not None] == [ConflictError] * 49
    assert (await balance(portal)).points == 600


async def test_declined_it_changes_nothing(portal: Portal) -> None:
    await adjust(portal, await account(portal), 600)
    [(pending,)] = await portal.rows("SELECT id FROM points_adjustment")
    async with portal.begin() as db:
        await adjusting.refuse(db, OTHER, pending)
    assert await portal.points(ANA) == {}
    with pytest.raises(ConflictError):
        await approve(portal, OTHER)


async def test_a_shop_of_one_person_needs_no_second(portal: Portal) -> None:
    account_id = await account(portal)
    await policy(portal, second_person=False)
    assert await adjust(portal, account_id, 10_000) is AdjustmentStatus.DONE


async def test_no_more_is_taken_than_there_is(portal: Portal) -> None:
    account_id = await account(portal)
    await adjust(portal, account_id, 100)
    with pytest.raises(InvalidError, match="only 100"):
        await adjust(portal, account_id, -101)
    answers = await at_once(*(adjust(portal, account_id, -30) for _ in range(20)))
    assert [isinstance(answer, InvalidError) for answer in answers].count(False) == 3
    assert (await balance(portal)).points == 10


async def test_what_is_gone_at_approval_is_not_taken(portal: Portal) -> None:
    account_id = await account(portal)
    await give(portal, 600)
    await policy(portal, points_limit=500)
    await adjust(portal, account_id, -600)
    await adjust(portal, account_id, -1)
    with pytest.raises(InvalidError):
        await approve(portal, OTHER)
    assert (await balance(portal)).points == 599


@pytest.mark.parametrize(
    ("currency", "amount", "reason", "field"),
    [
        ("EUR", 0, "x", "amount"),
        ("EUR", 10**13, "x", "amount"),
        ("EUR", 1, " ", "reason"),
        ("EUR", 1, "x" * 201, "reason"),
        ("EURO", 1, "x", "currency"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    portal: Portal, currency: str, amount: int, reason: str, field: str
) -> None:
    account_id = await account(portal)
    async with portal.begin() as db:
        with pytest.raises(InvalidError) as refused:
            await adjusting.request(db, SUPPORT, account_id, currency, amount, reason)
    assert refused.value.field == field


async def test_only_staff_and_only_customers(portal: Portal) -> None:
    account_id = await account(portal)
    async with portal.begin() as db:
        with pytest.raises(ForbiddenError):
            await adjusting.request(db, Actor(kind="customer"), account_id, "EUR", 1, "please")
        with pytest.raises(NotFoundError):
            await adjusting.open_account(db, SUPPORT, "nobody@example.com")
        with pytest.raises(NotFoundError):
            await adjusting.request(db, SUPPORT, UUID(int=3), "EUR", 1, "x")
        with pytest.raises(NotFoundError):
            await adjusting.approve(db, OTHER, UUID(int=3))

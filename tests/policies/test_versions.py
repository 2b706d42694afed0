"""Versions of the policy: made by an admin, never changed, each for the orders of its time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError
from returns_portal.policies.actions import amend, publish
from returns_portal.policies.content import DEFAULT, Content
from returns_portal.policies.queries import forget, in_force, list_versions, versions
from returns_portal.shop.actions import ensure_shop
from returns_portal.shop.queries import current
from tests.portal import at_once

pytestmark = pytest.mark.anyio
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_a_new_installation_has_one_version_that_judges_everything(db: AsyncConnection) -> None:
    [first] = await versions(db)
    assert (first.version, first.content) == (1, DEFAULT)
    assert (await in_force(db, LONG_AGO)).version == 1


async def test_an_order_is_judged_by_the_version_of_its_moment(db: AsyncConnection) -> None:
    now = clock.now()
    await publish(db, SYSTEM, Content(return_days=30))
    await publish(db, SYSTEM, Content(return_days=60), starts_at=now + timedelta(days=5))
    judged = [await in_force(db, moment) for moment in (LONG_AGO, clock.now(), now + timedelta(days=6))]
    assert [version.content.return_days for version in judged] == [90, 30, 60]


async def test_the_shop_says_what_is_promised_today(db: AsyncConnection) -> None:
    await ensure_shop(db)
    await amend(db, SYSTEM, return_days=100, bonus_percent=5)
    await publish(db, SYSTEM, Content(return_days=14), starts_at=clock.now() + timedelta(days=1))
    shop = await current(db)
    assert (shop.return_days, shop.bonus_percent) == (100, 5)


async def test_the_same_again_makes_no_other_version(db: AsyncConnection) -> None:
    made = [await publish(db, SYSTEM, Content(return_days=30), based_on=1) for _ in range(2)]
    assert [version.version for version in made] == [2, 2]


async def test_of_two_who_change_it_at_once_one_is_told(begin: Begin) -> None:
    async def change(days: int) -> None:
        async with begin() as db:
            await publish(db, SYSTEM, Content(return_days=days), based_on=1)

    answers = await at_once(change(30), change(40))
    [error] = [answer for answer in answers if answer is not None]
    assert isinstance(error, ConflictError)
    forget()
    async with begin() as db:
        assert len(await versions(db)) == 2


async def test_what_is_written_cannot_be_changed(begin: Begin) -> None:
    for statement in ("UPDATE policy SET note = 'x'", "DELETE FROM policy"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with begin() as db:
                await db.execute(text(statement))


async def test_only_an_admin_may_and_not_for_the_past(db: AsyncConnection) -> None:
    clerk = Actor(kind="staff", id="x", grants=frozenset({"finance"}))
    with pytest.raises(ForbiddenError):
        await publish(db, clerk, Content(return_days=30))
    with pytest.raises(ForbiddenError):
        await list_versions(db, clerk)
    with pytest.raises(InvalidError) as refused:
        await publish(db, SYSTEM, Content(return_days=30), starts_at=LONG_AGO)
    assert refused.value.field == "starts_at"

"""Calls that may be repeated, and limits that are shared by all."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts import actions
from returns_portal.accounts.idempotency import once
from returns_portal.accounts.limits import Limit, bucket, count, hit
from returns_portal.accounts.models import IdempotencyKey, RateLimit
from returns_portal.actor import Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, InvalidError, TooManyError
from returns_portal.history import History, record

pytestmark = pytest.mark.anyio

CALLER = Actor(kind="api", id="one")


class Worker:
    """Does something that can be counted in the database."""

    def __init__(self, db: AsyncConnection) -> None:
        self.db = db

    async def __call__(self) -> tuple[int, object]:
        await record(self.db, CALLER, ("probe", UUID(int=7), "done", {}))
        return 201, {"id": UUID(int=7), "amounts": [1, 2]}


async def done(begin: Begin) -> int:
    async with begin() as db:
        return (await db.execute(select(func.count()).select_from(History))).scalar_one()


async def call(
    begin: Begin, key: str | None = "k", body: bytes = b"body", caller: Actor = CALLER
) -> tuple[int, object, bool]:
    async with begin() as db:
        return await once(db, caller, key, body, Worker(db))


async def test_the_same_call_again_gets_the_same_answer(begin: Begin) -> None:
    status, body, repeated = await call(begin)
    assert (status, repeated) == (201, False)
    assert body == {"id": UUID(int=7), "amounts": [1, 2]}
    again = await call(begin)
    assert again == (201, {"id": str(UUID(int=7)), "amounts": [1, 2]}, True)
    assert await done(begin) == 1


async def test_another_body_under_the_same_key_is_refused(begin: Begin) -> None:
    await call(begin)
    with pytest.raises(ConflictError) as refused:
        await call(begin, body=b"other")
    assert refused.value.code == "idempotency_mismatch"
    assert await done(begin) == 1


async def test_keys_of_two_callers_never_meet(begin: Begin) -> None:
    await call(begin)
    assert (await call(begin, body=b"other", caller=Actor(kind="api", id="two")))[2] is False
    assert await done(begin) == 2


async def test_without_a_key_every_call_works(begin: Begin) -> None:
    await call(begin, key=None)
    await call(begin, key=None)
    assert await done(begin) == 2


async def test_twins_at_once_do_the_work_once(begin: Begin) -> None:
    answers = await asyncio.gather(*(call(begin) for _ in range(8)))
    assert sorted(repeated for _status, _body, repeated in answers) == [False] + [True] * 7
    assert {status for status, _body, _repeated in answers} == {201}
    assert await done(begin) == 1


async def test_a_failed_call_can_be_tried_again(begin: Begin) -> None:
    async def fails() -> tuple[int, object]:
        raise ConflictError("Not now.")

    with pytest.raises(ConflictError, match="Not now"):
        async with begin() as db:
            await once(db, CALLER, "k", b"body", fails)
    assert (await call(begin))[2] is False
    assert await done(begin) == 1


async def test_a_twin_of_a_call_that_fails_does_the_work(begin: Begin) -> None:
    claimed, go_on = asyncio.Event(), asyncio.Event()

    async def fails_later() -> tuple[int, object]:
        claimed.set()
        await go_on.wait()
        raise ConflictError("Not now.")

    async def first() -> None:
        with pytest.raises(ConflictError):
            async with begin() as db:
                await once(db, CALLER, "k", b"body", fails_later)

    one = asyncio.create_task(first())
    await claimed.wait()
    twin = asyncio.create_task(call(begin))
    await asyncio.sleep(0.05)
    assert not twin.done()
    go_on.set()
    await one
    assert (await twin)[2] is False
    assert await done(begin) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\x00b"])
async def test_impossible_keys_are_refused(begin: Begin, key: str) -> None:
    with pytest.raises(InvalidError):
        await call(begin, key=key)


async def test_the_longest_key_serves(begin: Begin) -> None:
    assert (await call(begin, key="x" * 255))[2] is False
    assert (await call(begin, key="x" * 255))[2] is True


async def test_a_limit_lets_so_many_pass_also_at_once(begin: Begin) -> None:
    limit = Limit("door", times=5, seconds=60)
    outcomes = await asyncio.gather(*(hit(begin, limit) for _ in range(12)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyError)]
    assert len(refused) == 7
    assert all(0 < outcome.retry_after <= 60 for outcome in refused)


async def test_a_window_ends_and_another_begins(begin: Begin) -> None:
    limit = Limit("door", times=1, seconds=60)
    await hit(begin, limit)
    with pytest.raises(TooManyError):
        await hit(begin, limit)
    with clock.shifted(timedelta(seconds=61)):
        await hit(begin, limit)
        with pytest.raises(TooManyError):
            await hit(begin, limit)


async def test_the_tightest_of_several_limits_decides(db: AsyncConnection) -> None:
    loose, tight = Limit("all", times=100, seconds=600), Limit("one", times=1, seconds=30)
    assert await count(db, loose, tight) == 0
    assert 25 <= await count(db, loose, tight) <= 30
    assert await count(db, loose) == 0


async def test_what_was_tried_is_counted_although_the_request_fails(begin: Begin) -> None:
    limit = Limit("door", times=1, seconds=60)

    async def fails() -> None:
        async with begin():
            await hit(begin, limit)
            raise ConflictError("Not now.")

    with pytest.raises(ConflictError):
        await fails()
    with pytest.raises(TooManyError):
        await hit(begin, limit)


def test_buckets_do_not_tell_whom_they_count() -> None:
    name = bucket(b"key", "code:order", "ana@example.com")
    assert name.startswith("code:order:")
    assert "ana" not in name
    assert name != bucket(b"other", "code:order", "ana@example.com")
    assert bucket(b"key", "code:all") == "code:all"


async def test_what_is_over_is_swept_away(begin: Begin) -> None:
    await call(begin)
    await hit(begin, Limit("door", times=1, seconds=60))
    async with begin() as db:
        await actions.sweep(db)
        assert (await db.execute(select(col(RateLimit.bucket)))).scalars().all() == ["door"]
    with clock.shifted(timedelta(days=8)):
        async with begin() as db:
            await actions.sweep(db)
            assert (await db.execute(select(func.count()).select_from(RateLimit))).scalar_one() == 0
            assert (await db.execute(select(func.count()).select_from(IdempotencyKey))).scalar_one() == 0

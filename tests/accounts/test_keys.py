"""Keys of programs."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal.accounts.actions import create_api_key, revoke_api_key
from returns_portal.accounts.models import ApiKey
from returns_portal.accounts.queries import actor_for_key, api_key_id, api_keys
from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ForbiddenError, InvalidError, NotFoundError, UnauthorizedError

pytestmark = pytest.mark.anyio


async def test_a_key_stands_for_its_scopes_and_is_kept_as_a_digest(db: AsyncConnection) -> None:
    token = await create_api_key(db, SYSTEM, "shop system", ["orders:write", "orders:read"])
    assert re.fullmatch(r"rp_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", token)
    actor = await actor_for_key(db, token)
    assert (actor.kind, actor.grants) == ("api", frozenset({"orders:read", "orders:write"}))
    actor.require("orders:write")
    with pytest.raises(ForbiddenError):
        actor.require("refunds:read")
    row = (await db.execute(select(col(ApiKey.prefix), col(ApiKey.digest)))).one()
    assert row.prefix == token.split("_")[1]
    assert token.encode() not in row.digest


async def test_a_key_is_found_in_one_statement(db: AsyncConnection, statements: list[str]) -> None:
    token = await create_api_key(db, SYSTEM, "shop system", ["all"])
    statements.clear()
    await actor_for_key(db, token)
    assert len(statements) == 1


@pytest.mark.parametrize(
    "token", ["", "rp_", "rp_abcdefgh_" + "x" * 43, "Bearer x", "x" * 10_000, "rp_ab\x00defgh_" + "x" * 43]
)
async def test_what_is_no_key_opens_nothing(db: AsyncConnection, token: str) -> None:
    with pytest.raises(UnauthorizedError):
        await actor_for_key(db, token)


async def test_a_revoked_key_opens_nothing(db: AsyncConnection) -> None:
    token = await create_api_key(db, SYSTEM, "shop system", ["all"])
    identity = await api_key_id(db, token.split("_")[1])
    await revoke_api_key(db, SYSTEM, identity)
    with pytest.raises(UnauthorizedError):
        await actor_for_key(db, token)
    with pytest.raises(NotFoundError):
        await revoke_api_key(db, SYSTEM, identity)
    (listed,) = await api_keys(db, SYSTEM)
    assert listed["revoked_at"] is not None
    assert "digest" not in listed


async def test_keys_are_the_admins_affair(db: AsyncConnection) -> None:
    finance = Actor(kind="staff", grants=frozenset({"finance"}))
    with pytest.raises(ForbiddenError):
        await create_api_key(db, finance, "mine", ["all"])
    with pytest.raises(ForbiddenError):
        await api_keys(db, finance)
    with pytest.raises(InvalidError) as refused:
        await create_api_key(db, SYSTEM, "typo", ["orders:wirte"])
    assert (refused.value.field, "orders:wirte" in str(refused.value)) == ("scopes", True)
    with pytest.raises(NotFoundError):
        await api_key_id(db, "nothing")

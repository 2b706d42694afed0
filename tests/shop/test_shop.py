"""The shop's settings."""

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError, InvalidError
from returns_portal.history import History
from returns_portal.shop import queries
from returns_portal.shop.actions import SUBJECT_ID, ensure_shop, update_shop
from returns_portal.shop.models import Shop

pytestmark = pytest.mark.anyio


async def test_a_migrated_database_without_the_row_reads_as_the_default_shop(db: AsyncConnection) -> None:
    assert await queries.current(db) == queries.DEFAULT


async def test_the_row_is_made_once(db: AsyncConnection) -> None:
    await ensure_shop(db)
    await update_shop(db, SYSTEM, name="Bergschuh")
    await ensure_shop(db)
    assert (await db.execute(select(col(Shop.name)))).scalars().all() == ["Bergschuh"]
    assert (await queries.current(db)).name == "Bergschuh"


async def test_the_default_shop_is_one_that_could_be_set(db: AsyncConnection) -> None:
    default = queries.DEFAULT
    ZoneInfo(default.timezone)
    assert await update_shop(db, SYSTEM, address=default.address, phone=default.phone) == default


async def test_changes_are_merged_and_told(db: AsyncConnection) -> None:
    after = await update_shop(db, SYSTEM, goodwill_limit="100", address={"city": "Plovdiv", "postal_code": "4000"})
    assert after.goodwill_limit == 100
    assert after.address["city"] == "Plovdiv"
    assert after.address["line1"] == queries.DEFAULT.address["line1"]
    query = select(col(History.action), col(History.actor), col(History.data)).where(
        col(History.subject_id) == SUBJECT_ID
    )
    assert [tuple(row) for row in await db.execute(query)] == [
        ("changed", "system", {"fields": ["goodwill_limit", "address"], "goodwill_limit": [5000, 100]})
    ]


async def test_the_same_again_is_no_change(db: AsyncConnection) -> None:
    await update_shop(db, SYSTEM, name=queries.DEFAULT.name)
    assert (await db.execute(select(History).where(col(History.subject_id) == SUBJECT_ID))).all() == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("colour", {"colour": "green"}),
        ("name", {"name": "  "}),
        ("name", {"name": "Two\nLines"}),
        ("email", {"email": "nobody"}),
        ("timezone", {"timezone": "Europe/Atlantis"}),
        ("return_days", {"return_days": 30}),
        ("bonus_percent", {"bonus_percent": 5}),
        ("goodwill_limit", {"goodwill_limit": "soon"}),
        ("points_limit", {"points_limit": -1}),
        ("address", {"address": "Sofia"}),
        ("address.country", {"address": {"country": "Bulgaria"}}),
        ("address.country", {"address": {"country": "QQ"}}),
        ("address.city", {"address": {"city": ""}}),
        ("address.line2", {"address": {"line2": "a\tb"}}),
        ("address.planet", {"address": {"planet": "Earth"}}),
    ],
)
async def test_what_cannot_be_is_refused_by_name(db: AsyncConnection, field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidError) as refusal:
        await update_shop(db, SYSTEM, **changes)
    assert refusal.value.field == field


async def test_only_an_admin_may(db: AsyncConnection) -> None:
    with pytest.raises(ForbiddenError):
        await update_shop(db, Actor(kind="staff", id="x", grants=frozenset({"finance"})), name="Mine")


async def test_it_is_read_once_and_then_kept_for_a_while(begin: Begin) -> None:
    async with begin() as db:
        await ensure_shop(db)
        assert (await queries.current(db)).name == queries.DEFAULT.name
    async with begin() as db:
        await db.execute(Shop.__table__.update().values(name="Elsewhere"))  # type: ignore[attr-defined]  # SQLModel's table
        assert (await queries.current(db)).name == queries.DEFAULT.name
        queries.forget()
        assert (await queries.current(db)).name == "Elsewhere"

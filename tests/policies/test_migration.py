"""The policy that stood in the shop's row becomes the first version, and goes back there."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.db import beginner, create_engine
from tests.databases import database
from tests.finance.seed import stories

pytestmark = pytest.mark.anyio
BEFORE, AFTER = "0030", "0031"
_SHOP = """
    INSERT INTO shop (id, name, email, phone, timezone, return_days, bonus_percent, goodwill_limit, second_person,
        points_rate, points_months, points_limit, tax_details, licence, address, updated_at)
    VALUES (1, 'Bergschuh', 'a@b.example', '1', 'Europe/Sofia', 45, 7, 5000, true, 0, 0, 5000, '', '', '{}', now())
"""


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database of the revision before."""
    with database(server_url, "before") as url:
        command.upgrade(migrate._config(url), BEFORE)
        yield url


async def test_the_shops_promises_become_the_first_version_and_back(old_url: str) -> None:
    engine = create_engine(old_url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 3)
    await engine.dispose()
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as driver:
        driver.execute(_SHOP)
        command.upgrade(migrate._config(old_url), AFTER)
        found = driver.execute("SELECT version, content -> 'return_days', content -> 'bonus_percent' FROM policy")
        assert found.fetchall() == [(1, 45, 7)]
        kept = driver.execute("SELECT DISTINCT postage, postage_fee, policy_version FROM returns").fetchall()
        assert kept == [("shop", 0, 1)]
        assert driver.execute("SELECT DISTINCT fee, fee_tax FROM refund").fetchall() == [(0, 0)]
        driver.execute(
            "INSERT INTO policy SELECT gen_random_uuid(), 2, now(), content || '{\"return_days\": 60}', '', 'x', now()"
            " FROM policy"
        )
        command.downgrade(migrate._config(old_url), BEFORE)
        assert driver.execute("SELECT return_days, bonus_percent FROM shop").fetchall() == [(60, 7)]
        command.upgrade(migrate._config(old_url), "head")
    assert migrate.differences(old_url) is None

"""That a return may travel with another is added to returns that are there, and taken away again."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.db import beginner, create_engine
from tests.databases import database
from tests.finance.seed import stories

pytestmark = pytest.mark.anyio
BEFORE, AFTER = "0037", "0038"


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database of the revision before."""
    with database(server_url, "before") as url:
        command.upgrade(migrate._config(url), BEFORE)
        yield url


async def test_returns_that_are_there_travel_alone(old_url: str) -> None:
    engine = create_engine(old_url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 3)
    await engine.dispose()
    command.upgrade(migrate._config(old_url), AFTER)
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as driver:
        assert driver.execute("SELECT DISTINCT travels_with FROM returns").fetchall() == [(None,)]
        one, other = driver.execute("SELECT id FROM returns ORDER BY id LIMIT 2").fetchall()
        with pytest.raises(psycopg.errors.CheckViolation):
            driver.execute("UPDATE returns SET travels_with = id WHERE id = %s", one)
        driver.execute("UPDATE returns SET travels_with = %s, postage_fee = 0 WHERE id = %s", (*one, *other))
        command.downgrade(migrate._config(old_url), BEFORE)
        command.upgrade(migrate._config(old_url), "head")

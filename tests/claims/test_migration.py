"""What was to be sent anew before there was anything to send stays as it was told; what waits is not thrown away."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.db import beginner, create_engine
from tests.databases import database
from tests.finance.seed import stories

pytestmark = pytest.mark.anyio
BEFORE, AFTER = "0041-1", "0041"
_CLAIM = """
    INSERT INTO item_claim SELECT gen_random_uuid(), id, 'faulty', 'replacement', '', 'replaced', '', NULL, NULL,
        'staff:1', now(), now(), now() FROM orders LIMIT 1
"""


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database of the revision before."""
    with database(server_url, "before") as url:
        command.upgrade(migrate._config(url), BEFORE)
        yield url


async def test_claims_that_were_over_stay_so_and_what_waits_forbids_the_way_back(old_url: str) -> None:
    engine = create_engine(old_url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 3)
    await engine.dispose()
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as driver:
        driver.execute(_CLAIM)
        with pytest.raises(psycopg.errors.CheckViolation):
            driver.execute("UPDATE item_claim SET closed_at = NULL")
        command.upgrade(migrate._config(old_url), AFTER)
        assert driver.execute("SELECT status, closed_at IS NOT NULL FROM item_claim").fetchall() == [("replaced", True)]
        driver.execute("UPDATE item_claim SET closed_at = NULL")
        with pytest.raises(Exception, match="replacements that were not sent"):
            command.downgrade(migrate._config(old_url), BEFORE)
        driver.execute("UPDATE item_claim SET closed_at = now()")
        command.downgrade(migrate._config(old_url), BEFORE)
        command.upgrade(migrate._config(old_url), "head")

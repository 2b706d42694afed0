"""Corrections of before: each gets the day on which its parcel came, and the way back is open."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.db import beginner, create_engine
from tests.databases import database
from tests.finance.seed import stories

pytestmark = pytest.mark.anyio

BEFORE, AFTER = "0026", "0027"

_CORRECT = """
    INSERT INTO parcel SELECT * FROM jsonb_populate_record(NULL::parcel, (SELECT to_jsonb(p) || jsonb_build_object(
        'id', gen_random_uuid(), 'corrects_id', p.id, 'checked_in_at', p.checked_in_at + interval '3 days')
        FROM parcel p WHERE p.undone_at IS NULL ORDER BY p.checked_in_at DESC LIMIT 1))
"""
_DAYS = "SELECT checked_in_at FROM parcel ORDER BY checked_in_at"


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database of the revision before."""
    with database(server_url, "before") as url:
        command.upgrade(migrate._config(url), BEFORE)
        yield url


async def test_corrections_of_before_get_the_day_of_their_parcel_and_back(old_url: str) -> None:
    engine = create_engine(old_url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 1)
    await engine.dispose()
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as driver:
        driver.execute("DROP INDEX uq_parcel")
        came = driver.execute(_DAYS).fetchall()[-1][0]
        for _ in range(2):
            driver.execute(_CORRECT)
        before = driver.execute(_DAYS).fetchall()
        command.upgrade(migrate._config(old_url), AFTER)
        found = driver.execute(
            "SELECT checked_in_at, corrected_at FROM parcel WHERE corrects_id IS NOT NULL ORDER BY corrected_at"
        ).fetchall()
        assert [(day, moment) for day, moment in found] == [(came, day) for (day,) in before[-2:]]
        command.downgrade(migrate._config(old_url), BEFORE)
        assert driver.execute(_DAYS).fetchall() == before

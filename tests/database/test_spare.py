"""The database that one test after the other uses: it proves the books, and nothing of a test is left in it."""

import psycopg
import pytest

from returns_portal import clock
from returns_portal.db import run
from returns_portal.finance.books import check
from tests.portal import Portal
from tests.spare import Spare

_BREAKS = "UPDATE order_line SET unit_paid[1] = unit_paid[1] + :by"


@pytest.mark.anyio
async def test_what_breaks_the_books_is_seen_by_the_proof_as_by_the_check(
    portal: Portal, spare_database: Spare
) -> None:
    await portal.order()
    await portal.work()
    assert spare_database.proves(clock.minutes_ago(60))
    async with portal.begin() as db:
        await run(db, _BREAKS, by=1)
    assert await check(portal.begin)
    assert not spare_database.proves(clock.minutes_ago(60))
    async with portal.begin() as db:
        await run(db, _BREAKS, by=-1)
    assert spare_database.proves(clock.minutes_ago(60))


def test_what_a_test_wrote_is_gone_after_it(server_url: str, template_database: str) -> None:
    spare = Spare(server_url, template_database)
    try:
        with spare.lent() as url, psycopg.connect(url) as connection:
            connection.execute("DELETE FROM condition_rule")
            connection.execute("SELECT setval(seqrelid::regclass, 9) FROM pg_sequence")
        with spare.lent() as again, psycopg.connect(again) as connection:
            assert again == url
            assert connection.execute("SELECT FROM condition_rule").rowcount > 0
            assert connection.execute("SELECT FROM pg_sequences WHERE last_value IS NOT NULL").rowcount == 0
    finally:
        spare.drop()


def test_without_a_database_nothing_is_proven(server_url: str, template_database: str) -> None:
    spare = Spare(server_url, template_database)
    assert not spare.proves(clock.minutes_ago(60))
    with spare.lent():
        assert spare.proves(clock.minutes_ago(60))
    spare.drop()
    assert not spare.proves(clock.minutes_ago(60))

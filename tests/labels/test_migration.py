"""Labels of before there were carriers: each finds its place in the life of a label, and the way back is open."""

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.db import beginner, create_engine
from tests.databases import database
from tests.finance.seed import stories

pytestmark = pytest.mark.anyio

BEFORE, AFTER = "0023", "0024"


@pytest.fixture
def old_url(server_url: str) -> Iterator[str]:
    """A database of the revision before."""
    with database(server_url, "before") as url:
        command.upgrade(migrate._config(url), BEFORE)
        yield url


async def test_labels_of_before_are_brought_into_their_lives_and_back(old_url: str) -> None:
    engine = create_engine(old_url, size=1)
    async with beginner(engine)() as db:
        await stories(db, 1, 3)
    await engine.dispose()
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as driver:
        driver.execute("UPDATE returns SET status = 'filed' WHERE rma = 'R-1'")
        driver.execute("UPDATE returns SET status = 'cancelled', cancelled_at = now() WHERE rma = 'R-2'")
        driver.execute(
            "INSERT INTO label (id, return_id, carrier, code, created_at)"
            " SELECT gen_random_uuid(), id, 'prepaid', rma, created_at FROM returns"
        )
        before = driver.execute("SELECT id, return_id, carrier, code, created_at FROM label ORDER BY code").fetchall()
        command.upgrade(migrate._config(old_url), AFTER)
        found = driver.execute(
            "SELECT status, number, bought_at = created_at, delivered_at IS NOT NULL, void_status FROM label"
            " ORDER BY code"
        ).fetchall()
        assert found == [
            ("bought", 1, True, False, ""),
            ("voided", 1, True, False, "not_applicable"),
            ("delivered", 1, True, True, ""),
        ]
        # A second label of a return, which the tables of before had no place for.
        driver.execute(
            "INSERT INTO label SELECT * FROM jsonb_populate_record(NULL::label, (SELECT to_jsonb(l)"
            " || jsonb_build_object('id', gen_random_uuid(), 'status', 'bought',"
            " 'created_at', created_at - interval '1 day') FROM label l WHERE code = 'R-2'))"
        )
        command.downgrade(migrate._config(old_url), BEFORE)
        after = driver.execute("SELECT id, return_id, carrier, code, created_at FROM label ORDER BY code").fetchall()
        assert after == before
        command.upgrade(migrate._config(old_url), "head")
    assert migrate.differences(old_url) is None


async def test_of_labels_that_shared_a_shipment_the_one_that_is_on_its_way_keeps_it(server_url: str) -> None:
    with database(server_url, "shared") as url, psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as driver:
        command.upgrade(migrate._config(url), BEFORE)
        engine = create_engine(url, size=1)
        async with beginner(engine)() as db:
            await stories(db, 1, 3)
        await engine.dispose()
        command.upgrade(migrate._config(url), "0026")
        for place, (ref, status) in enumerate(
            [
                ("W-1", "sent"),
                ("W-1", "in_transit"),
                ("W-2", "voided"),
                ("W-2", "sent"),
                (None, "bought"),
                (None, "sent"),
            ]
        ):
            driver.execute(
                "INSERT INTO label SELECT (jsonb_populate_record(NULL::label, jsonb_build_object('id',"
                " gen_random_uuid(), 'return_id', id, 'number', %s::int, 'carrier', 'nova_poshta', 'service', '',"
                " 'status', %s::text, 'code', rma, 'shipment_ref', %s::text, 'cost', 7550, 'cost_currency', 'UAH',"
                " 'created_at', now(), 'void_status', CASE %s::text WHEN 'voided' THEN 'refunded' ELSE '' END,"
                " 'last_scan', '', 'qr', '', 'failure', '', 'attempts', 0, 'tried', 0))).* FROM returns"
                " WHERE rma = 'R-1'",
                (place + 1, status, ref, status),
            )
        command.upgrade(migrate._config(url), "head")
        found = driver.execute("SELECT status, shipment_ref, cost FROM label ORDER BY number").fetchall()
        assert found == [
            ("voided", None, None),
            ("in_transit", "W-1", 7550),
            ("voided", "W-2", 7550),
            ("sent", "W-2", 7550),
            ("bought", None, 7550),
            ("sent", None, 7550),
        ]
        command.downgrade(migrate._config(url), "0026")

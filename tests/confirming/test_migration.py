"""What the shop has chosen about new orders comes and goes on a database that has something in it."""

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from tests.confirming.things import choose, new_order
from tests.portal import Portal

pytestmark = pytest.mark.anyio

BEFORE = "0053"


async def test_orders_stay_and_a_choice_begins_anew(portal: Portal, database_url: str) -> None:
    await choose(portal, order_received_mail=True)
    await new_order(portal)
    config = migrate._config(database_url)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as driver:
        command.downgrade(config, BEFORE)
        assert driver.execute("SELECT number FROM orders").fetchall() == [("1042",)]
        command.upgrade(config, "head")
        assert driver.execute("SELECT confirming FROM shop").fetchall() == [({},)]

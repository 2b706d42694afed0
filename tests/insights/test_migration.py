"""Suppliers and verdicts come and go on a database that has something in it."""

import psycopg
import pytest
from alembic import command

from returns_portal import clock, migrate
from returns_portal.db import Begin
from returns_portal.insights.fitting import measure_all
from tests.insights.test_fitting import NOW, boots_that_run_small

pytestmark = pytest.mark.anyio


async def test_products_stay_when_what_is_known_of_them_goes(begin: Begin, database_url: str) -> None:
    async with begin() as db:
        await boots_that_run_small().write(db)
    with clock.at(NOW):
        await measure_all(begin)
    config = migrate._config(database_url)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as driver:
        command.downgrade(config, "0053")
        assert driver.execute("SELECT count(*) FROM product").fetchall() == [(3,)]
        command.upgrade(config, "head")
        assert driver.execute("SELECT DISTINCT supplier FROM product").fetchall() == [("",)]
        assert driver.execute("SELECT count(*) FROM product_fit").fetchall() == [(0,)]

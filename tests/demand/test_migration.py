"""The tables of demand come and go on a database that has something in it."""

import psycopg
import pytest
from alembic import command

from returns_portal import migrate
from returns_portal.demand import asking
from returns_portal.demand.asking import Asked
from returns_portal.demand.models import Source
from returns_portal.notifications.choices import refuse
from returns_portal.notifications.models import Optional
from tests.demand.things import STRANGER, place, stock
from tests.portal import Portal

pytestmark = pytest.mark.anyio

REQUESTS = "0062"


async def test_products_stay_and_go_on_being_counted(portal: Portal, database_url: str) -> None:
    await stock(portal)
    await place(portal)
    asked = Asked(source=Source.PRODUCT, locale="en", product="boot", size="43", email="ana@example.com", consent="yes")
    async with portal.begin() as db:
        await asking.ask(db, STRANGER, portal.settings, asked)
        await refuse(db, "ivo@example.com", {Optional.STOCK, Optional.PARCEL})
    await stock(portal, s43=1)
    config = migrate._config(database_url)
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as driver:
        assert driver.execute("SELECT pieces FROM stock_rise").fetchall() == [(1,)]
        command.downgrade(config, REQUESTS)
        assert driver.execute("SELECT count(*) FROM product_request").fetchall() == [(1,)]
        await stock(portal, s43=2)
        command.downgrade(config, f"{REQUESTS}-1")
        assert driver.execute("SELECT kind FROM mail_refusal").fetchall() == [("parcel",)]
        command.upgrade(config, "head")
        assert driver.execute("SELECT count(*) FROM elsewhere").fetchall() == [(0,)]
    await stock(portal, s43=3)

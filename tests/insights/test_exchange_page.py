"""Who exchanges something reads how it is cut, beside the choice of another size."""

from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.db import insert_rows
from returns_portal.insights.models import ProductFit
from returns_portal.settings import Settings
from tests.exchanges.samples import a_boot, shelf
from tests.portal import Portal
from tests.returns.visits import come_in, words
from tests.webclient import browsing

pytestmark = pytest.mark.anyio


async def test_an_exchange_is_chosen_knowing_how_it_is_cut(
    portal: Portal, settings: Settings, database_url: str
) -> None:
    await shelf(portal)
    order, _lines = await portal.order(lines=[a_boot()], delivered_at=clock.now() - timedelta(days=3))
    await portal.work()
    told = "Runs large: 9 of 40 buyers said so. Take a size smaller."
    async with browsing(settings, database_url) as browser:
        await come_in(browser, portal, order.number)
        page = await browser.get(f"/orders/{order.number}")
        assert "Size 41, Black" in words(page)
        assert "Runs large" not in words(page)
        [product] = await portal.rows("SELECT id FROM product WHERE handle = 'boot'")
        now = clock.now()
        fit = ProductFit(
            product_id=product.id, verdict="large", chance=0.01, ordered=True, buyers=40, small=0, large=9, sizes=[],
            since=now - timedelta(days=365), measured_at=now,
        )  # fmt: skip
        async with portal.begin() as db:
            await insert_rows(db, (ProductFit, [fit.model_dump()]))
        assert told in words(await browser.get(f"/orders/{order.number}"))

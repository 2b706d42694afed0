"""Products made of what orders name."""

from typing import Any

import pytest

from returns_portal.actor import SYSTEM
from returns_portal.catalog.from_orders import Made, products_from_orders
from returns_portal.catalog.queries import ProductView, product_for
from returns_portal.orders.actions import put_order
from tests.catalog.shelves import SHOP, a_product, put
from tests.orders.samples import a_line, an_order
from tests.portal import API, Portal

pytestmark = pytest.mark.anyio


async def order(portal: Portal, number: str, *lines: dict[str, Any], **more: Any) -> None:  # noqa: ANN401 - fields
    async with portal.begin() as db:
        await put_order(
            db,
            API,
            portal.settings,
            an_order(number=number, lines=[a_line(**({"quantity": 1, "tax": 0} | line)) for line in lines], **more),
        )


async def make(portal: Portal) -> Made:
    async with portal.begin() as db:
        return await products_from_orders(db, SYSTEM)


async def product(portal: Portal, handle: str) -> ProductView:
    async with portal.begin() as db:
        return await product_for(db, SHOP, handle)


async def test_articles_of_one_title_are_variants_of_one_product(portal: Portal) -> None:
    await order(
        portal,
        "1",
        {"sku": "D-42", "title": "Derby", "size": "42", "color": "Navy"},
        {"sku": "D-43", "title": "Derby", "size": "43", "color": "Navy"},
        {"sku": "S-M", "title": "Linen Shirt", "size": "M", "color": "", "unit_price": 5000, "tax": 833},
    )
    made = await make(portal)
    assert (made.created, made.updated, made.variants, made.left_out) == (2, 0, 3, [])
    derby, shirt = await product(portal, "derby"), await product(portal, "linen-shirt")
    assert [(v.sku, v.size, v.stock, v.price) for v in derby.variants] == [
        ("D-42", "42", 0, 15900),
        ("D-43", "43", 0, 15900),
    ]
    assert (derby.listed, derby.tax_rate, shirt.listed, shirt.tax_rate) == (False, 0, False, 2000)
    assert (await make(portal)).variants == 0


async def test_what_a_product_has_stays_and_gets_more(portal: Portal) -> None:
    await put(portal.begin, a_product())
    await order(portal, "1", {"sku": "CB-45", "title": "Chelsea Boot", "size": "45", "color": "Black"})
    made = await make(portal)
    assert (made.created, made.updated, made.variants) == (0, 1, 1)
    boot = await product(portal, "chelsea-boot")
    assert boot.listed
    assert [(v.size, v.stock) for v in boot.variants] == [("40", 5), ("41", 5), ("42", 5), ("43", 5), ("45", 0)]


async def test_what_cannot_be_a_variant_is_left_out_and_told(portal: Portal) -> None:
    await order(
        portal, "1", {"sku": "D-1", "title": "Derby"}, {"sku": "", "title": "Nothing"}, {"sku": "Q", "title": "…"}
    )
    await order(portal, "2", {"sku": "D-2", "title": "Derby"}, currency="USD")
    await order(portal, "3", {"sku": "D-3", "title": "derby"})
    made = await make(portal)
    assert (made.created, made.variants) == (1, 1)
    assert {article.sku: article.reason for article in made.left_out} == {
        "D-2": "The others of this product are priced in EUR.",
        "D-3": "Another article of this product has the same size and colour.",
        "Q": "Its title makes no name for an address.",
    }

"""Files of products: taken whole or refused by line and reason, the same again unchanged."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from returns_portal.catalog.importing import Format, ProductReport, import_products
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.queries import ProductView, product_for
from returns_portal.catalog.shopify import UNTRACKED
from returns_portal.db import Begin
from returns_portal.demo.goods import PRODUCTS
from returns_portal.errors import InvalidError
from tests.catalog.shelves import SHOP, a_product, put

pytestmark = pytest.mark.anyio

FIXTURE = Path(__file__).with_name("shopify_products.csv")
HEADER = "handle,title,sku,size,color,price,currency,stock"


class Importing:
    """A shop that imports files of products."""

    def __init__(self, begin: Begin, folder: Path) -> None:
        self.begin = begin
        self.folder = folder

    async def load(
        self, path: Path, fmt: Format = "shopify", *, dry_run: bool = False, currency: str = "EUR"
    ) -> ProductReport:
        return await import_products(self.begin, path, fmt=fmt, dry_run=dry_run, currency=currency)

    async def portal(self, *rows: str, header: str = HEADER, dry_run: bool = False) -> ProductReport:
        path = self.folder / "products.csv"
        path.write_text("\n".join([header, *rows]) + "\n")
        return await self.load(path, "portal", dry_run=dry_run)

    async def product(self, handle: str) -> ProductView:
        async with self.begin() as db:
            return await product_for(db, SHOP, handle)

    async def rows(self, statement: str) -> list[Any]:
        async with self.begin() as db:
            return list(await db.execute(text(statement)))


@pytest.fixture
def shop(begin: Begin, tmp_path: Path) -> Importing:
    return Importing(begin, tmp_path)


async def test_shopifys_file_is_taken_and_the_second_time_unchanged(shop: Importing) -> None:
    first = await shop.load(FIXTURE)
    assert (first.created, first.updated, first.unchanged) == (5, 0, 0)
    assert [(each.line, each.key, each.reason) for each in first.rejected] == [
        (10, "no-price", "This is needed. (Variant Price)")
    ]
    assert (first.pictures, first.barcodes, first.currency, first.exit_code) == (3, 1, "EUR", 1)
    before = await shop.rows("SELECT * FROM product JOIN variant v ON v.product_id = product.id ORDER BY v.id")
    again = await shop.load(FIXTURE)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 5)
    after = await shop.rows("SELECT * FROM product JOIN variant v ON v.product_id = product.id ORDER BY v.id")
    assert after == before


async def test_what_shopify_says_is_understood(shop: Importing) -> None:
    await shop.load(FIXTURE)
    boot = await shop.product("chelsea-boot")
    assert (boot.title, boot.brand, boot.kind) == ("Chelsea Boot", "Kestrel", ProductKind.SHOE)
    assert boot.description == "Soft leather.\n\n– Elastic\n– Sole to renew"
    assert (boot.size_system, boot.listed) == (SizeSystem.EU, True)
    assert [(v.sku, v.size, v.color, v.price, v.ean, v.stock, v.weight_grams) for v in boot.variants] == [
        ("KE-41-BL", "41", "Black", 18900, "4006381333931", 7, 920),
        ("KE-42-BL", "42", "Black", 18900, "", 0, 920),
        # Sold although there is none: such a shop makes it when it is ordered.
        ("KE-41-CO", "41", "Cognac", 19900, "", UNTRACKED, 920),
    ]
    dress = await shop.product("linen-dress")
    assert (dress.kind, dress.size_group, dress.size_system) == (
        ProductKind.CLOTHING,
        SizeGroup.WOMEN,
        SizeSystem.ALPHA,
    )
    assert [(v.size, v.color, v.stock) for v in dress.variants] == [
        ("S", "Navy / kurz", UNTRACKED),
        ("M", "Navy / kurz", UNTRACKED),
    ]
    shirt = await shop.product("vishivanka")
    assert (shirt.title, shirt.listed) == ("Вишиванка «Полтава»", False)
    assert [(v.sku, v.size, v.color, v.stock) for v in shirt.variants] == [("vishivanka", "", "", 4)]
    assert (await shop.product("voucher")).listed is False
    kids = await shop.product("kids-boot")
    assert (kids.listed, kids.size_group) == (False, SizeGroup.KIDS)


async def test_the_columns_of_today_say_the_same(shop: Importing) -> None:
    await shop.load(FIXTURE)
    old, *rows = FIXTURE.read_text().splitlines(keepends=True)
    names = {
        "Handle": "URL handle", "Body (HTML)": "Description", "Published": "Published on online store",
        "Option1 Name": "Option1 name", "Option1 Value": "Option1 value", "Option2 Name": "Option2 name",
        "Option2 Value": "Option2 value", "Option3 Name": "Option3 name", "Option3 Value": "Option3 value",
        "Variant SKU": "SKU", "Variant Grams": "Weight value (grams)", "Variant Inventory Tracker": "Inventory tracker",
        "Variant Inventory Qty": "Inventory quantity", "Variant Price": "Price", "Variant Barcode": "Barcode",
        "Variant Inventory Policy": "Continue selling when out of stock", "Image Src": "Product image URL",
        "Google Shopping / Age Group": "Google Shopping / Age group", "Gift Card": "Gift card",
    }  # fmt: skip
    header = ",".join(names.get(name, name) for name in old.strip().split(","))
    path = shop.folder / "today.csv"
    path.write_text(header + "\n" + "".join(rows))
    report = await shop.load(path)
    assert (report.created, report.updated, report.unchanged, len(report.rejected)) == (0, 0, 5, 1)


async def test_a_dry_run_tells_the_same_and_leaves_nothing(shop: Importing) -> None:
    report = await shop.load(FIXTURE, dry_run=True)
    assert (report.created, len(report.rejected)) == (5, 1)
    for table in ("product", "variant", "history"):
        assert await shop.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608 - a table's name in a test


async def test_a_file_without_a_currency_needs_one(shop: Importing) -> None:
    with pytest.raises(InvalidError, match="--currency EUR"):
        await shop.load(FIXTURE, currency="")
    with pytest.raises(InvalidError, match="ISO 4217"):
        await shop.load(FIXTURE, currency="EURO")
    assert await shop.rows("SELECT 1 FROM product") == []


async def test_the_demos_file_is_in_our_own_columns(shop: Importing) -> None:
    first, again = await shop.load(PRODUCTS, "portal"), await shop.load(PRODUCTS, "portal")
    assert (first.created, first.rejected, again.unchanged, again.currency) == (10, [], 10, "")
    boot = await shop.product("chelsea-boot")
    assert (boot.tax_rate, boot.listed, len(boot.variants)) == (2000, True, 36)


async def test_our_own_columns_are_strict(shop: Importing) -> None:
    report = await shop.portal(
        "good,Good Boot,G-42,42,Black,10.00,EUR,1",
        "no-title,,N-1,42,Black,10.00,EUR,1",
        "bad-price,Boot,B-1,42,Black,ten,EUR,1",
        "bad-currency,Boot,B-2,42,Black,10.00,XXQ,1",
        "bad-stock,Boot,B-3,42,Black,10.00,EUR,-1",
        "Bad Handle,Boot,B-4,42,Black,10.00,EUR,1",
        "taken,Boot,G-42,42,Black,10.00,EUR,1",
        "short,Boot,B-5,42",
        "good,Other Boot,G-43,43,Black,10.00,EUR,1",
        "dear,Boot,B-6,42,Black,10.005,EUR,1",
    )
    assert report.created == 1
    assert [(each.line, each.key) for each in report.rejected] == [
        (3, "no-title"), (4, "bad-price"), (5, "bad-currency"), (6, "bad-stock"), (7, "Bad Handle"), (8, "taken"),
        (9, "short"), (10, "good"), (11, "dear"),
    ]  # fmt: skip
    assert [variant.sku for variant in (await shop.product("good")).variants] == ["G-42"]
    assert "another product of this name" in report.rejected[7].reason


async def test_optional_columns_are_understood(shop: Importing) -> None:
    header = (
        "handle,title,kind,brand,description,size_system,size_group,tax_rate,listed,sku,price,currency,ean,weight_grams,"
        "supplier"
    )
    report = await shop.portal(
        'belt,Belt,other,Kestrel,"Long.\n\nBrown.",own,men,5.5 %,no,BE-1,20,EUR,4006381333931,150,Lviv Tannery',
        "bad-kind,Belt,hat,,,,,,,BE-2,20,EUR,,,",
        "bad-rate,Belt,,,,,,a lot,,BE-3,20,EUR,,,",
        "bad-ean,Belt,,,,,,,,BE-4,20,EUR,4006381333932,,",
        header=header,
    )
    assert [each.key for each in report.rejected] == ["bad-kind", "bad-rate", "bad-ean"]
    belt = await shop.product("belt")
    assert belt.supplier == "Lviv Tannery"
    assert (belt.kind, belt.tax_rate, belt.listed, belt.description) == (
        ProductKind.OTHER, 550, False, "Long.\n\nBrown.",
    )  # fmt: skip
    assert [(v.ean, v.weight_grams, v.price) for v in belt.variants] == [("4006381333931", 150, 2000)]


async def test_a_file_that_is_none_changes_nothing(shop: Importing) -> None:
    with pytest.raises(InvalidError, match="lacks the columns"):
        await shop.portal("1", header="a,b")


async def test_stock_that_is_not_in_the_file_stays(shop: Importing) -> None:
    await put(shop.begin, a_product())
    header = "handle,title,sku,size,color,price,currency"
    report = await shop.portal("chelsea-boot,Chelsea Boot,chelsea-boot-42,42,Black,99.00,EUR", header=header)
    assert report.updated == 1
    assert [(v.sku, v.price, v.stock) for v in (await shop.product("chelsea-boot")).variants] == [
        ("chelsea-boot-42", 9900, 5)
    ]


async def test_memory_does_not_grow_with_the_file(shop: Importing) -> None:
    peaks = []
    for products in (150, 600):
        rows = [f"p-{products}-{i},Boot,S-{products}-{i},42,Black,10.00,EUR,1" for i in range(products)]
        tracemalloc.start()
        report = await shop.portal(*rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert report.created == products
    assert peaks[1] < peaks[0] * 1.5

"""Looking for products: by words, by SKU, by kind and by size, page by page, and by an index."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.search import Wish, a_wish, search
from returns_portal.db import run
from returns_portal.errors import ForbiddenError
from tests.catalog.shelves import CUSTOMER, SHOP, a_product, a_variant

pytestmark = pytest.mark.anyio


@pytest.fixture
async def shop(db: AsyncConnection) -> AsyncConnection:
    for product in (
        a_product("chelsea-boot", brand="Kestrel"),
        a_product("derby", title="Derby “Oxford”", variants=[a_variant("KE-8", size="8")], size_system=SizeSystem.UK),
        a_product("dress", title="Сукня Полтава", kind=ProductKind.CLOTHING, size_group=SizeGroup.WOMEN,
                  variants=[a_variant("LI-M", size="M"), a_variant("LI-L", size="L")]),
        a_product("skirt", title="Skirt", kind=ProductKind.CLOTHING, size_group=SizeGroup.WOMEN,
                  variants=[a_variant("SK-40", size="40"), a_variant("SK-44", size="44", stock=0)]),
        a_product("hidden", title="Hidden Boot", listed=False, variants=[a_variant("HI-42")]),
    ):  # fmt: skip
        await put_product(db, SHOP, product)
    return db


async def found(db: AsyncConnection, words: str = "", kind: str = "", size: str = "") -> list[str]:
    page = await search(db, CUSTOMER, a_wish(words, kind, size))
    return [product.handle for product in page.products]


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ("", ["chelsea-boot", "derby", "skirt", "dress"]), ("boot", ["chelsea-boot"]), ("BOO chel", ["chelsea-boot"]),
        ("kestrel", ["chelsea-boot"]), ("полт", ["dress"]), ("СУКНЯ", ["dress"]), ("ke-8", ["derby"]),
        ("oxford", ["derby"]),
        ("chelsea-boot-4", ["chelsea-boot"]), ("oot", []), ("hidden", []), ("hi-42", []),
        ("'; drop table", []), ("%", []), ("& | !", []), ("boot:*", ["chelsea-boot"]),
        # What no text has is not looked for.
        ("x\x00y", ["chelsea-boot", "derby", "skirt", "dress"]),
    ],
)  # fmt: skip
async def test_words_find(shop: AsyncConnection, words: str, there: list[str]) -> None:
    assert await found(shop, words) == there


@pytest.mark.parametrize(
    ("size", "kind", "there"),
    [
        ("42", "", ["chelsea-boot", "derby", "dress"]), ("UK 8", "", ["chelsea-boot", "derby"]), ("8", "", ["derby"]),
        ("M", "", ["skirt", "dress"]), ("44", "clothing", ["skirt", "dress"]),
        ("40", "", ["chelsea-boot", "skirt", "dress"]),
        ("40", "shoe", ["chelsea-boot"]), ("52", "", []), ("", "other", []),
        ("", "hat", ["chelsea-boot", "derby", "skirt", "dress"]),
    ],
)  # fmt: skip
async def test_sizes_find(shop: AsyncConnection, size: str, kind: str, there: list[str]) -> None:
    assert await found(shop, kind=kind, size=size) == there


async def test_archived_variants_do_not_find(shop: AsyncConnection) -> None:
    await put_product(shop, SHOP, a_product("chelsea-boot", variants=[a_variant("chelsea-boot-40")]))
    assert await found(shop, size="42") == ["derby", "dress"]


async def test_staff_find_what_is_not_listed(shop: AsyncConnection) -> None:
    staff = Actor(kind="staff", grants=frozenset({"support"}))
    page = await search(shop, staff, Wish(words="boot", unlisted=True))
    assert [product.handle for product in page.products] == ["chelsea-boot", "hidden"]
    with pytest.raises(ForbiddenError):
        await search(shop, CUSTOMER, Wish(unlisted=True))


async def test_pages_hold_everything_once_in_order(db: AsyncConnection) -> None:
    for i in range(7):
        await put_product(db, SHOP, a_product(f"boot-{i}", title=f"Boot {i // 2}", variants=[a_variant(f"B-{i}")]))
    seen: list[str] = []
    after = None
    for _page in range(4):
        page = await search(db, CUSTOMER, Wish(words="boot"), after=after, limit=2)
        seen += [product.handle for product in page.products]
        after = page.after
    assert after is None
    assert seen == [f"boot-{i}" for i in range(7)]


async def fill(db: AsyncConnection, products: int) -> None:
    """So many products, in two variants each."""
    await db.execute(
        text("""
        INSERT INTO product (id, handle, title, kind, brand, description, size_system, size_group, tax_rate, listed,
                             words, created_at, updated_at)
        SELECT gen_random_uuid(), 'p-' || i, 'Product ' || md5(i::text), 'shoe', 'Brand ' || i % 50, '', 'eu', 'men', 0,
               true, 'product ' || md5(i::text) || ' brand ' || i % 50,
               :now, :now FROM generate_series(1, :products) AS i
        """),
        {"now": clock.now(), "products": products},
    )
    await db.execute(
        text("""
        INSERT INTO variant (id, product_id, position, sku, size, color, price, currency, ean, weight_grams, stock)
        SELECT gen_random_uuid(), id, n, 'S-' || substr(handle, 3) || '-' || n, (40 + n)::text, '', 100, 'EUR', '', 0, 1
        FROM product, generate_series(0, 1) AS n
        """)
    )
    await db.execute(text("ANALYZE product, variant"))


async def plan(db: AsyncConnection, monkeypatch: pytest.MonkeyPatch, wish: Wish) -> str:
    """How the database goes about a search, whatever the values are."""
    told: list[str] = []

    async def explain(db: AsyncConnection, query: str, /, **values: object) -> list[object]:
        rows = await run(db, f"EXPLAIN {query}", **values)
        told.extend(row[0] for row in rows)
        return await run(db, query, **values)

    monkeypatch.setattr("returns_portal.catalog.search.run", explain)
    await search(db, CUSTOMER, wish)
    return "\n".join(told)


async def test_ten_thousand_products_are_searched_by_the_indexes(
    db: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(db, 10_000)
    await put_product(db, SHOP, a_product("needle", title="Needle Boot", variants=[a_variant("NE-99", size="99")]))
    by_words = await plan(db, monkeypatch, Wish(words="needle"))
    assert "ix_product_words" in by_words
    assert "ix_variant_search" in by_words
    assert "Seq Scan" not in by_words
    by_size = await plan(db, monkeypatch, Wish(size="99"))
    # Once for which sizes there are, and once for those that fit.
    assert by_size.count("ix_variant_size") == 2
    assert "Seq Scan" not in by_size
    listed = await plan(db, monkeypatch, Wish())
    assert "ix_product_listed" in listed
    assert "Seq Scan" not in listed
    assert await found(db, "ne-99") == ["needle"] == await found(db, size="99")

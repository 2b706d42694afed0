"""Products taken in, and taken from."""

from typing import Any

import pytest
from sqlalchemy import text

from returns_portal.actor import Actor
from returns_portal.catalog.actions import give_back_stock, put_product, take_stock
from returns_portal.catalog.models import ProductKind, SizeGroup, SizeSystem
from returns_portal.catalog.queries import ProductView, page_of_products, product_for
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from tests.catalog.shelves import CUSTOMER, SHOP, a_product, a_variant, outcomes, put
from tests.portal import at_once

pytestmark = pytest.mark.anyio


async def rows(begin: Begin, statement: str) -> list[Any]:
    async with begin() as db:
        return list(await db.execute(text(statement)))


async def shown(begin: Begin, handle: str = "chelsea-boot") -> ProductView:
    async with begin() as db:
        return await product_for(db, SHOP, handle)


async def test_a_product_is_created_updated_and_left_alone(begin: Begin) -> None:
    first, again = await put(begin, a_product(), a_product())
    assert outcomes([first, again]) == ["created", "unchanged"]
    [changed] = await put(begin, a_product(title="  Chelsea   Boot ", brand="Kestrel"))
    assert (changed.id, changed.outcome) == (first.id, "updated")
    view = await shown(begin)
    assert (view.title, view.brand, view.listed) == ("Chelsea   Boot", "Kestrel", True)
    assert (view.size_system, view.size_group, view.tax_rate) == (SizeSystem.EU, SizeGroup.UNISEX, 0)
    assert [(v.size, v.stock) for v in view.variants] == [("40", 5), ("41", 5), ("42", 5), ("43", 5)]
    history = await rows(begin, "SELECT action FROM history WHERE subject = 'product' ORDER BY id")
    assert [row.action for row in history] == ["created", "updated"]


async def test_what_is_left_out_stays(begin: Begin) -> None:
    full = a_product(
        brand="Kestrel", supplier="Lviv Tannery", description="Soft.\n\n\n\nLight.", tax_rate=2000, listed=False,
        size_system=SizeSystem.UK, size_group=SizeGroup.MEN,
        variants=[a_variant("CB-8", ean="4006381333931", stock=3, weight_grams=900)],
    )  # fmt: skip
    short = a_product(variants=[a_variant("CB-8", stock=None)])
    assert outcomes(await put(begin, full, short)) == ["created", "unchanged"]
    view = await shown(begin)
    assert (view.brand, view.description, view.tax_rate, view.listed) == ("Kestrel", "Soft.\n\nLight.", 2000, False)
    assert view.supplier == "Lviv Tannery"
    assert (view.size_system, view.size_group) == (SizeSystem.UK, SizeGroup.MEN)
    [variant] = view.variants
    assert (variant.ean, variant.stock, variant.weight_grams) == ("4006381333931", 3, 900)


async def test_missing_variants_are_archived_and_come_back(begin: Begin) -> None:
    await put(begin, a_product())
    [before] = await rows(begin, "SELECT id FROM variant WHERE sku = 'chelsea-boot-42'")
    without = a_product(variants=[a_variant(f"chelsea-boot-{size}") for size in (43, 40)])
    assert outcomes(await put(begin, without, without)) == ["updated", "unchanged"]
    assert [v.size for v in (await shown(begin)).variants] == ["43", "40"]
    assert outcomes(await put(begin, a_product())) == ["updated"]
    [after] = await rows(begin, "SELECT id, archived_at FROM variant WHERE sku = 'chelsea-boot-42'")
    assert (after.id, after.archived_at) == (before.id, None)
    assert len(await rows(begin, "SELECT 1 FROM variant")) == 4


async def test_another_products_sku_is_not_taken_over(begin: Begin) -> None:
    await put(begin, a_product())
    thief = a_product("derby", variants=[a_variant("D-1"), a_variant("chelsea-boot-42", size="43")])
    with pytest.raises(ConflictError, match="chelsea-boot-42 belongs to the product chelsea-boot") as caught:
        await put(begin, thief)
    assert caught.value.code == "sku_taken"
    assert len(await rows(begin, "SELECT 1 FROM product")) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"handle": "Chelsea Boot"}, "handle"),
        ({"title": " "}, "title"),
        ({"title": "Boot\x00"}, "title"),
        ({"variants": []}, "variants"),
        ({"tax_rate": 10001}, "tax_rate"),
        ({"description": "x" * 20_001}, "description"),
        ({"variants": [a_variant(), a_variant(size="43")]}, "variants[1].sku"),
        ({"variants": [a_variant("A-1", size="42"), a_variant("A-2", size="42")]}, "variants[1].size"),
        ({"variants": [a_variant("A-1"), a_variant("A-2", currency="USD")]}, "variants[1].currency"),
        ({"variants": [a_variant(currency="XXX")]}, "variants[0].currency"),
        ({"variants": [a_variant(price=-1)]}, "variants[0].price"),
        ({"variants": [a_variant(price=10**12)]}, "variants[0].price"),
        ({"variants": [a_variant(stock=-1)]}, "variants[0].stock"),
        ({"variants": [a_variant(ean="4006381333932")]}, "variants[0].ean"),
        ({"variants": [a_variant(" ")]}, "variants[0].sku"),
        ({"variants": [a_variant(size="4" * 41)]}, "variants[0].size"),
    ],
)
async def test_what_cannot_be_names_its_field(begin: Begin, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidError) as caught:
        await put(begin, a_product(**changes))
    assert caught.value.field == field
    assert await rows(begin, "SELECT 1 FROM product") == []


async def test_only_who_may_puts_products(begin: Begin) -> None:
    for actor in (CUSTOMER, Actor(kind="api", grants=frozenset({"products:read"}))):
        async with begin() as db:
            with pytest.raises(ForbiddenError):
                await put_product(db, actor, a_product())
    async with begin() as db:
        await put_product(db, Actor(kind="staff", grants=frozenset({"support"})), a_product())


async def test_twenty_at_once_make_one_product(begin: Begin) -> None:
    stored = await at_once(*(put(begin, a_product()) for _ in range(20)))
    assert sorted(outcomes([each[0] for each in stored])) == ["created", *["unchanged"] * 19]
    assert len(await rows(begin, "SELECT 1 FROM variant")) == 4


async def test_two_products_cannot_have_one_new_sku_at_once(begin: Begin) -> None:
    both = [a_product(handle, variants=[a_variant("X-42")]) for handle in ("boot", "shoe")]
    first, second = await at_once(*(put(begin, product) for product in both))
    errors = [each for each in (first, second) if isinstance(each, ConflictError)]
    assert [error.code for error in errors] == ["sku_taken"]
    assert len(await rows(begin, "SELECT 1 FROM product")) == 1


async def take(begin: Begin, **wanted: int) -> list[Any]:
    async with begin() as db:
        return list(await take_stock(db, {f"chelsea-boot-{name[1:]}": count for name, count in wanted.items()}))


async def stocks(begin: Begin) -> list[int]:
    return [row.stock for row in await rows(begin, "SELECT stock FROM variant ORDER BY sku")]


async def test_stock_is_taken_and_given_back(begin: Begin) -> None:
    await put(begin, a_product(tax_rate=2000))
    taken = await take(begin, s43=2, s41=5)
    assert [(row.sku, row.quantity, row.price, row.tax_rate) for row in taken] == [
        ("chelsea-boot-43", 2, 18900, 2000),
        ("chelsea-boot-41", 5, 18900, 2000),
    ]
    assert await stocks(begin) == [5, 0, 5, 3]
    async with begin() as db:
        await give_back_stock(db, {row.variant_id: row.quantity for row in taken})
        await give_back_stock(db, {})
    assert await stocks(begin) == [5, 5, 5, 5]


async def test_too_little_takes_nothing_and_says_how_many_are_left(begin: Begin) -> None:
    await put(begin, a_product())
    with pytest.raises(ConflictError, match=r"Chelsea Boot in size 42 \(chelsea-boot-42\) only 5 are left") as caught:
        await take(begin, s41=1, s42=6, s43=7)
    assert caught.value.code == "out_of_stock"
    assert [(short.sku, short.left) for short in caught.value.detail] == [  # type: ignore[attr-defined]  # a list
        ("chelsea-boot-42", 5),
        ("chelsea-boot-43", 5),
    ]
    assert await stocks(begin) == [5, 5, 5, 5]
    await take(begin, s42=5)
    with pytest.raises(ConflictError, match="is out of stock"):
        await take(begin, s42=1)


async def test_what_is_unknown_or_no_longer_offered_is_not_taken(begin: Begin) -> None:
    await put(begin, a_product(), a_product(variants=[a_variant("chelsea-boot-40")]))
    with pytest.raises(NotFoundError, match="no article chelsea-boot-99"):
        await take(begin, s40=1, s99=1)
    with pytest.raises(InvalidError, match="no longer offered"):
        await take(begin, s40=1, s42=1)
    for wanted in ({}, {"s40": 0}, {"s40": -1}):
        with pytest.raises(InvalidError, match="at least one"):
            await take(begin, **wanted)
    assert await stocks(begin) == [5, 5, 5, 5]


async def test_the_last_one_goes_to_one_of_two(begin: Begin) -> None:
    await put(begin, a_product(variants=[a_variant("chelsea-boot-42", stock=1)]))
    first, second = await at_once(take(begin, s42=1), take(begin, s42=1))
    refused = [each for each in (first, second) if isinstance(each, ConflictError)]
    assert [error.code for error in refused] == ["out_of_stock"]
    assert await stocks(begin) == [0]


async def test_many_who_want_the_same_in_any_order_do_not_wait_in_a_circle(begin: Begin) -> None:
    await put(begin, a_product())
    wishes = [{"s40": 1, "s43": 1}, {"s43": 1, "s40": 1}, {"s41": 1, "s40": 1}] * 7
    taken = await at_once(*(take(begin, **wish) for wish in wishes))
    assert sum(1 for each in taken if isinstance(each, list)) >= 5
    assert {type(each) for each in taken} == {list, ConflictError}
    assert (await stocks(begin))[0] == 0


async def test_customers_see_what_is_listed(begin: Begin) -> None:
    await put(begin, a_product(), a_product("derby", listed=False, kind=ProductKind.SHOE))
    async with begin() as db:
        assert (await product_for(db, CUSTOMER, "chelsea-boot")).handle == "chelsea-boot"
        for handle in ("derby", "nothing"):
            with pytest.raises(NotFoundError):
                await product_for(db, CUSTOMER, handle)
        assert (await product_for(db, SHOP, "derby")).listed is False
        with pytest.raises(ForbiddenError):
            await page_of_products(db, CUSTOMER)

"""The storefront, as somebody without JavaScript sees it."""

import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from returns_portal.catalog.keeping import add_picture
from returns_portal.catalog.models import ProductKind, SizeGroup
from returns_portal.db import Begin
from returns_portal.photos import rebuilt
from returns_portal.settings import Settings
from tests.catalog.pictures import a_picture
from tests.catalog.shelves import SHOP, a_product, a_variant, put
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client


async def see(browser: Browser, path: str, status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status_code == status, answer.text
    # As in the address bar: quotes and angle brackets stay escaped.
    return re.sub(r"\s+", " ", answer.text).replace("&#x2f;", "/").replace("&amp;", "&")


def ticks(page: str) -> list[tuple[str, bool, bool]]:
    """The SKUs that can go into the basket: which are ticked, and which cannot be had."""
    found = re.findall(r'<input type="checkbox" name="sku" value="([^"]+)"([^>]*)>', page)
    return [(sku, "checked" in more, "disabled" in more) for sku, more in found]


BOOTS = a_product(
    brand="Kestrel",
    description="Soft <leather>.\n\nTrue to size.",
    variants=[
        *(a_variant(f"B-{size}", size=str(size), stock=0 if size == 43 else 5) for size in (40, 41, 42, 43, 44)),
        a_variant("N-42", size="42", color="Navy", price=19900, stock=1),
    ],
)


async def test_an_empty_shop_says_so(browser: Browser) -> None:
    assert "There is nothing in the shop yet" in await see(browser, "/shop")


async def test_the_shelf_shows_what_is_listed(browser: Browser, begin: Begin) -> None:
    await put(
        begin,
        BOOTS,
        a_product("secret", title="Secret Boot", listed=False, variants=[a_variant("X-1")]),
        a_product("gone", title="Gone Boot", variants=[a_variant("X-2", stock=0)]),
    )
    page = await see(browser, "/shop")
    assert "Secret Boot" not in page
    assert 'href="/shop/chelsea-boot"' in page
    assert "from €189.00" in page
    assert "40 to 44, 2 colours" in page
    assert page.count("Out of stock") == 1


async def test_searching_by_words_and_size(browser: Browser, begin: Begin) -> None:
    dress = a_product("dress", title="Linen Dress", kind=ProductKind.CLOTHING, size_group=SizeGroup.WOMEN,
                      variants=[a_variant("D-M", size="M")])  # fmt: skip
    await put(begin, BOOTS, dress)
    page = await see(browser, "/shop?q=boo&size=UK+9")
    assert 'href="/shop/chelsea-boot?size=43"' in page
    assert "Out of stock in this size" in page
    assert 'value="UK 9"' in page
    assert "Linen Dress" not in page
    assert "Linen Dress" in await see(browser, "/shop?size=M&kind=clothing")
    nothing = await see(browser, "/shop?q=%22%3E%3Cscript%3E")
    assert "Nothing fits what you look for" in nothing
    assert "<script>" not in nothing
    for odd in ("q=%00", "after=x", "kind=hat", f"after={uuid4()}", "size=" + "4" * 300, "q=" + "x" * 3000):
        await see(browser, f"/shop?{odd}")


async def test_the_shelf_goes_on_by_pages(browser: Browser, begin: Begin) -> None:
    await put(
        begin,
        *(a_product(f"p-{i:02}", title=f"Boot {i:02}", variants=[a_variant(f"S-{i}")]) for i in range(30)),
    )
    first = await see(browser, "/shop?q=boot")
    [following] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = await see(browser, following)
    titles = re.findall(r"Boot \d\d(?=</a>)", first + second)
    assert titles == [f"Boot {i:02}" for i in range(30)]
    assert 'href="/shop?q=boot"' in second


async def test_a_product_asks_for_the_size_first(browser: Browser, begin: Begin) -> None:
    await put(begin, BOOTS)
    page = await see(browser, "/shop/chelsea-boot")
    assert ticks(page) == []
    assert "Choose your size" in page
    assert 'href="/shop/chelsea-boot?color=Black&size=42#try"' in page
    assert 'class="chip out" href="/shop/chelsea-boot?color=Black&size=43#try"' in page
    assert "Soft &lt;leather&gt;.</p><p>True to size." in page


async def test_the_sizes_beside_the_chosen_one_are_proposed_and_not_ticked(browser: Browser, begin: Begin) -> None:
    await put(begin, BOOTS)
    page = await see(browser, "/shop/chelsea-boot?size=42&color=Black")
    assert ticks(page) == [("B-42", True, False), ("B-41", False, False), ("B-43", False, True)]
    assert 'action="/basket"' in page
    assert "the next smaller" in page
    assert "out of stock" in page
    # Asked for in another system, and from a colour that has one size only.
    assert ticks(await see(browser, "/shop/chelsea-boot?size=UK+7.5"))[0] == ("B-41", True, False)
    navy = await see(browser, "/shop/chelsea-boot?color=Navy&size=40")
    assert (ticks(navy), "the last one" in navy, "€199.00" in navy) == ([("N-42", True, False)], True, True)


async def test_a_size_that_is_out_of_stock_is_not_ordered_but_those_beside_it(browser: Browser, begin: Begin) -> None:
    await put(begin, BOOTS)
    page = await see(browser, "/shop/chelsea-boot?size=43")
    assert ticks(page) == [("B-43", False, True), ("B-42", False, False), ("B-44", False, False)]
    assert "There is no 50 here" in await see(browser, "/shop/chelsea-boot?size=50")


async def test_what_is_out_of_stock_says_so_and_takes_no_order(browser: Browser, begin: Begin) -> None:
    await put(begin, a_product("gone", variants=[a_variant("G-1", size="", color="", stock=0)]))
    page = await see(browser, "/shop/gone")
    assert "out of stock in every size" in page
    assert "Put into the basket" not in page


async def test_other_systems_stand_in_a_table(browser: Browser, begin: Begin) -> None:
    await put(begin, BOOTS, a_product("belt", kind=ProductKind.OTHER, variants=[a_variant("BE-80", size="80")]))
    page = await see(browser, "/shop/chelsea-boot")
    assert '<th scope="row">UK</th><td class="n">6.5</td><td class="n">7.5</td>' in page
    assert "Sizes in other systems" not in await see(browser, "/shop/belt")


async def test_what_is_not_there_is_not_found(browser: Browser, begin: Begin) -> None:
    await put(begin, a_product(listed=False))
    for path in ("/shop/chelsea-boot", "/shop/nothing", "/shop/nothing/pictures/x.jpg"):
        await see(browser, path, 404)


async def test_pictures_are_kept_for_ever_and_made_smaller(browser: Browser, begin: Begin) -> None:
    await put(begin, BOOTS)
    async with begin() as db:
        photo = rebuilt(a_picture(size=(1600, 1200)))
        picture_id = await add_picture(db, SHOP, "chelsea-boot", photo, color="Navy", alt="From the side")
    for query, width in (("", 1600), ("?w=960", 960), ("?w=480", 480), ("?w=480", 480)):
        answer = await browser.get(f"/shop/chelsea-boot/pictures/{picture_id}.jpg{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert rebuilt(answer.content).width == width
    path = f"/shop/{{}}/pictures/{picture_id}.jpg"
    for wrong in (path.format("derby"), path.format("chelsea-boot") + "?w=7", "/shop/chelsea-boot/pictures/x.jpg"):
        await see(browser, wrong, 404)
    await see(browser, f"/shop/chelsea-boot/pictures/{UUID(int=1)}.jpg", 404)
    navy, shelf = await see(browser, "/shop/chelsea-boot?color=Navy"), await see(browser, "/shop")
    for page in (navy, shelf):
        assert f'src="/shop/chelsea-boot/pictures/{picture_id}.jpg?w=960"' in page
        assert 'width="1600" height="1200" alt="From the side"' in page

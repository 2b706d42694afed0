"""Products in the hands of staff: shown and hidden, counted, photographed."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from returns_portal.actor import Actor
from returns_portal.catalog import keeping
from returns_portal.catalog.actions import take_stock
from returns_portal.db import Begin
from returns_portal.errors import ForbiddenError
from returns_portal.photos import rebuilt
from returns_portal.settings import Settings
from returns_portal.web.signing import CSRF_COOKIE
from tests.catalog.pictures import a_picture
from tests.catalog.shelves import CUSTOMER, a_product, a_variant, put
from tests.webclient import Browser, browsing, send, staff_signs_in

pytestmark = pytest.mark.anyio

HERE = "/shop-admin/chelsea-boot"


@pytest.fixture
async def staff(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    await put(begin, a_product(brand="Kestrel"))
    async with browsing(settings, database_url) as client:
        await staff_signs_in(client, begin, "support")
        yield client


async def rows(begin: Begin, statement: str) -> list[Any]:
    async with begin() as db:
        return list(await db.execute(text(statement)))


async def see(browser: Browser, path: str) -> str:
    answer = await browser.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


async def upload(browser: Browser, data: bytes, fields: Mapping[str, str] | None = None) -> Response:
    return await browser.post(
        f"{HERE}/pictures",
        data={**(fields or {}), "_csrf_token": browser.cookies[CSRF_COOKIE]},
        files={"photo": ("boot.jpg", data, "image/jpeg")},
    )


async def test_all_products_are_listed_and_found(staff: Browser, begin: Begin) -> None:
    await put(begin, a_product("hidden", title="Hidden Boot", listed=False, variants=[a_variant("HI-1")]))
    page = await see(staff, "/shop-admin")
    assert "Chelsea Boot" in page
    assert "not shown" in page
    assert '<td class="n">20</td>' in page
    found = await see(staff, "/shop-admin?q=HI-1")
    assert ("Hidden Boot" in found, "Chelsea Boot" in found) == (True, False)
    assert "No product has this" in await see(staff, "/shop-admin?q=zzz")


async def test_a_product_is_hidden_and_shown(staff: Browser, begin: Begin) -> None:
    for word, listed in (("no", False), ("no", False), ("yes", True)):
        answer = await send(staff, f"{HERE}/listing", {"listed": word})
        assert (answer.status_code, answer.headers["location"]) == (303, HERE)
        assert [row.listed for row in await rows(begin, "SELECT listed FROM product")] == [listed]
        assert ("Customers do not see this product" in await see(staff, "/shop/chelsea-boot")) is not listed
    told = await rows(begin, "SELECT action FROM history WHERE action IN ('listed', 'hidden') ORDER BY id")
    assert [row.action for row in told] == ["hidden", "listed"]


def counted(**stocks: tuple[int, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for size, (seen, count) in stocks.items():
        fields |= {f"seen:chelsea-boot-{size[1:]}": str(seen), f"counted:chelsea-boot-{size[1:]}": count}
    return fields


async def test_stock_is_corrected(staff: Browser, begin: Begin) -> None:
    answer = await send(staff, f"{HERE}/stock", counted(s40=(5, "7"), s41=(5, "5"), s42=(5, "0")))
    assert answer.status_code == 303, answer.text
    assert [row.stock for row in await rows(begin, "SELECT stock FROM variant ORDER BY sku")] == [7, 5, 0, 5]
    assert "2 stocks are corrected" in await see(staff, HERE)
    [told] = await rows(begin, "SELECT data FROM history WHERE action = 'stock_corrected'")
    assert sorted(told.data["stock"].values()) == [[5, 0], [5, 7]]


async def test_what_was_ordered_meanwhile_is_not_counted_away(staff: Browser, begin: Begin) -> None:
    async with begin() as db:
        await take_stock(db, {"chelsea-boot-42": 1})
    answer = await send(staff, f"{HERE}/stock", counted(s40=(5, "9"), s42=(5, "6")))
    assert answer.status_code == 422
    assert "Meanwhile the stock went from 5 to 4" in answer.text
    # Everything that was typed is still there, against the stock as it is now.
    assert re.search(r'name="counted:chelsea-boot-42"[^>]*value="6"', answer.text)
    assert 'name="seen:chelsea-boot-42" value="4"' in answer.text
    assert [row.stock for row in await rows(begin, "SELECT stock FROM variant ORDER BY sku")] == [5, 5, 4, 5]


@pytest.mark.parametrize("typed", ["", "-1", "x", "1.5", "9" * 8, "2000000"])
async def test_a_stock_that_is_no_number_comes_back_with_what_was_typed(
    staff: Browser, begin: Begin, typed: str
) -> None:
    answer = await send(staff, f"{HERE}/stock", counted(s40=(5, "9"), s42=(5, typed)))
    assert answer.status_code == 422, answer.text
    assert "whole number" in answer.text
    assert re.search(r'name="counted:chelsea-boot-40"[^>]*value="9"', answer.text)
    assert [row.stock for row in await rows(begin, "SELECT stock FROM variant ORDER BY sku")] == [5, 5, 5, 5]


async def test_a_picture_is_added_shown_and_removed(staff: Browser, begin: Begin) -> None:
    answer = await upload(staff, a_picture(comment=b"Elm Street"), {"color": "Black", "alt": "From the side"})
    assert (answer.status_code, answer.headers["location"]) == (303, HERE), answer.text
    [row] = await rows(begin, "SELECT id, color, alt, width, height, data FROM product_picture")
    assert (row.color, row.alt, row.width, row.height) == ("Black", "From the side", 60, 40)
    assert b"Elm Street" not in row.data
    assert f"/shop/chelsea-boot/pictures/{row.id}.jpg" in await see(staff, HERE)
    for _twice in range(2):
        answer = await send(staff, f"{HERE}/pictures/{row.id}/removal", {})
        assert answer.status_code == 303
    assert await rows(begin, "SELECT 1 FROM product_picture") == []
    assert "There is none yet" in await see(staff, HERE)


async def test_what_is_no_picture_is_refused_and_the_rest_kept(staff: Browser, begin: Begin) -> None:
    for data, words in ((b"MZ", "Please send a JPEG, PNG or WebP picture"), (b"", "choose a photo first")):
        answer = await upload(staff, data, {"alt": "From the side"})
        assert answer.status_code == 422
        assert words in answer.text
        assert 'value="From the side"' in answer.text
    long = await upload(staff, a_picture(), {"alt": "x" * 300})
    assert (long.status_code, "longer than 200" in long.text) == (422, True)
    huge = await upload(staff, bytes(16_000_000))
    assert huge.status_code == 413
    assert await rows(begin, "SELECT 1 FROM product_picture") == []


async def test_there_is_an_end_to_pictures(staff: Browser, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_PICTURES", 1)
    assert (await upload(staff, a_picture())).status_code == 303
    full = await upload(staff, a_picture())
    assert (full.status_code, "at most 1 pictures" in full.text) == (422, True)
    assert len(await rows(begin, "SELECT 1 FROM product_picture")) == 1


async def test_only_who_may_keeps_products(settings: Settings, database_url: str, begin: Begin) -> None:
    await put(begin, a_product())
    async with browsing(settings, database_url) as visitor:
        for path in ("/shop-admin", HERE):
            assert (await visitor.get(path)).headers["location"].startswith("/sign-in")
        for path in ("listing", "stock", "pictures"):
            assert (await send(visitor, f"{HERE}/{path}", {})).headers["location"] == "/sign-in"
        await staff_signs_in(visitor, begin, "finance")
        assert (await visitor.get(HERE)).status_code == 403
        assert (await send(visitor, f"{HERE}/listing", {"listed": "no"})).status_code == 403
    async with begin() as db:
        with pytest.raises(ForbiddenError):
            await keeping.set_listed(db, CUSTOMER, "chelsea-boot", listed=False)
        warehouse = Actor(kind="staff", grants=frozenset({"warehouse"}))
        await keeping.add_picture(db, warehouse, "chelsea-boot", rebuilt(a_picture()))


async def test_a_form_without_its_token_does_nothing(staff: Browser, begin: Begin) -> None:
    answer = await staff.post(f"{HERE}/listing", data={"listed": "no"})
    assert answer.status_code == 403
    assert [row.listed for row in await rows(begin, "SELECT listed FROM product")] == [True]

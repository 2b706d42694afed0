"""Products by the JSON API's keys."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import Response

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.settings import Settings
from tests.portal import at_once
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

PATH = "/api/v1/products/boot"


async def key(begin: Begin, *scopes: str) -> dict[str, str]:
    async with begin() as db:
        return {"Authorization": f"Bearer {await create_api_key(db, SYSTEM, 'shop', [*scopes])}"}


@pytest.fixture
async def client(begin: Begin, settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        client.headers.update(await key(begin, "products:read", "products:write"))
        yield client


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a product
    variants = [
        {"sku": f"boot-{size}", "size": str(size), "color": "Black", "price": 18900, "currency": "EUR", "stock": 50}
        for size in (40, 41)
    ]
    return {"title": "Chelsea Boot", "kind": "shoe", "variants": variants} | changes


async def test_put_shown_and_listed(client: Browser) -> None:
    created, again = await client.put(PATH, json=body()), await client.put(PATH, json=body())
    assert (created.status_code, again.status_code) == (201, 200), created.text
    shown = created.json()
    assert shown == again.json() == (await client.get(PATH)).json()
    assert {name: shown[name] for name in ("handle", "title", "kind", "size_system", "listed", "tax_rate")} == {
        "handle": "boot", "title": "Chelsea Boot", "kind": "shoe", "size_system": "eu", "listed": True, "tax_rate": 0,
    }  # fmt: skip
    assert shown["variants"][0] == {
        "sku": "boot-40", "size": "40", "color": "Black", "price": 18900, "currency": "EUR", "ean": "", "stock": 50,
        "weight_grams": 0,
    }  # fmt: skip
    assert (await client.get("/api/v1/products")).json() == {"items": [shown], "next_cursor": None}


async def test_the_list_is_read_in_pages(client: Browser) -> None:
    for i in range(5):
        variants = [{"sku": f"S-{i}", "price": 100, "currency": "EUR"}]
        assert (await client.put(f"/api/v1/products/p-{i}", json=body(variants=variants))).status_code == 201
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _page in range(3):
        page = (await client.get("/api/v1/products", params={"limit": "2", **cursor})).json()
        seen += [item["handle"] for item in page["items"]]
        cursor = {"cursor": page["next_cursor"]}
    assert (seen, page["next_cursor"]) == (["p-4", "p-3", "p-2", "p-1", "p-0"], None)
    assert (await client.get("/api/v1/products", params={"cursor": "x"})).json()["field"] == "cursor"


async def test_a_double_click_makes_one(client: Browser) -> None:
    answers: list[Response] = await at_once(*(client.put(PATH, json=body()) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 9, 201]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"kind": "hat"}, "kind"),
        ({"variants": []}, "variants"),
        ({"variants": [{"sku": "A", "price": 1.5, "currency": "EUR"}]}, "variants[0].price"),
        ({"variants": [{"sku": "A", "price": 1, "currency": "EURO"}]}, "variants[0].currency"),
        ({"variants": [{"sku": "A", "price": 1, "currency": "EUR", "ean": "1"}]}, "variants[0].ean"),
        ({"variants": [{"sku": "A", "price": 1, "currency": "EUR", "hat": 1}]}, "variants[0].hat"),
        ({"size_system": "mondo"}, "size_system"),
        ({"hat": 1}, "hat"),
    ],
)
async def test_what_cannot_be_names_its_field(client: Browser, changes: dict[str, Any], field: str) -> None:
    answer = await client.put(PATH, json=body(**changes))
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert (await client.get(PATH)).status_code == 404


async def test_a_handle_is_checked_and_a_sku_is_one_products(client: Browser) -> None:
    answer = await client.put("/api/v1/products/Not%20One", json=body())
    assert (answer.status_code, answer.json()["field"]) == (422, "handle")
    await client.put(PATH, json=body())
    taken = await client.put("/api/v1/products/other", json=body())
    assert (taken.status_code, taken.json()["code"]) == (409, "sku_taken")


async def test_a_key_does_what_it_may(client: Browser, begin: Begin) -> None:
    client.headers.update(await key(begin, "products:read"))
    assert (await client.put(PATH, json=body())).status_code == 403
    assert (await client.get("/api/v1/products")).status_code == 200
    client.headers.update(await key(begin, "orders:read"))
    for path in (PATH, "/api/v1/products"):
        assert (await client.get(path)).status_code == 403
    del client.headers["Authorization"]
    assert (await client.get("/api/v1/products")).status_code == 401

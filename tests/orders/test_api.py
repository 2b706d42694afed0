"""Orders through the JSON API of the whole application."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.settings import Settings
from tests.orders.samples import an_order, body
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

PATH = "/api/v1/orders/1001"


@pytest.fixture
async def shop(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    """A program with a key for orders."""
    async with begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["orders:read", "orders:write"])
    async with browsing(settings, database_url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_an_order_is_created_then_left_alone_then_changed(shop: Browser) -> None:
    created = await shop.put(PATH, json=body(an_order()))
    again = await shop.put(PATH, json=body(an_order()))
    changed = await shop.put(PATH, json=body(an_order(phone="+359 2 1")))
    assert [answer.status_code for answer in (created, again, changed)] == [201, 200, 200]
    assert again.json() == created.json() == (created.json() | {"phone": "+359 2 000 000"})
    assert (await shop.get(PATH)).json() == changed.json()


async def test_everything_that_was_sent_is_shown_and_no_more_than_that(shop: Browser) -> None:
    await shop.put(PATH, json=body(an_order()))
    shown = (await shop.get("/api/v1/orders/%231001")).json()
    [line] = shown.pop("lines")
    [payment] = shown.pop("payments")
    assert line.pop("line_id")
    assert payment.pop("payment_id")
    assert shown.pop("updated_at").endswith("Z")
    assert line == {
        "sku": "KE-42", "title": "Derby", "size": "42", "color": "Navy", "quantity": 2, "shipped": 2, "returnable": 2,
        "unit_price": 15900, "discount": 0, "tax": 5300, "paid": 31800,
    }  # fmt: skip
    assert payment == {
        "tender": "stripe", "status": "creating", "amount": 32290, "refunded_before": 0, "reference": None,
        "method": "", "imported_reference": None,
    }  # fmt: skip
    assert shown == {
        "number": "1001", "email": "Kunde@Example.com", "name": "Мария Георгиева", "phone": "+359 2 000 000",
        "locale": "bg", "currency": "EUR", "placed_at": "2026-10-05T00:41:00Z", "shipped_at": None,
        "delivered_at": "2026-10-08T00:00:00Z", "cancelled_at": None, "financial_status": "paid",
        "fulfillment_status": "fulfilled", "order_discount": 0, "extras": 0, "tax_included": True,
        "total": 32290, "source": "api",
        "shipping": {"price": 490, "discount": 0, "tax": 0, "standard_price": None, "paid": 490, "refundable": 490},
        "shipping_address": {
            "name": "Мария Георгиева", "line1": "бул. Витоша 89", "line2": "", "city": "София", "region": "",
            "postal_code": "1463", "country": "BG",
        },
    }  # fmt: skip


async def test_a_body_with_the_fields_of_the_contract_alone_is_enough(shop: Browser) -> None:
    sent = body(an_order())
    for name in ("shipped_at", "cancelled_at", "fulfilled", "financial_status", "number"):
        del sent[name]
    sent["lines"] = [{k: v for k, v in line.items() if k != "shipped"} for line in sent["lines"]]
    sent["payments"] = [{"tender": "stripe", "amount": 32290}]
    assert (await shop.put(PATH, json=sent)).status_code == 201


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("A/1", "A/1"),
        ("A%2F1", "A/1"),
        ("2026/11/0042", "2026/11/0042"),
        ("#1001", "1001"),
        ("%231001", "1001"),
        ("%23A%2F1", "A/1"),
        ("%20space", "space"),
        ("№%2017-Ü", "№ 17-Ü"),
        ("%E6%B3%A8%E6%96%87", "注文"),
        ("1.5", "1.5"),
        ("50%25", "50%"),
    ],
)
async def test_any_number_has_its_address(shop: Browser, address: str, number: str) -> None:
    path = f"/api/v1/orders/{address.replace('#', '%23')}"
    created = await shop.put(path, json=body(an_order(number=number)))
    assert (created.status_code, created.json()["number"]) == (201, number)
    assert (await shop.get(path)).json() == created.json()
    assert (await shop.put(path, json=body(an_order(number=number)))).status_code == 200
    assert [item["number"] for item in (await shop.get("/api/v1/orders")).json()["items"]] == [number]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("payments", {"payments": [{"tender": "external", "amount": 1}]}),
    ("lines[0].quantity", {"lines": [{"sku": "A", "title": "T", "quantity": 0, "unit_price": 1}]}),
    ("number", {"number": "1002"}),
    ("name", {"name": "a\x00b"}),
    ("currency", {"currency": "XXL"}),
]


@pytest.mark.parametrize(("field", "changes"), WRONG)
async def test_what_is_wrong_is_said_by_its_field_and_nothing_is_stored(
    shop: Browser, begin: Begin, field: str, changes: dict[str, Any]
) -> None:
    answer = await shop.put(PATH, json=body(an_order()) | changes)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.headers["content-type"] == "application/problem+json"
    async with begin() as db:
        assert await db.scalar(text("SELECT count(*) FROM orders")) == 0


@pytest.mark.parametrize(
    "changes",
    [{"placed_at": "yesterday"}, {"lines": [{"sku": "A"}]}, {"tax_included": "no"}, {"payments": [{"tender": "cash"}]}],
)
async def test_another_shape_is_refused(shop: Browser, changes: dict[str, Any]) -> None:
    assert (await shop.put(PATH, json=body(an_order()) | changes)).status_code == 422


async def test_keys_do_what_their_scopes_say(shop: Browser, begin: Begin) -> None:
    async with begin() as db:
        reader = await create_api_key(db, SYSTEM, "reader", ["orders:read"])
    headers = {"Authorization": f"Bearer {reader}"}
    assert (await shop.put(PATH, json=body(an_order()), headers=headers)).status_code == 403
    assert (await shop.get(PATH, headers=headers)).status_code == 404
    await shop.put(PATH, json=body(an_order()))
    assert (await shop.get(PATH, headers=headers)).status_code == 200
    listed = (await shop.get("/api/v1/orders?limit=1", headers=headers)).json()
    assert [item["number"] for item in listed["items"]] == ["1001"]
    assert listed["next_cursor"] is None
    assert (await shop.get("/api/v1/orders?limit=0", headers=headers)).status_code == 422


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("lines[0].unit_price", {"lines": [{"sku": "A", "title": "A", "quantity": 1, "unit_price": "1000"}]}),
        ("tax_included", {"tax_included": 1}),
        ("delivered_at", {"delivered_at": "null"}),
        ("delivered_at", {"delivered_at": 1_790_000_000}),
        ("deliverd_at", {"deliverd_at": "2026-10-08T00:00:00Z"}),
        ("shipping.cost", {"shipping": {"cost": 490}}),
        ("payments[0].tendre", {"payments": [{"tender": "external", "amount": 1, "tendre": "stripe"}]}),
    ],
)
async def test_nothing_is_guessed_from_what_is_of_another_type_or_unknown(
    shop: Browser, field: str, changes: dict[str, Any]
) -> None:
    answer = await shop.put(PATH, json=body(an_order()) | changes)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert (await shop.get(PATH)).status_code == 404

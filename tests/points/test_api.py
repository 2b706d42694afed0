"""Points by the JSON API's keys: the shop's own checkout."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from tests.points.purse import ANA, give
from tests.portal import Portal, at_once
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

REDEMPTIONS = "/api/v1/points/redemptions"


async def key(portal: Portal, *scopes: str) -> dict[str, str]:
    async with portal.begin() as db:
        return {"Authorization": f"Bearer {await create_api_key(db, SYSTEM, 'checkout', [*scopes])}"}


@pytest.fixture
async def checkout(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(portal.settings, database_url) as client:
        client.headers.update(await key(portal, "points:read", "points:write"))
        yield client


async def ask(checkout: Browser, amount: int, *, repeat: str = "", **more: Any) -> Response:  # noqa: ANN401 - fields
    body = {"email": ANA, "currency": "EUR", "amount": amount, **more}
    return await checkout.post(REDEMPTIONS, json=body, headers={"Idempotency-Key": repeat or str(uuid4())})


async def look_up(checkout: Browser) -> dict[str, Any]:
    answer = await checkout.post("/api/v1/customers/points-lookup", json={"email": "ANA@example.com"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_held_captured_and_looked_up(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    held = await ask(checkout, 400, order_number="1001", reference="cart 7", hold_minutes=15)
    assert held.status_code == 201, held.text
    body = held.json()
    assert (body["status"], body["amount"], body["captured"], body["settled_at"]) == ("held", 400, 0, None)
    assert await look_up(checkout) == {
        "email": "ANA@example.com",
        "balances": [
            {"currency": "EUR", "points": 600, "held": 400, "expiring": [{"points": 600, "expires_at": None}]}
        ],
    }
    path = f"{REDEMPTIONS}/{body['id']}"
    captured = await checkout.post(f"{path}/capture", json={"amount": 300})
    assert (captured.status_code, captured.json()["status"], captured.json()["captured"]) == (200, "captured", 300)
    assert (await checkout.get(path)).json() == captured.json()
    assert (await look_up(checkout))["balances"][0]["points"] == 700
    refused = await checkout.post(f"{path}/release")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_captured")


async def test_a_double_click_holds_once(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    answers = await at_once(*(ask(checkout, 400, repeat="click") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await look_up(checkout))["balances"][0]["held"] == 400
    other = await ask(checkout, 401, repeat="click")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


async def test_fifty_at_once_hold_what_there_is(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    answers = await at_once(*(ask(checkout, 300) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 3, 409: 47}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"too_few_points"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": 10**15}, "amount"),
        ({"email": "nobody"}, "email"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "XXX"}, "currency"),
        ({"hold_minutes": 0}, "hold_minutes"),
    ],
)
async def test_what_cannot_be_names_its_field(
    portal: Portal, checkout: Browser, changes: dict[str, Any], field: str
) -> None:
    await give(portal, 1_000)
    answer = await ask(checkout, **{"amount": 1, **changes})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field


async def test_without_a_key_for_repeats_nothing_is_held(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    answer = await checkout.post(REDEMPTIONS, json={"email": ANA, "currency": "EUR", "amount": 1})
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert await portal.rows("SELECT 1 FROM points_redemption") == []


async def test_reading_is_not_spending(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    held = (await ask(checkout, 1)).json()["id"]
    checkout.headers.update(await key(portal, "points:read"))
    assert (await ask(checkout, 1)).status_code == 403
    for step in ("capture", "release"):
        assert (await checkout.post(f"{REDEMPTIONS}/{held}/{step}", json={})).status_code == 403
    assert (await checkout.get(f"{REDEMPTIONS}/{held}")).status_code == 200
    checkout.headers.update(await key(portal, "orders:read"))
    assert (await checkout.get(f"{REDEMPTIONS}/{held}")).status_code == 403
    del checkout.headers["Authorization"]
    assert (await ask(checkout, 1)).status_code == 401


async def test_there_is_no_call_that_pays_points_out(portal: Portal, checkout: Browser) -> None:
    await give(portal, 1_000)
    held = (await ask(checkout, 100)).json()["id"]
    for path in (f"{REDEMPTIONS}/{held}/refund", f"{REDEMPTIONS}/{held}/payout", "/api/v1/points/payouts"):
        assert (await checkout.post(path, json={})).status_code == 404
    document = (await checkout.get("/schema/openapi.json")).json()
    assert {path for path in document["paths"] if "/points" in path} == {
        "/api/v1/customers/points-lookup",
        "/api/v1/points/redemptions",
        "/api/v1/points/redemptions/by-code",
        "/api/v1/points/redemptions/{redemption_id}",
        "/api/v1/points/redemptions/{redemption_id}/capture",
        "/api/v1/points/redemptions/{redemption_id}/release",
    }


async def test_what_is_not_there_is_not_found(checkout: Browser) -> None:
    path = f"{REDEMPTIONS}/{uuid4()}"
    assert (await checkout.get(path)).status_code == 404
    assert (await checkout.post(f"{path}/capture", json={})).status_code == 404
    assert (await checkout.post(f"{path}/release")).status_code == 404

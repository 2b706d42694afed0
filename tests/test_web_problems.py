"""What programs and people are told when what they sent cannot even be read."""

from collections.abc import AsyncIterator
from itertools import product

import pytest

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.settings import Settings
from returns_portal.web.signing import CSRF_COOKIE
from tests.webclient import Browser, browsing, send

pytestmark = pytest.mark.anyio

JSON = "application/json"
CALLS = [
    ("PUT", "/api/v1/orders/1"),
    ("POST", "/api/v1/returns"),
    ("POST", "/api/v1/check-ins"),
    ("POST", "/api/v1/customers/points-lookup"),
]


@pytest.fixture
async def shop(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    """A program that may do everything."""
    async with begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["all"])
    async with browsing(settings, database_url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url) as client:
        yield client


async def test_a_call_without_a_body_is_told_that_it_needs_one(shop: Browser) -> None:
    for (method, path), headers in product(CALLS, ({"content-type": JSON}, {})):
        answer = await shop.request(method, path, headers=headers)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid")
        assert "JSON body" in problem["detail"]
        assert "data" not in problem["detail"]
        assert "errors" not in problem


BROKEN = [
    (b"{", "truncated"),
    (b'{"lines": [1,}', "(byte 13)"),
    (b"\xff\xfe", "invalid character"),
    (b'{"name": "\xff"}', "not UTF-8"),
]


async def test_broken_json_is_told_where_it_breaks(shop: Browser) -> None:
    for (method, path), (body, why) in product(CALLS, BROKEN):
        answer = await shop.request(method, path, content=body, headers={"content-type": JSON})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert answer.headers["content-type"] == "application/problem+json"
        assert why in answer.json()["detail"]
        assert "Nothing was changed" in answer.json()["detail"]


OTHER_KINDS = [
    ("application/x-www-form-urlencoded", b"order_number=1"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\n1\r\n--x--"),
    ("application/yaml", b"order_number: 1"),
    ("text/csv", b"order_number,1"),
]


async def test_another_kind_of_body_is_named(shop: Browser) -> None:
    for (method, path), (kind, body) in product(CALLS, OTHER_KINDS):
        answer = await shop.request(method, path, content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert kind.partition(";")[0] in answer.json()["detail"]
        assert JSON in answer.json()["detail"]


async def test_a_body_that_is_too_large_is_told_the_limit(shop: Browser) -> None:
    for method, path in CALLS:
        answer = await shop.request(method, path, content=b" " * 1_000_001, headers={"content-type": JSON})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "1000 kB" in answer.json()["detail"]


WRONG_METHODS = [
    ("DELETE", "/api/v1/orders/1", "GET, PUT"),
    ("PATCH", "/api/v1/returns", "GET, POST"),
    ("GET", "/api/v1/check-ins", "POST"),
]


async def test_the_wrong_method_is_told_the_right_ones(shop: Browser) -> None:
    for method, path, allowed in WRONG_METHODS:
        answer = await shop.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert f"does not take {method}, only {allowed}." in answer.json()["detail"]
        assert set(answer.headers["allow"].split(", ")) == {*allowed.split(", "), "OPTIONS"}


async def test_the_wrong_method_on_a_page_leads_to_the_start(browser: Browser) -> None:
    answer = await browser.get("/sign-out")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert "belongs to a button" in answer.text
    assert "To the start" in answer.text
    assert "Try again" not in answer.text


async def test_a_form_that_is_too_large_is_told_the_limit(browser: Browser) -> None:
    answer = await send(browser, "/sign-in", {"email": "a" * 130_000})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "128 kB" in answer.text
    assert "Nothing was changed" in answer.text


async def test_what_is_no_form_is_not_read_as_an_empty_one(browser: Browser) -> None:
    await browser.get("/sign-in")
    for kind, body in ((JSON, b'{"email": "x"}'), ("text/plain", b"email=x"), ("", b"email=x")):
        headers = {"x-csrftoken": browser.cookies[CSRF_COOKIE]} | ({"content-type": kind} if kind else {})
        answer = await browser.post("/sign-in", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (415, "text/html; charset=utf-8")
        assert "Only forms are taken here" in answer.text


async def test_a_broken_form_is_a_page_that_says_so(browser: Browser) -> None:
    await browser.get("/sign-in")
    headers = {"x-csrftoken": browser.cookies[CSRF_COOKIE], "content-type": "multipart/form-data; boundary=x"}
    answer = await browser.post("/sign-in", content=b"email=x", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "could not be read" in answer.text
    assert "Nothing was changed" in answer.text


LINE = {"line_id": "00000000-0000-0000-0000-000000000000", "quantity": 1}
WITH_NUL = [
    ("/returns", "order_number", {"order_number": "A\x00", "lines": [LINE]}),
    ("/returns", "lines[0].reason", {"order_number": "A", "lines": [LINE | {"reason": "a\x00"}]}),
    ("/check-ins", "code", {"code": "a\x00", "lines": []}),
    ("/check-ins", "note", {"code": "R-0000-0000", "lines": [], "note": "\x00"}),
    ("/refunds/goodwill", "reason", {"order_number": "A", "amount": 1, "reason": "r\x00"}),
    ("/customers/points-lookup", "email", {"email": "a\x00@b.c"}),
    ("/points/redemptions", "reference", {"email": "a@b.c", "currency": "EUR", "amount": 5, "reference": "\x00"}),
]


@pytest.mark.parametrize(("path", "field", "body"), WITH_NUL)
async def test_what_no_database_keeps_is_refused_at_its_field(
    shop: Browser, path: str, field: str, body: dict[str, object]
) -> None:
    answer = await shop.post(f"/api/v1{path}", json=body, headers={"Idempotency-Key": "1"})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer.json()["detail"] == f"{field}: This contains characters that cannot be printed."

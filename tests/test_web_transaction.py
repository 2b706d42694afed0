"""One request, one transaction: what is kept, what is rolled back, and what the answer says of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import sqlalchemy.exc
from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, InvalidError, TooManyError
from returns_portal.settings import Settings
from returns_portal.web import flash, page, redirect
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

Db = NamedDependency[AsyncConnection]


async def put_down(db: AsyncConnection, value: int) -> None:
    await db.execute(text("INSERT INTO probe VALUES (:value)"), {"value": value})


class Line(Struct):
    quantity: int


class Order(Struct):
    lines: list[Line]


@post("/probe/kept")
async def keeps(request: Request[Any, Any, State], db: Db) -> Response[Any]:
    await put_down(db, 1)
    flash(request, "Kept <1>.")
    return redirect("/probe/shown")


@get("/probe/shown")
async def shows(request: Request[Any, Any, State]) -> Response[Any]:
    return page(request, "accounts/landing.html", typed={}, errors={}, order="")


@post("/probe/refused")
async def refuses(db: Db) -> None:
    await put_down(db, 2)
    raise ConflictError("This is {what}.", what="taken", code="taken", field="place", detail={"by": 7})


@post("/probe/uncommitted")
async def cannot_commit(db: Db) -> dict[str, str]:
    await put_down(db, 3)
    await put_down(db, 3)
    return {"answer": "never seen"}


@post("/probe/busy")
async def is_busy(db: Db) -> None:
    await db.execute(text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40P01'; END $$"))


@post("/probe/zero")
async def takes_no_zero_bytes(db: Db) -> None:
    await db.execute(text("SELECT CAST(:text AS text)"), {"text": "a\x00b"})


@get("/probe/limited", sync_to_thread=False)
def limited() -> None:
    raise TooManyError("Wait {seconds} s.", retry_after=30, seconds=30)


@get("/probe/full", sync_to_thread=False)
def full() -> None:
    raise sqlalchemy.exc.TimeoutError


@post("/probe/order")
async def takes_orders(data: JSONBody[Order], actor: NamedDependency[Actor]) -> dict[str, Any]:
    return {"lines": len(data.lines), "actor": actor.label}


@post("/probe/invalid", sync_to_thread=False)
def invalid() -> None:
    raise InvalidError("More than {limit}.", field="lines[0].quantity", limit=3)


HANDLERS = [keeps, shows, refuses, cannot_commit, is_busy, takes_no_zero_bytes, limited, full, takes_orders, invalid]


@pytest.fixture
async def key(begin: Begin) -> str:
    async with begin() as db:
        await db.execute(text("CREATE TABLE probe (value int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
        return await create_api_key(db, SYSTEM, "probe", ["all"])


@pytest.fixture
async def browser(settings: Settings, database_url: str, key: str) -> AsyncIterator[Browser]:
    pages, calls = Router("/", route_handlers=HANDLERS), Router("/api/v1", route_handlers=HANDLERS)
    async with browsing(settings, database_url, pages, calls) as client:
        client.headers["authorization"] = f"Bearer {key}"
        yield client


async def kept(begin: Begin) -> list[int]:
    async with begin() as db:
        return [*(await db.execute(text("SELECT value FROM probe"))).scalars()]


async def test_a_redirect_after_a_form_keeps_what_was_written_and_says_so(browser: Browser, begin: Begin) -> None:
    answer = await browser.post("/probe/kept")
    assert (answer.status_code, answer.headers["location"]) == (303, "/probe/shown")
    assert await kept(begin) == [1]
    shown = (await browser.get("/probe/shown")).text
    assert '<div class="flash" role="status">' in shown
    assert "Kept &lt;1&gt;." in shown
    assert "Kept" not in (await browser.get("/probe/shown")).text


async def test_a_sentence_for_the_next_page_cannot_be_forged(browser: Browser) -> None:
    browser.cookies.set("__Host-flash", "bm90IHNpZ25lZA", domain="127.0.0.1")
    assert "not signed" not in (await browser.get("/probe/shown")).text


async def test_a_domain_error_rolls_back(browser: Browser, begin: Begin) -> None:
    answer = await browser.post("/api/v1/probe/refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "This is taken.",
        "code": "taken",
        "field": "place",
        "existing": {"by": 7},
    }
    assert await kept(begin) == []


async def test_a_domain_error_is_a_page_for_people(browser: Browser) -> None:
    answer = await browser.post("/probe/refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")
    for words in ("This is taken.", "Nothing was changed", "+359 700 12 345", "help@nordsund.example"):
        assert words in answer.text


async def test_a_commit_that_fails_is_an_error_and_nothing_is_stored(browser: Browser, begin: Begin) -> None:
    for path in ("/probe/uncommitted", "/api/v1/probe/uncommitted"):
        answer = await browser.post(path)
        assert answer.status_code == 500
        assert "never seen" not in answer.text
        assert "duplicate" not in answer.text
    assert await kept(begin) == []


async def test_a_failed_request_gives_its_connection_back(browser: Browser) -> None:
    begin = browser.app.state.site.begin
    for path in ("/api/v1/probe/refused", "/api/v1/probe/uncommitted", "/api/v1/probe/busy", "/api/v1/probe/order"):
        await browser.post(path)
    await browser.post("/api/v1/probe/refused", headers={"authorization": "Bearer rp_unknown"})
    async with AsyncExitStack() as stack, asyncio.timeout(5):
        for _ in range(browser.app.state.site.engine.pool.size()):
            await stack.enter_async_context(begin())


async def test_deadlocks_are_to_be_tried_again(browser: Browser) -> None:
    answer = await browser.post("/api/v1/probe/busy")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (409, "busy", "1")


async def test_text_that_the_database_cannot_hold_is_the_callers_fault(browser: Browser) -> None:
    assert (await browser.post("/api/v1/probe/zero")).status_code == 422


async def test_an_exhausted_pool_is_unavailable(browser: Browser) -> None:
    answer = await browser.get("/api/v1/probe/full")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await browser.get("/probe/full")).status_code == 503


async def test_limits_say_when_to_come_back(browser: Browser) -> None:
    for path in ("/probe/limited", "/api/v1/probe/limited"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        assert "Wait 30 s." in answer.text


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ('{"lines": [{"quantity": 1}]}', 201, None),
        ('{"lines": [{"quantity": 1}, {"quantity": "x"}]}', 422, "lines[1].quantity"),
        ('{"lines": 3}', 422, "lines"),
        ("{}", 422, "lines"),
        ('{"lines": [{}]}', 422, "lines[0].quantity"),
        ('{"lines": [', 400, None),
        ("\xff", 400, None),
    ],
)
async def test_malformed_input_names_the_field(browser: Browser, body: str, status: int, field: str | None) -> None:
    headers = {"content-type": "application/json"}
    answer = await browser.post("/api/v1/probe/order", content=body.encode("latin-1"), headers=headers)
    assert answer.status_code == status
    assert answer.json().get("field") == field
    if status == 422:
        assert answer.json()["errors"][0]["message"]


async def test_a_rule_that_is_broken_names_the_field(browser: Browser) -> None:
    problem = (await browser.post("/api/v1/probe/invalid")).json()
    assert (problem["field"], problem["detail"], problem["code"]) == ("lines[0].quantity", "More than 3.", "invalid")


async def test_the_wrong_method_is_told_which_ones_are_taken(browser: Browser) -> None:
    answer = await browser.put("/api/v1/probe/busy")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]


async def test_too_large_a_body_is_refused(browser: Browser) -> None:
    headers = {"content-type": "application/json"}
    answer = await browser.post("/api/v1/probe/order", content="[" * 1_000_001, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_the_api_asks_for_a_key(browser: Browser) -> None:
    body: dict[str, Any] = {"lines": []}
    good = await browser.post("/api/v1/probe/order", json=body)
    assert good.json()["actor"].startswith("api:")
    for wrong in ("", "Bearer", "Bearer nothing", "Basic abc", "Bearer rp_abcdefgh_" + "x" * 43):
        answer = await browser.post("/api/v1/probe/order", json=body, headers={"authorization": wrong})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.json()["code"] == "unauthorized"

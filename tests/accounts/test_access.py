"""A customer comes in: order number and e-mail, a code by e-mail, one order's session."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from httpx import Response
from sqlalchemy import func, select
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts.actions import redeem_code
from returns_portal.accounts.models import LoginCode, RateLimit, WebSession
from returns_portal.accounts.rules import challenge_for
from returns_portal.db import Begin
from returns_portal.notifications.models import Email
from returns_portal.settings import Settings
from returns_portal.web.signing import SESSION_COOKIE, derive
from tests.webclient import Browser, add_order, browsing, send

pytestmark = pytest.mark.anyio

MAIL = "Ana@Example.com"


@pytest.fixture
async def browser(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    async with begin() as db:
        await add_order(db, "1042", MAIL)
        await add_order(db, "SC/7", MAIL)
    async with browsing(settings, database_url) as client:
        yield client


async def ask(browser: Browser, number: str = "1042", email: str = MAIL) -> Response:
    return await send(browser, "/access", {"number": number, "email": email})


async def codes(begin: Begin) -> list[str]:
    """The codes that were sent, the newest first."""
    async with begin() as db:
        rows = await db.execute(select(col(Email.values)).order_by(col(Email.id).desc()))
        return [str(row["code"]) for row in rows.scalars()]


async def test_three_clicks_from_the_landing_page_to_the_order(browser: Browser, begin: Begin) -> None:
    landing = await browser.get("/")
    assert 'action="/access"' in landing.text.replace("&#x2f;", "/")
    asked = await ask(browser)
    assert (asked.status_code, asked.headers["location"]) == (303, "/access/code")
    code_page = (await browser.get("/access/code")).text
    assert 'inputmode="numeric"' in code_page
    assert 'autocomplete="one-time-code"' in code_page
    assert 'href="/outbox"' in code_page
    (code,) = await codes(begin)
    assert re.fullmatch(r"\d{6}", code)
    came = await send(browser, "/access/code", {"code": f"{code[:3]} {code[3:]}"})
    assert (came.status_code, came.headers["location"]) == (303, "/orders/1042")
    cookie = next(c for c in came.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}="))
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=7200"):
        assert part in cookie
    assert "Go on with order 1042" in (await browser.get("/")).text


@pytest.mark.parametrize("number", ["#1042", " 1042 "])
async def test_numbers_are_read_as_people_type_them(browser: Browser, begin: Begin, number: str) -> None:
    await ask(browser, number, " ana@EXAMPLE.com ")
    assert len(await codes(begin)) == 1


async def test_an_order_number_with_odd_characters_leads_to_its_page(browser: Browser, begin: Begin) -> None:
    await ask(browser, "sc/7")
    came = await send(browser, "/access/code", {"code": (await codes(begin))[0]})
    assert came.headers["location"] == "/orders/SC%2F7"


def told(answer: Response) -> tuple[object, ...]:
    """All that an answer tells, but for what is random in it."""
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "set-cookie")}
    cookies = [re.sub(r"=[^;]{20,}", "=…", cookie) for cookie in answer.headers.get_list("set-cookie")]
    lengths = [len(cookie) for cookie in answer.headers.get_list("set-cookie")]
    return answer.status_code, headers, cookies, lengths, re.sub(r'value="[0-9a-f]{128}"', "", answer.text)


async def test_the_answer_is_the_same_for_orders_that_do_not_exist(
    browser: Browser, begin: Begin, settings: Settings, database_url: str
) -> None:
    async with browsing(settings, database_url) as stranger:
        known, unknown = await ask(browser), await ask(stranger, "9999", "somebody@example.com")
        assert told(known) == told(unknown)
        assert told(await browser.get("/access/code")) == told(await stranger.get("/access/code"))
        wrong, wrong_too = [await send(who, "/access/code", {"code": "12"}) for who in (browser, stranger)]
        assert wrong.status_code == 422
        assert told(wrong) == told(wrong_too)
    assert len(await codes(begin)) == 1
    async with begin() as db:
        assert (await db.execute(select(func.count()).select_from(LoginCode))).scalar_one() == 2


async def test_the_answer_takes_the_same_time_for_orders_that_do_not_exist(browser: Browser) -> None:
    async def took(number: str) -> float:
        began = time.perf_counter()
        assert (await ask(browser, number)).status_code == 303
        return time.perf_counter() - began

    await took("warm-up")
    known = [await took("1042") for _ in range(4)]
    unknown = [await took("9999") for _ in range(4)]
    assert min(known + unknown) >= 0.25
    assert abs(min(known) - min(unknown)) < 0.1


async def test_number_and_mail_must_belong_together(browser: Browser, begin: Begin) -> None:
    await ask(browser, "1042", "other@example.com")
    assert await codes(begin) == []
    for guess in ("000000", ""):
        assert (await send(browser, "/access/code", {"code": guess})).status_code == 422


async def test_a_form_that_fails_comes_back_with_what_was_typed(browser: Browser) -> None:
    answer = await ask(browser, "", "ana<at>example")
    assert answer.status_code == 422
    assert 'value="ana&lt;at&gt;example"' in answer.text
    assert 'id="number-error"' in answer.text
    assert 'id="email-error"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 2


async def test_a_code_serves_once(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    (code,) = await codes(begin)
    access = browser.cookies["__Host-access"]
    assert (await send(browser, "/access/code", {"code": code})).status_code == 303
    browser.cookies.set("__Host-access", access, domain="127.0.0.1", path="/")
    assert (await send(browser, "/access/code", {"code": code})).status_code == 422


async def test_five_at_once_with_one_code_are_one(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    (code,) = await codes(begin)
    site = browser.app.state.site

    async def redeem() -> bool:
        async with begin() as db:
            challenge = challenge_for("1042", MAIL)
            return await redeem_code(db, derive(site.secret, "access"), challenge, code) is not None

    assert sorted(await asyncio.gather(*(redeem() for _ in range(5)))) == [False] * 4 + [True]
    async with begin() as db:
        assert (await db.execute(select(func.count()).select_from(WebSession))).scalar_one() == 1


async def test_only_the_newest_code_counts(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    await ask(browser)
    newest, older = await codes(begin)
    if older != newest:
        assert (await send(browser, "/access/code", {"code": older})).status_code == 422
    assert (await send(browser, "/access/code", {"code": newest})).status_code == 303


async def test_after_five_wrong_attempts_the_right_code_is_too_late(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    (code,) = await codes(begin)
    for _ in range(5):
        wrong = "000001" if code == "000000" else "000000"
        assert (await send(browser, "/access/code", {"code": wrong})).status_code == 422
    assert (await send(browser, "/access/code", {"code": code})).status_code == 422


async def test_a_code_lasts_ten_minutes(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    (code,) = await codes(begin)
    with clock.shifted(timedelta(minutes=9, seconds=50)):
        assert (await browser.get("/access/code")).status_code == 200
    with clock.shifted(timedelta(minutes=10, seconds=1)):
        late = await send(browser, "/access/code", {"code": code})
        assert late.headers["location"] == "/"
        assert "took longer" in (await browser.get("/")).text


async def test_a_customers_session_ends_by_itself_and_by_leaving(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    await send(browser, "/access/code", {"code": (await codes(begin))[0]})
    token = browser.cookies[SESSION_COOKIE]
    with clock.shifted(timedelta(hours=2, seconds=1)):
        assert "Go on with order" not in (await browser.get("/")).text
    left = await send(browser, "/sign-out", {})
    assert left.headers["location"] == "/"
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1", path="/")
    assert "Go on with order" not in (await browser.get("/")).text


async def test_codes_are_limited_per_order_and_nobody_is_named_in_the_counts(browser: Browser, begin: Begin) -> None:
    for _ in range(5):
        assert (await ask(browser)).status_code == 303
    limited = await ask(browser)
    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= 600
    assert "try again in 10 minutes" in limited.text
    assert len(await codes(begin)) == 5
    # Another order of the same customer is another count.
    assert (await ask(browser, "SC/7")).status_code == 303
    async with begin() as db:
        buckets = (await db.execute(select(col(RateLimit.bucket)))).scalars().all()
    assert {name.split(":")[1] for name in buckets} == {"client", "order", "all"}
    assert not [name for name in buckets if "1042" in name or "ana" in name.lower()]


async def test_codes_are_kept_as_nothing_that_could_be_typed(browser: Browser, begin: Begin) -> None:
    await ask(browser)
    (code,) = await codes(begin)
    async with begin() as db:
        row = (await db.execute(select(LoginCode.__table__))).one()  # type: ignore[attr-defined]  # SQLModel's table
    assert code not in str(row)

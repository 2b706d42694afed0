"""Staff sign in, see what their roles open, and sign out."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from returns_portal import clock
from returns_portal.accounts import actions
from returns_portal.accounts.models import Staff, WebSession
from returns_portal.accounts.rules import landing_page
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.settings import Settings
from returns_portal.web import page, requires_staff
from returns_portal.web.signing import SESSION_COOKIE
from tests.webclient import PASSWORD, Browser, add_staff, browsing, send

pytestmark = pytest.mark.anyio


@get("/probe/finance", guards=[requires_staff("finance")])
async def books(request: Request[Any, Any, State], actor: NamedDependency[Actor]) -> Response[Any]:
    return page(request, "errors/problem.html", problem={"detail": actor.label})


@get("/probe/unasked", guards=[requires_staff("warehouse", "support")])
async def without_transaction() -> str:
    return "seen"


@pytest.fixture
async def browser(settings: Settings, database_url: str, begin: Begin) -> AsyncIterator[Browser]:
    async with begin() as db:
        await add_staff(db, "Mira@Shop.example", "finance")
        await add_staff(db, "irina@shop.example", "warehouse")
        await add_staff(db, "boss@shop.example", "admin")
    guarded = Router("/", route_handlers=[books, without_transaction])
    async with browsing(settings, database_url, guarded) as client:
        yield client


async def sign_in(browser: Browser, email: str, password: str = PASSWORD, after: str = "") -> Any:  # noqa: ANN401 - a response
    return await send(browser, "/sign-in", {"email": email, "password": password, "next": after})


@pytest.mark.parametrize(
    ("email", "start"),
    [("mira@shop.example", "/finance"), (" IRINA@shop.example", "/station"), ("boss@shop.example", "/finance")],
)
async def test_each_role_begins_at_its_own_page(browser: Browser, email: str, start: str) -> None:
    answer = await sign_in(browser, email)
    assert (answer.status_code, answer.headers["location"]) == (303, start)
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION_COOKIE}="))
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax", "Max-Age=43200"):
        assert part in cookie


def test_somebody_of_several_roles_begins_where_work_arrives() -> None:
    assert landing_page(frozenset({"finance", "warehouse"})) == "/station"
    assert landing_page(frozenset({"support"})) == "/finance/decisions"
    assert landing_page(frozenset()) == "/"


@pytest.mark.parametrize(
    ("email", "password"), [("mira@shop.example", "not it"), ("nobody@shop.example", PASSWORD), ("", "")]
)
async def test_a_wrong_password_and_an_unknown_mail_are_told_alike(browser: Browser, email: str, password: str) -> None:
    answer = await sign_in(browser, email, password)
    assert answer.status_code == 422
    assert "E-mail and password do not fit together" in answer.text
    assert f'value="{email}"' in answer.text
    assert not password or password not in answer.text
    assert SESSION_COOKIE not in browser.cookies


async def test_an_unknown_mail_takes_as_long_as_a_wrong_password(begin: Begin) -> None:
    async with begin() as db:
        await add_staff(db, "mira@shop.example", "finance")

        # The processor's time, all threads', since the hash is nearly all of it and a busy machine stretches the rest.
        async def took(email: str) -> float:
            began = time.process_time()
            assert await actions.sign_in(db, email, "wrong password") is None
            return time.process_time() - began

        await took("warm-up@shop.example")
        known = min([await took("mira@shop.example") for _ in range(4)])
        unknown = min([await took("nobody@shop.example") for _ in range(4)])
    assert 0.4 < known / unknown < 2.5


async def test_pages_of_staff_send_to_sign_in_and_back(browser: Browser) -> None:
    away = await browser.get("/probe/finance?from=2026-11-01&to=2026-11-30")
    assert away.status_code == 303
    assert away.headers["location"] == "/sign-in?next=%2Fprobe%2Ffinance%3Ffrom%3D2026-11-01%26to%3D2026-11-30"
    form = (await browser.get(away.headers["location"])).text
    assert "probe&#x2f;finance?from=2026-11-01&amp;to=2026-11-30" in form
    back = await sign_in(browser, "mira@shop.example", after="/probe/finance?from=2026-11-01")
    assert back.headers["location"] == "/probe/finance?from=2026-11-01"
    assert "staff:" in (await browser.get("/probe/finance")).text


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_signing_in_never_leads_to_another_site(browser: Browser, target: str) -> None:
    assert target not in (await browser.get("/sign-in", params={"next": target})).text
    assert (await sign_in(browser, "mira@shop.example", after=target)).headers["location"] == "/finance"


async def test_more_people_than_connections_can_come_at_once(browser: Browser) -> None:
    await browser.get("/sign-in")
    answers = await asyncio.gather(*(sign_in(browser, f"{n}@shop.example", "wrong") for n in range(24)))
    assert {answer.status_code for answer in answers} == {422}


async def test_a_role_opens_its_own_pages_only(browser: Browser) -> None:
    await sign_in(browser, "irina@shop.example")
    assert (await browser.get("/probe/unasked")).text == "seen"
    refused = await browser.get("/probe/finance")
    assert refused.status_code == 403
    assert "finance" in refused.text
    await sign_in(browser, "boss@shop.example")
    assert (await browser.get("/probe/finance")).status_code == 200


async def test_signing_in_makes_a_new_session_and_ends_the_old(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, "irina@shop.example")
    before = browser.cookies[SESSION_COOKIE]
    await sign_in(browser, "mira@shop.example")
    assert browser.cookies[SESSION_COOKIE] != before
    async with begin() as db:
        digests = (await db.execute(select(col(WebSession.digest)))).scalars().all()
    assert len(digests) == 1
    assert before.encode() not in digests


async def test_signing_out_ends_the_session_itself(browser: Browser) -> None:
    await sign_in(browser, "mira@shop.example")
    token = browser.cookies[SESSION_COOKIE]
    out = await send(browser, "/sign-out", {})
    assert out.headers["location"] == "/sign-in"
    assert "You are signed out." in (await browser.get("/sign-in")).text
    browser.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1", path="/")
    assert (await browser.get("/probe/finance")).status_code == 303


async def test_a_session_ends_after_twelve_hours(browser: Browser) -> None:
    await sign_in(browser, "mira@shop.example")
    with clock.shifted(timedelta(hours=11, minutes=59)):
        assert (await browser.get("/probe/finance")).status_code == 200
    with clock.shifted(timedelta(hours=12, seconds=1)):
        assert (await browser.get("/probe/finance")).status_code == 303


async def test_who_is_disabled_is_out_at_once(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, "mira@shop.example")
    async with begin() as db:
        await db.execute(update(Staff).values(disabled_at=clock.now()))
    assert (await browser.get("/probe/finance")).status_code == 303
    assert (await sign_in(browser, "mira@shop.example")).status_code == 422


async def test_attempts_are_limited_for_one_mail_also_for_the_right_password(browser: Browser) -> None:
    for _ in range(10):
        assert (await sign_in(browser, "mira@shop.example", "wrong")).status_code == 422
    limited = await sign_in(browser, "mira@shop.example")
    assert limited.status_code == 429
    assert 0 < int(limited.headers["retry-after"]) <= 600
    assert (await sign_in(browser, "irina@shop.example")).status_code == 303
    with clock.shifted(timedelta(minutes=11)):
        assert (await sign_in(browser, "mira@shop.example")).status_code == 303


async def test_staff_are_added_by_admins_once_and_properly(db: AsyncConnection) -> None:
    await add_staff(db, "New@Shop.example", "support", "warehouse")
    row = (await db.execute(select(col(Staff.email), col(Staff.roles), col(Staff.password_hash)))).one()
    assert row[:2] == ("new@shop.example", ["support", "warehouse"])
    assert row[2].startswith("$argon2id$")
    with pytest.raises(ConflictError):
        await add_staff(db, "new@shop.example", "finance")
    with pytest.raises(ForbiddenError):
        await actions.add_staff(
            db, Actor(kind="staff", grants=frozenset({"finance"})), "a@b.cd", "A", ["admin"], PASSWORD
        )


@pytest.mark.parametrize(
    ("email", "name", "roles", "password", "field"),
    [
        ("a@b.example", "A", ["finance"], "short", "password"),
        ("a@b.example", "A", ["finance"], "x" * 201, "password"),
        ("nothing", "A", ["finance"], PASSWORD, "email"),
        ("a@b.example", " ", ["finance"], PASSWORD, "name"),
        ("a@b.example", "A", ["boss"], PASSWORD, "roles"),
        ("a@b.example", "A", [], PASSWORD, "roles"),
    ],
)
async def test_impossible_staff_are_refused_by_field(
    db: AsyncConnection, email: str, name: str, roles: list[str], password: str, field: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        await actions.add_staff(db, SYSTEM, email, name, roles, password)
    assert refused.value.field == field


async def test_who_leaves_is_out_at_once_and_can_be_let_in_again(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, "mira@shop.example")
    assert (await browser.get("/probe/finance")).status_code == 200
    async with begin() as db:
        await actions.disable_staff(db, SYSTEM, " MIRA@shop.example ")
    assert (await browser.get("/probe/finance")).status_code == 303
    assert (await sign_in(browser, "mira@shop.example")).status_code == 422
    async with begin() as db:
        with pytest.raises(ConflictError):
            await actions.disable_staff(db, SYSTEM, "mira@shop.example")
        await actions.enable_staff(db, SYSTEM, "mira@shop.example")
    # Being let in again opens no session of before.
    assert (await browser.get("/probe/finance")).status_code == 303
    assert (await sign_in(browser, "mira@shop.example")).status_code == 303
    assert (await browser.get("/probe/finance")).status_code == 200


async def test_another_password_signs_out_and_lets_in_alone(browser: Browser, begin: Begin) -> None:
    await sign_in(browser, "mira@shop.example")
    async with begin() as db:
        with pytest.raises(InvalidError):
            await actions.change_password(db, SYSTEM, "mira@shop.example", "short")
        await actions.change_password(db, SYSTEM, "mira@shop.example", "quite another password")
    assert (await browser.get("/probe/finance")).status_code == 303
    assert (await sign_in(browser, "mira@shop.example")).status_code == 422
    assert (await sign_in(browser, "mira@shop.example", "quite another password")).status_code == 303


async def test_only_admins_change_staff_and_only_who_is_there(browser: Browser, begin: Begin) -> None:
    del browser  # Whose fixture has taken them on.
    finance = Actor(kind="staff", id="m", grants=frozenset({"finance"}))
    async with begin() as db:
        for change in (actions.disable_staff, actions.enable_staff):
            with pytest.raises(ForbiddenError):
                await change(db, finance, "irina@shop.example")
            with pytest.raises(NotFoundError):
                await change(db, SYSTEM, "nobody@shop.example")
        with pytest.raises(ForbiddenError):
            await actions.change_password(db, finance, "irina@shop.example", PASSWORD)
        with pytest.raises(ConflictError):
            await actions.enable_staff(db, SYSTEM, "irina@shop.example")

"""Who is signed in at the shop comes in by what the shop signs: once, for minutes, and by nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.accounts.shop_login import LONGEST, SKEW, visitor
from returns_portal.settings import SettingsError, load_settings
from tests.accounts.shop_tokens import SECRET, part, signed
from tests.portal import Portal, at_once
from tests.returns.visits import post, value, words
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio

BACK: Final = "https://shop.example/account?tab=orders"
ORIGINS: Final = ("https://shop.example",)


def claims(**changes: object) -> dict[str, Any]:
    base = {
        "email": "maria@example.com",
        "exp": int(clock.now().timestamp()) + 300,
        "jti": "5f1e7c9a",
        "return_url": BACK,
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def read(token: str) -> Any:  # noqa: ANN401 - a visitor or None
    return visitor([b"another-" * 4, SECRET.encode()], ORIGINS, token)


@pytest.fixture
async def browser(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    portal.settings = portal.settings.model_copy(
        update={"shop_login_secrets": SecretStr(f"{SECRET},{'n' * 32}"), "shop_origins": ORIGINS}
    )
    async with browsing(portal.settings, database_url) as client:
        yield client


async def arrive(browser: Browser, **changes: object) -> Any:  # noqa: ANN401 - a response
    answer = await browser.get(f"/in?token={signed(claims(**changes))}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/in/shop")
    return await browser.get("/in/shop")


async def test_who_is_signed_in_at_the_shop_needs_one_click(browser: Browser, portal: Portal) -> None:
    for number in ("1001", "1002"):
        await portal.order(number=number, email="Maria@Example.com")
    await portal.order(number="9999", email="somebody@example.com")
    page = await arrive(browser)
    assert "no code is needed" in words(page)
    # To look opens nothing.
    assert (await browser.get("/orders/1001")).status_code == 303
    opened = await post(browser, "/in/shop")
    assert (opened.status_code, opened.headers["location"]) == (303, "/my-orders")
    listed = await browser.get("/my-orders")
    assert "Order 1001" in words(listed)
    assert "Order 1002" in words(listed)
    assert "9999" not in listed.text
    assert 'href="https:&#x2f;&#x2f;shop.example&#x2f;account?tab=orders">Back to the shop' in listed.text
    assert "we ask for a code" not in words(listed)


async def test_all_orders_of_the_address_are_gone_over_to_and_no_other(browser: Browser, portal: Portal) -> None:
    for number in ("1001", "1002"):
        await portal.order(number=number, email="maria@example.com")
    await portal.order(number="9999", email="somebody@example.com")
    await arrive(browser, order="#1001")
    assert (await post(browser, "/in/shop")).headers["location"] == "/orders/1001"
    assert (await browser.get("/orders/1002")).status_code == 404
    gone = await post(browser, "/my-orders/open", {"order": value(await browser.get("/my-orders"), "order")})
    assert gone.headers["location"] == "/orders/1002"
    assert (await browser.get("/orders/1002")).status_code == 200
    [foreign] = await portal.rows("SELECT id FROM orders WHERE number = '9999'")
    for order in (str(foreign.id), "x", ""):
        assert (await post(browser, "/my-orders/open", {"order": order})).headers["location"] == "/my-orders"
    assert (await browser.get("/orders/9999")).status_code == 404


async def test_a_token_lets_in_once_and_a_double_click_is_once(
    browser: Browser, portal: Portal, database_url: str
) -> None:
    await portal.order(number="1001", email="maria@example.com")
    told = claims()
    await browser.get(f"/in?token={signed(told)}")
    await browser.get("/in/shop")
    answers = await at_once(*(post(browser, "/in/shop") for _ in range(2)))
    assert [answer.headers["location"] for answer in answers] == ["/my-orders"] * 2
    async with browsing(portal.settings, database_url) as thief:
        # Signed anew with the other secret it is the same token: its `jti` counts.
        for token in (signed(told), signed(told, secret="n" * 32)):
            await thief.get(f"/in?token={token}")
            assert (await post(thief, "/in/shop")).status_code == 404
        assert (await thief.get("/orders/1001")).status_code == 303


async def test_an_address_without_orders_is_told_so_with_a_way_back(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001")
    await arrive(browser, email="nobody@example.com")
    answer = await post(browser, "/in/shop")
    assert answer.status_code == 404
    assert "there is no order with the address" in words(answer)
    assert "Back to the shop" in words(answer)
    assert "nobody@" not in answer.text


async def test_an_order_of_somebody_else_is_not_opened_by_naming_it(browser: Browser, portal: Portal) -> None:
    await portal.order(number="1001", email="maria@example.com")
    await portal.order(number="9999", email="somebody@example.com")
    await arrive(browser, order="9999")
    assert (await post(browser, "/in/shop")).headers["location"] == "/my-orders"
    assert (await browser.get("/orders/9999")).status_code == 404


async def test_nothing_but_a_token_of_the_shop_is_taken(browser: Browser) -> None:
    for path in ("/in", "/in?token=", "/in?token=a.b.c", f"/in?token={signed(claims(), secret='x' * 32)}"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "This way in is not valid any more" in words(await browser.get("/"))
    assert (await browser.get("/in/shop")).headers["location"] == "/"
    assert (await post(browser, "/in/shop")).headers["location"] == "/"


def test_what_is_signed_is_read() -> None:
    found = read(signed(claims(order=1042)))
    assert (found.email, found.order, found.return_url) == ("maria@example.com", "1042", BACK)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e400},
        {"exp": -1},
        {"email": None},
        {"email": "maria"},
        {"email": "a" * 250 + "@example.com"},
        {"jti": None},
        {"jti": "short"},
        {"jti": "x" * 129},
    ],
)
def test_claims_that_say_too_little_are_refused(changes: dict[str, object]) -> None:
    assert read(signed(claims(**changes))) is None


def test_its_time_is_short_and_clocks_differ() -> None:
    now, skew = clock.now().timestamp(), SKEW.total_seconds()
    longest = LONGEST.total_seconds()
    for exp, taken in ((now - skew + 5, True), (now - skew - 5, False), (now + longest, True)):
        assert (read(signed(claims(exp=exp))) is not None) is taken
    assert read(signed(claims(exp=now + longest + skew + 5))) is None
    assert read(signed(claims(nbf=now + skew + 5))) is None
    assert read(signed(claims(nbf=now))) is not None
    token = signed(claims())
    with clock.at(clock.now() + timedelta(minutes=7)):
        assert read(token) is None


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {"alg": "HS256", "crit": ["b64"]}, [], 1]
)
def test_the_header_decides_nothing(header: object) -> None:
    assert read(signed(claims(), header=header)) is None


def test_what_was_changed_is_refused() -> None:
    token = signed(claims())
    head, body, signature = token.split(".")
    other = part(claims(email="eve@example.com"))
    for changed in (
        f"{head}.{other}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{token}.x",
        f"{token}x",
        f".{body}.{signature}",
        "é" + token,
        token * 20,
        signed([]),
        signed(b"\xff\xfe"),
        "",
    ):
        assert read(changed) is None
    assert visitor([], ORIGINS, token) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        "http://shop.example/",
        "//shop.example/",
        "javascript:alert(1)",
        "https://shop.example\\@evil.example/",
        "https://shop.example/\n",
        "https://[shop.example/",
        "",
    ],
)
def test_the_way_back_leads_to_the_shop_alone(url: str) -> None:
    assert read(signed(claims(return_url=url))).return_url == ""


@pytest.mark.parametrize("origins", ["http://shop.example", "shop.example", "https://shop.example/path", "https://a@b"])
def test_a_wrong_origin_is_refused_at_start(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("SHOP_ORIGINS", origins)
    with pytest.raises(SettingsError, match="SHOP_ORIGINS"):
        load_settings()


def test_origins_and_secrets_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_ORIGINS", "https://Shop.example/, http://localhost:3000")
    monkeypatch.setenv("SHOP_LOGIN_SECRETS", f"{SECRET},{'n' * 32}")
    settings = load_settings()
    assert settings.shop_origins == ("https://shop.example", "http://localhost:3000")
    assert settings.login_secrets == (SECRET.encode(), b"n" * 32)
    monkeypatch.setenv("SHOP_LOGIN_SECRETS", f"{SECRET},short")
    with pytest.raises(SettingsError, match="SHOP_LOGIN_SECRETS"):
        load_settings()

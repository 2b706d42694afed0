"""What surrounds every request: headers, host names, client addresses, cross-site forms, logs."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from html import unescape
from typing import Any, cast

import pytest
import structlog
from litestar import Request, Router, get, post
from litestar.datastructures import State

from returns_portal import logs
from returns_portal.settings import Settings
from returns_portal.web import client_network, form, redirect
from returns_portal.web.csrf import csrf_protection
from returns_portal.web.envelope import Envelope, hostname
from returns_portal.web.signing import CSRF_COOKIE
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio


@get("/probe/address", sync_to_thread=False)
def address(request: Request[Any, Any, State]) -> str:
    return client_network(request.scope)


@get("/probe/crash", sync_to_thread=False)
def crash() -> str:
    raise RuntimeError("secret: ana@example.com")


@post("/probe/form")
async def echo(request: Request[Any, Any, State]) -> dict[str, str]:
    return dict(await form(request))


@get("/probe/redirect", sync_to_thread=False)
def away() -> Any:  # noqa: ANN401 - a redirect
    return redirect("/sign-in")


def probes(settings: Settings) -> Router:
    assert settings.secret_key is not None
    secret = settings.secret_key.get_secret_value().encode()
    return Router("/", route_handlers=[address, crash, echo, away], middleware=[csrf_protection(secret)])


@pytest.fixture
async def browser(settings: Settings, database_url: str) -> AsyncIterator[Browser]:
    async with browsing(settings, database_url, probes(settings)) as client:
        yield client


EVERYWHERE = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none';"
    " manifest-src 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/livez", 200),
        ("/static/app.css", 200),
        ("/static/none.css", 404),
        ("/nowhere", 404),
        ("/probe/redirect", 303),
        ("/probe/crash", 500),
        ("/api/v1/nowhere", 404),
        ("/schema", 200),
        ("/schema/openapi.json", 200),
    ],
)
async def test_every_kind_of_answer_has_the_headers(browser: Browser, path: str, status: int) -> None:
    answer = await browser.get(path)
    assert answer.status_code == status
    assert EVERYWHERE.items() <= dict(answer.headers).items()
    assert "permissions-policy" in answer.headers
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_pages_are_not_kept_by_anybody(browser: Browser) -> None:
    for path in ("/", "/nowhere", "/probe/redirect", "/api/v1/nowhere"):
        assert (await browser.get(path)).headers["cache-control"] == "no-store"


async def test_behind_https_browsers_are_told_to_stay_there(settings: Settings, database_url: str) -> None:
    public = settings.model_copy(update={"base_url": "https://returns.example"})
    async with browsing(public, database_url) as browser:
        answer = await browser.get("/livez", headers={"host": "returns.example"})
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_pages_have_nothing_inline(browser: Browser) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/schema"):
        text = (await browser.get(path)).text
        assert "<style" not in text
        assert " style=" not in text
        assert " on" + "click=" not in text
        assert "<script>" not in text


async def test_a_foreign_host_name_is_refused(browser: Browser) -> None:
    answer = await browser.get("/", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "unknown_host")
    assert (await browser.get("/livez", headers={"host": "10.0.0.7:8000"})).status_code == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [(b"a.example:8000", "a.example"), (b"[::1]:8000", "::1"), (b"A.Example", "a.example"), (b"[", ""), (b"\xff", "")],
)
def test_host_names_are_read_without_their_port(header: bytes, name: str) -> None:
    assert hostname(header) == name


async def _network(settings: Settings, database_url: str, forwarded: str) -> str:
    async with browsing(settings, database_url, probes(settings)) as browser:
        return (await browser.get("/probe/address", headers={"x-forwarded-for": forwarded})).text


async def test_the_clients_address_is_believed_only_from_trusted_proxies(settings: Settings, database_url: str) -> None:
    # The test client calls itself "testclient", which is no address.
    assert await _network(settings, database_url, "203.0.113.9") == "unknown"


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # What stands left of the first address that no trusted proxy wrote is the sender's own claim.
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("nonsense", "unknown"),
    ],
)
async def test_addresses_from_a_trusted_proxy(
    settings: Settings, database_url: str, forwarded: str, network: str
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": ("testclient", "127.0.0.1")})
    assert await _network(behind, database_url, forwarded) == network


async def test_a_form_without_the_token_is_refused(browser: Browser) -> None:
    assert (await browser.post("/probe/form", data={"a": "1"})).status_code == 403
    await browser.get("/")
    assert (await browser.post("/probe/form", data={"a": "1"})).status_code == 403
    wrong = {"a": "1", "_csrf_token": "0" * 128}
    assert (await browser.post("/probe/form", data=wrong)).status_code == 403
    odd = {"a": "1", "_csrf_token": "é" * 128}
    assert (await browser.post("/probe/form", data=odd)).status_code == 403
    file = {"_csrf_token": ("token", "0" * 128)}
    assert (await browser.post("/probe/form", files=file)).status_code == 403
    refused = await browser.post("/sign-in", data={"email": "a@b.example", "password": "x"})
    assert refused.status_code == 403
    assert "Nothing was changed" in refused.text


async def test_a_form_with_the_token_is_taken(browser: Browser) -> None:
    await browser.get("/")
    token = browser.cookies[CSRF_COOKIE]
    urlencoded = await browser.post("/probe/form", data={"a": " 1 ", "_csrf_token": token})
    assert (urlencoded.status_code, urlencoded.json()) == (201, {"a": "1"})
    multipart = await browser.post("/probe/form", files={"a": (None, "1"), "_csrf_token": (None, token)})
    assert (multipart.status_code, multipart.json()) == (201, {"a": "1"})
    by_header = await browser.post("/probe/form", data={"a": "1"}, headers={"x-csrftoken": token})
    assert by_header.status_code == 201


async def test_a_token_of_another_browser_is_refused(browser: Browser, settings: Settings, database_url: str) -> None:
    await browser.get("/")
    async with browsing(settings, database_url) as other:
        await other.get("/")
        stolen = other.cookies[CSRF_COOKIE]
    assert (await browser.post("/probe/form", data={"a": "1", "_csrf_token": stolen})).status_code == 403


async def test_cookies_are_of_this_host_alone(browser: Browser) -> None:
    cookie = (await browser.get("/")).headers["set-cookie"]
    assert cookie.startswith("__Host-csrf=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie


async def test_forms_have_limits(browser: Browser) -> None:
    await browser.get("/")
    headers = {"x-csrftoken": browser.cookies[CSRF_COOKIE]}
    too_many = "&".join(f"a{n}=1" for n in range(501))
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/probe/form", content=too_many, headers=headers | kind)).status_code == 422
    assert (await browser.post("/probe/form", content="a=%00", headers=headers | kind)).status_code == 422
    file = {"photo": ("a.png", b"..", "image/png")}
    assert (await browser.post("/probe/form", files=file, headers=headers)).status_code == 422
    large = await browser.post("/access", content="a=" + "x" * 200_000, headers=headers | kind)
    assert large.status_code == 413


async def test_static_files_are_kept_for_ever_under_their_hash(browser: Browser) -> None:
    page = (await browser.get("/")).text
    address = unescape(page.split('rel="stylesheet" href="')[1].split('"')[0])
    sheet = await browser.get(address)
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert sheet.text.startswith("@layer reset, tokens, base, components, pages;")
    assert sheet.headers["content-encoding"] == "gzip"
    plain = await browser.get("/static/app.css", headers={"accept-encoding": "identity"})
    assert plain.text == sheet.text
    assert plain.headers["cache-control"] == "no-cache"
    again = await browser.get(address, headers={"if-none-match": sheet.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await browser.get("/static/../app.py")).status_code == 404
    assert (await browser.get("/static/%2e%2e/app.py")).status_code == 404


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BytesIO]:
    """What the portal logs, on its way to standard error."""
    written = io.BytesIO()
    # The test runner's own handlers of the standard library's logging stay as they are.
    monkeypatch.setattr(logging, "basicConfig", lambda **_options: None)
    logs.configure("info")
    structlog.configure(
        logger_factory=structlog.BytesLoggerFactory(cast("Any", written)), cache_logger_on_first_use=False
    )
    for module in ("returns_portal.web.envelope", "returns_portal.web.problems"):
        monkeypatch.setattr(f"{module}.log", structlog.get_logger())
    yield written
    structlog.reset_defaults()


def test_libraries_log_in_the_same_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    options: dict[str, Any] = {}
    monkeypatch.setattr(logging, "basicConfig", options.update)
    logs.configure("debug")
    structlog.reset_defaults()
    (handler,) = options["handlers"]
    try:
        int("ana@example.com")
    except ValueError as error:
        failure = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("queue", logging.ERROR, __file__, 1, "job of %s failed", ("ana@example.com",), failure)
    text = handler.format(record)
    line = json.loads(text)
    assert (line["event"], line["logger"], line["level"]) == ("job of %s failed", "queue", "error")
    assert line["error"] == "ValueError"
    assert line["places"][0].endswith("test_libraries_log_in_the_same_shape")
    assert "ana@example.com" not in text


async def test_a_request_is_one_line_without_anything_personal(browser: Browser, lines: io.BytesIO) -> None:
    answer = await browser.get("/static/ana@example.com?email=ana@example.com")
    (line,) = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert line["route"] == "/static/{file}"
    assert (line["method"], line["status"], line["actor"]) == ("GET", 404, "customer")
    assert line["request"] == answer.headers["x-request-id"]
    assert b"ana" not in lines.getvalue()


async def test_a_failure_is_logged_by_type_and_place_not_by_message(browser: Browser, lines: io.BytesIO) -> None:
    answer = await browser.get("/probe/crash")
    assert answer.status_code == 500
    assert "RuntimeError" not in answer.text
    assert "ana@example.com" not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    first = json.loads(lines.getvalue().splitlines()[0])
    assert (first["event"], first["error"]) == ("request.failed", "RuntimeError")
    assert first["places"][-1].endswith("crash")
    assert b"ana@example.com" not in lines.getvalue()


async def test_what_fails_beyond_the_application_is_still_an_answer(settings: Settings, database_url: str) -> None:
    async with browsing(settings, database_url) as browser:

        async def broken(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401 - ASGI
            raise OSError

        browser.app.asgi_handler = Envelope(broken, browser.app.state.site)
        answer = await browser.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")

"""What surrounds every request: who may ask under which host name, the headers of every answer, one log line.

A plain ASGI layer around the whole application, so that it also covers what no route answers. It is on the path of
every call of the API: headers are encoded once, and nothing is parsed that is not needed.
"""

import ipaddress
import secrets
from collections.abc import Iterable, MutableMapping
from functools import lru_cache
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from returns_portal import i18n, logs
from returns_portal.settings import Settings
from returns_portal.web import formats
from returns_portal.web.language import spoken
from returns_portal.web.pages import flash_cookie
from returns_portal.web.site import ACTOR, ANONYMOUS, FLASH, Site, notes

log = structlog.get_logger("returns_portal.web")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
MAIL_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
"""The one page with inline styles, for it is not one of ours: it is an e-mail, and mail clients know no other styles.

Nothing can run or be loaded in it, no link of it leads anywhere, and `sandbox` gives it an origin of its own, so that
it could not read a cookie or a page of the portal even if something in it ran.
"""
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_HSTS: Final = ("strict-transport-security", "max-age=31536000")
_NO_STORE: Final = (b"cache-control", b"no-store")
_PROBES: Final = frozenset({"/livez", "/readyz"})
"""Asked by load balancers, which know the machine's address and not its name."""

Pair = tuple[bytes, bytes]


class Envelope:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        """Prepare what is the same for every request."""
        self._app = app
        self._site = site
        settings = site.settings
        named = dict(_HEADERS)
        if settings.public_url.startswith("https:"):
            named.update([_HSTS])
        self._headers: list[Pair] = [(name.encode(), value.encode()) for name, value in named.items()]
        self._hosts = allowed_hosts(settings)
        self._proxies = frozenset(settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        answer = _Answer(self, scope, send)
        logs.request_id.set(answer.request_id)
        headers = _wanted(scope["headers"])
        if self._proxies:
            _believe(scope, self._proxies, headers.get(b"x-forwarded-for", b""))
        formats.zone.set(self._site.shop.timezone)
        i18n.speak(spoken(headers.get(b"cookie", b""), headers.get(b"accept-language", b"")))
        try:
            if hostname(headers.get(b"host", b"")) in self._hosts or scope["path"] in _PROBES:
                await self._app(scope, receive, answer.send)
            else:
                await _say(answer.send, 421, "unknown_host", "Misdirected Request")
        except Exception as error:
            # Litestar answers what its handlers raise; this is for what went wrong beyond them, in sending even.
            log.error("request.broken", **logs.describe(error))  # noqa: TRY400 - described without its message
            if answer.status:
                raise
            await _say(answer.send, 500, "failed", "Internal Server Error")
        finally:
            log.info(
                "request",
                method=scope["method"],
                route=scope.get("path_template") or "unmatched",
                status=answer.status,
                ms=round((perf_counter() - started) * 1000, 2),
                actor=notes(scope).get(ACTOR, ANONYMOUS).label,
            )

    def complete(self, scope: HTTPScope, status: int, headers: Iterable[Pair], request_id: str) -> list[Pair]:
        """The headers of an answer, with those that every answer has."""
        complete = [*headers, (b"x-request-id", request_id.encode())]
        for name, _value in complete:
            if name == b"cache-control":
                break
        else:
            complete.append(_NO_STORE)
        # An answer may have a policy of its own (the demo's outbox shows mail); two would both be applied.
        own = {name for name, _value in complete}
        complete += [pair for pair in self._headers if pair[0] not in own]
        waiting = notes(scope).get(FLASH)
        if waiting is not None and 300 <= status < 400:  # noqa: PLR2004 - RFC 9110, 15.4: redirects
            complete.append(flash_cookie(self._site, waiting).to_encoded_header())
        return complete


class _Answer:
    """The answer to one request, as it passes by."""

    __slots__ = ("_envelope", "_scope", "_send", "request_id", "status")

    def __init__(self, envelope: Envelope, scope: HTTPScope, send: Send) -> None:
        self._envelope = envelope
        self._scope = scope
        self._send = send
        self.request_id = secrets.token_hex(8)
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._envelope.complete(
                self._scope, self.status, message.get("headers", ()), self.request_id
            )
        await self._send(message)


_WANTED: Final = frozenset({b"host", b"x-forwarded-for", b"accept-language", b"cookie"})


def _wanted(headers: Iterable[Pair]) -> dict[bytes, bytes]:
    return {name: value for name, value in headers if name in _WANTED}


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The host names that the portal answers to: its public one, and this machine's own."""
    public = urlsplit(settings.public_url).hostname or ""
    return frozenset({public, "localhost", "127.0.0.1", "::1"})


@lru_cache(256)
def hostname(header: bytes) -> str:
    """The name in a Host header, without its port; empty when it is no host."""
    try:
        return urlsplit(f"//{header.decode('ascii')}").hostname or ""
    except ValueError:
        return ""


def _believe(scope: HTTPScope, proxies: frozenset[str], forwarded: bytes) -> None:
    """Take the client's address from X-Forwarded-For, as far back as trusted proxies wrote it."""
    client = scope["client"]
    if client is None or client[0] not in proxies:
        return
    for hop in reversed(forwarded.decode("latin-1").split(",")):
        address = hop.strip()
        if not _is_address(address):
            return
        scope["client"] = (address, 0)
        if address not in proxies:
            return


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def client_network(scope: MutableMapping[str, Any] | Scope) -> str:
    """Whom limits count by: the client's IPv4 address, or the /64 of its IPv6 address, which one household has."""
    client = scope.get("client")
    if not client or not _is_address(client[0]):
        return "unknown"
    address = ipaddress.ip_address(client[0])
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6


async def _say(send: Send, status: int, code: str, title: str) -> None:
    """Answer in the shortest way, without any part of the application."""
    body = msgspec.json.encode({"type": "about:blank", "title": title, "status": status, "code": code})
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})

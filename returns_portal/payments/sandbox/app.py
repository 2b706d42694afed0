"""The sandbox as an ASGI application.

A small router instead of a framework: every request has the same shape (a form in, a document out, Stripe's
error envelope), and the sandbox shares the machine with what is measured against it.
"""

import asyncio
import hashlib
import ipaddress
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from returns_portal.payments.sandbox import errors, reads
from returns_portal.payments.sandbox.control import PREFIX, Control
from returns_portal.payments.sandbox.errors import ApiError
from returns_portal.payments.sandbox.faults import Fault, Faults
from returns_portal.payments.sandbox.params import decode_form, read
from returns_portal.payments.sandbox.refunds import Bank
from returns_portal.payments.sandbox.routes import Route, Router, routes
from returns_portal.payments.sandbox.store import Answered, Store

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = structlog.get_logger()
_LOST = (OperationalError, InterfaceError, PoolTimeout)
_PATIENCE = 8.0
_MAX_BODY = 1 << 20
_MAX_KEY = 255


class Request(msgspec.Struct):
    """One request, read whole."""

    id: str
    method: str
    path: str
    headers: dict[bytes, bytes]
    text: str
    """The form or the query string, as it came."""

    @property
    def endpoint(self) -> str:
        """To what an idempotency key belongs."""
        return f"{self.method} {self.path}"


class Answer(msgspec.Struct):
    """One answer, and where it was given before."""

    status: int
    body: bytes
    replayed: str | None = None
    """The request that was answered so first."""


class Sandbox:
    """The application: `create_sandbox()` makes it."""

    def __init__(self, store: Store, *, later: float) -> None:
        self._store = store
        self._faults = Faults()
        bank = Bank(later)
        self._control = Control(store, self._faults, bank)
        self._router = Router(routes(bank))
        self._running: set[str] = set()
        self._background: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._store.open()
                self._background = asyncio.create_task(self._run_background())
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._background:
                    self._background.cancel()
                await self._store.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _run_background(self) -> None:
        """Settle what is due twice a second, and let keys expire after a day, as Stripe may."""
        pruned = 0.0
        while True:
            await asyncio.sleep(0.5)
            try:
                await self._control.settle_due()
                if time.monotonic() - pruned > 3600:  # noqa: PLR2004 - once an hour
                    await self._store.forget_keys(older_than_hours=24)
                    pruned = time.monotonic()
            except _LOST:
                _log.warning("sandbox.store_unreachable")
                with suppress(*_LOST):
                    await self._store.heal()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        path: str = scope["raw_path"].decode("ascii")
        body = await _body(receive)
        if path.startswith(PREFIX):
            answer, fault = await self._controlled(scope, body), None
            await _send(send, answer, {})
            return
        text = (scope["query_string"] if scope["method"] == "GET" else body).decode("utf-8", "replace")
        request = Request("req_" + secrets.token_hex(7), scope["method"], path, headers, text)
        fault = self._faults.take(request.method, path, text)
        answer = await self._answer(request, fault)
        extra = {b"request-id": request.id.encode()}
        if version := headers.get(b"stripe-version"):
            extra[b"stripe-version"] = version
        if request.method == "POST" and (key := headers.get(b"idempotency-key")):
            extra[b"idempotency-key"] = key
        if answer.replayed:
            extra |= {b"idempotent-replayed": b"true", b"original-request": answer.replayed.encode()}
        if answer.status >= 500:  # noqa: PLR2004 - server errors are kept under the key: asking again is a no-op
            extra[b"stripe-should-retry"] = b"false"
        await _send(send, answer, extra, broken=fault is not None and fault.kind == "drop")

    async def _controlled(self, scope: Scope, body: bytes) -> Answer:
        if not ipaddress.ip_address(scope["client"][0]).is_loopback:
            return Answer(404, b"{}")
        try:
            return Answer(200, msgspec.json.encode(await self._control.answer(scope["method"], scope["path"], body)))
        except ApiError as error:
            return Answer(error.status, error.body)
        except msgspec.MsgspecError as error:
            return Answer(400, ApiError(400, str(error)).body)
        except _LOST:
            return Answer(503, ApiError(503, "The store does not answer.", type_="api_error").body)

    async def _answer(self, request: Request, fault: Fault | None) -> Answer:
        """Answer with the faults that were ordered; errors become Stripe's envelope."""
        if fault and fault.kind == "slow" and not fault.acts:
            await asyncio.sleep(fault.seconds)
        try:
            _authenticate(request)
            _refuse(request, fault)
            route, ids = self._router.find(request.method, request.path)
            answer = await self._patiently(request, route, ids, fault)
        except ApiError as error:
            answer = Answer(error.status, error.body)
        except Exception:  # noqa: BLE001 - whatever broke, the answer has Stripe's form
            _log.exception("sandbox.failed", endpoint=request.endpoint)
            answer = Answer(500, errors.internal().body)
        if fault and fault.kind == "slow" and fault.acts:
            await asyncio.sleep(fault.seconds)
        return answer

    async def _patiently(self, request: Request, route: Route, ids: list[str], fault: Fault | None) -> Answer:
        """Do it again where the store was lost: the key, written with the effect, makes that safe."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if request.method == "GET":
                    return await self._read(request, route, ids, fault)
                return await self._once(request, route, ids, fault)
            except _LOST:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)
                with suppress(*_LOST):
                    await self._store.heal()

    async def _read(self, request: Request, route: Route, ids: list[str], fault: Fault | None) -> Answer:
        if fault and fault.kind == "error":
            raise errors.internal()
        params = read(route.params, decode_form(request.text))
        async with self._store.unit() as unit:
            document = await route.handler(unit, params, *ids)
            if params.expand:
                document = await reads.expand(unit, document, params.expand)
        return Answer(200, msgspec.json.encode(document))

    async def _once(self, request: Request, route: Route, ids: list[str], fault: Fault | None) -> Answer:
        """Act at most once under the request's key; a key whose request still runs is refused."""
        key = _key_of(request)
        if key in self._running:
            raise errors.key_in_use(key)
        self._running.add(key)
        try:
            return await self._act(key, request, route, ids, fault)
        finally:
            self._running.discard(key)

    async def _act(self, key: str, request: Request, route: Route, ids: list[str], fault: Fault | None) -> Answer:
        """Act, and write effect and answer together under the key; or repeat the answer that stands there.

        The key is not looked up first: where it is taken, the write does nothing, and that is seldom.
        """
        params = read(route.params, decode_form(request.text))
        fingerprint = hashlib.sha256(request.text.encode()).digest()
        async with self._store.unit() as unit:
            status = 200
            try:
                if fault and fault.kind == "error" and not fault.acts:
                    raise errors.internal()
                document = await route.handler(unit, params, *ids)
                if params.expand:
                    document = await reads.expand(unit, document, params.expand)
                if fault and fault.kind == "error":
                    raise errors.internal()
                body = msgspec.json.encode(document)
            except ApiError as error:
                status, body = error.status, error.body
            mine = Answered(key, request.endpoint, fingerprint, status, body.decode(), request.id)
            if await unit.write(mine):
                return Answer(status, body)
            first = await unit.answered(key)
        if first.endpoint != request.endpoint:
            raise errors.key_reused(key, endpoint=first.endpoint.partition(" ")[2])
        if first.fingerprint != fingerprint:
            raise errors.key_reused(key)
        return Answer(first.status, first.body.encode(), replayed=first.request_id)


def create_sandbox(database_url: str, *, later: float) -> Sandbox:
    """Make the application.

    Args:
        database_url: where its schema `stripe_sandbox` lies, or is to be created.
        later: seconds after which asynchronous outcomes (of `pm_card_pendingRefund`, say) happen.
    """
    return Sandbox(Store(database_url), later=later)


def _authenticate(request: Request) -> None:
    """Take any secret test key: there is one account, and all keys see the same of it."""
    header = request.headers.get(b"authorization", b"").decode("latin-1")
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.startswith("sk_test_"):
        raise errors.unauthorized(key)


def _refuse(request: Request, fault: Fault | None) -> None:
    """Raise the fault that refuses a request before anything is begun."""
    if fault and fault.kind == "rate_limit":
        raise errors.rate_limited()
    if fault and fault.kind == "conflict":
        raise errors.key_in_use(_key_of(request))


def _key_of(request: Request) -> str:
    """Return the request's idempotency key; a request without one is alone with its id."""
    key = request.headers.get(b"idempotency-key", b"").decode("latin-1")
    if len(key) > _MAX_KEY:
        raise ApiError(400, f"Idempotency keys can be at most {_MAX_KEY} characters.", type_="idempotency_error")
    return key or request.id


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body") or len(body) > _MAX_BODY:
            return body


async def _send(send: Send, answer: Answer, extra: dict[bytes, bytes], *, broken: bool = False) -> None:
    """Send the answer; a broken one promises more than it sends, so that the connection ends midway."""
    length = len(answer.body) + (1 if broken else 0)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(length).encode()),
        *extra.items(),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if broken:
        await send({"type": "http.response.body", "body": b"", "more_body": True})
    else:
        await send({"type": "http.response.body", "body": answer.body})

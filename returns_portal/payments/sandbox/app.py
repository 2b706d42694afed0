"""The sandbox as an application: what becomes of one request.

A small router instead of a framework: every request has the same shape (a form in, a document out, Stripe's
error envelope), and the sandbox shares the machine with what is measured against it. `server.py` speaks HTTP.
"""

import asyncio
import base64
import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress

import msgspec
import structlog
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from returns_portal.payments.sandbox import errors, reads
from returns_portal.payments.sandbox.control import Control
from returns_portal.payments.sandbox.deliveries import Deliverer
from returns_portal.payments.sandbox.errors import ApiError
from returns_portal.payments.sandbox.events import Cause
from returns_portal.payments.sandbox.faults import Fault, Faults
from returns_portal.payments.sandbox.form import decode_form, read
from returns_portal.payments.sandbox.refunds import Bank
from returns_portal.payments.sandbox.routes import Route, Router, routes
from returns_portal.payments.sandbox.store import SCHEMA, Store
from returns_portal.payments.sandbox.unit import Answered

_log = structlog.get_logger()
_LOST = (OperationalError, InterfaceError, PoolTimeout)
_PATIENCE = 8.0
_MAX_KEY = 255


class Request(msgspec.Struct):
    """One request, read whole."""

    id: str
    method: str
    path: str
    headers: Mapping[str, str]
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
    broken: bool = False
    """Whether the connection is to end before the whole answer is sent."""


class Sandbox:
    """The application: `create_sandbox()` makes it."""

    def __init__(self, store: Store, *, throwaway: bool) -> None:
        self._store = store
        self._throwaway = throwaway
        self._faults = Faults()
        self._deliverer = Deliverer(store)
        bank = Bank()
        self._control = Control(store, self._faults, bank, self._deliverer)
        self._router = Router(routes(store, bank))
        self._running: set[str] = set()
        self._background: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect to the store, and begin what goes on by itself."""
        await self._store.open()
        tasks = self._run_background(), self._deliverer.run()
        self._background = [asyncio.create_task(task) for task in tasks]

    async def close(self) -> None:
        """End what goes on by itself, and disconnect."""
        for task in self._background:
            task.cancel()
        await self._deliverer.close()
        if self._throwaway:
            await self._store.drop()
        await self._store.close()

    async def _run_background(self) -> None:
        """Settle what is due twice a second, and let keys expire after a day, as Stripe may."""
        pruned = 0.0
        while True:
            await asyncio.sleep(0.5)
            try:
                await self._store.refresh()
                await self._control.settle_due()
                if time.monotonic() - pruned > 3600:  # noqa: PLR2004 - once an hour
                    await self._store.forget_keys(older_than_hours=24)
                    pruned = time.monotonic()
            except _LOST:
                _log.warning("sandbox.store_unreachable")
                with suppress(*_LOST):
                    await self._store.heal()

    async def control(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request under `/_sandbox/`."""
        try:
            return Answer(200, msgspec.json.encode(await self._control.answer(method, path, body)))
        except ApiError as error:
            return Answer(error.status, error.body)
        except msgspec.MsgspecError as error:
            return Answer(400, ApiError(400, str(error)).body)
        except _LOST:
            return Answer(503, ApiError(503, "The store does not answer.", type_="api_error").body)

    async def answer(self, request: Request) -> Answer:
        """Answer a request of the API, with the faults that were ordered for it."""
        fault = self._faults.take(request.method, request.path, request.text)
        answer = await self._answer(request, fault)
        answer.broken = fault is not None and fault.kind == "drop"
        return answer

    async def _answer(self, request: Request, fault: Fault | None) -> Answer:
        """Answer; errors become Stripe's envelope."""
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
            unit.cause = Cause(request.id, None if key == request.id else key)
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


def create_sandbox(
    database_url: str, *, later: float, schema: str = SCHEMA, throwaway: bool = False, keep_events: bool = False
) -> Sandbox:
    """Make the application.

    Args:
        database_url: where its schema lies, or is to be created.
        later: seconds after which asynchronous outcomes (of `pm_card_pendingRefund`, say) happen.
        schema: its name.
        throwaway: whether the schema is removed at the end.
        keep_events: whether all events are kept from the start, whoever listens.
    """
    return Sandbox(Store(database_url, later=later, name=schema, keep_events=keep_events), throwaway=throwaway)


def _authenticate(request: Request) -> None:
    """Take any secret test key, as bearer or as the name of basic authentication; all see the same account."""
    header = request.headers.get("Authorization", "")
    scheme, _, key = header.partition(" ")
    if scheme.lower() == "basic":
        key = _name_of(key)
    if scheme.lower() not in {"basic", "bearer"} or not key.startswith("sk_test_"):
        raise errors.unauthorized(key)


def _name_of(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode("latin-1").partition(":")[0]
    except ValueError:
        return ""


def _refuse(request: Request, fault: Fault | None) -> None:
    """Raise the fault that refuses a request before anything is begun."""
    if fault and fault.kind == "rate_limit":
        raise errors.rate_limited()
    if fault and fault.kind == "conflict":
        raise errors.key_in_use(_key_of(request))


def _key_of(request: Request) -> str:
    """Return the request's idempotency key; a request without one is alone with its id."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > _MAX_KEY:
        raise ApiError(400, f"Idempotency keys can be at most {_MAX_KEY} characters.", type_="idempotency_error")
    return key or request.id

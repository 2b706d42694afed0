"""Serves the sandbox over HTTP as a process of its own, on this machine only."""

import asyncio
import ipaddress
import secrets
import signal
from collections.abc import Callable

import structlog
import uvloop
from aiohttp import web

from returns_portal import memory
from returns_portal.payments.sandbox.app import Answer, Request, Sandbox, create_sandbox
from returns_portal.payments.sandbox.control import PREFIX

HOST = "127.0.0.1"

_PATIENCE_SECONDS = 5
_JSON = "application/json"

_log = structlog.get_logger()


def run(*, database_url: str, port: int, later: float = 3.0) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        database_url: the PostgreSQL in which the sandbox keeps its schema `stripe_sandbox`.
        port: where it listens, on 127.0.0.1.
        later: seconds after which asynchronous outcomes happen.
    """
    serve(
        create_sandbox(database_url, later=later),
        port,
        lambda: _log.info("sandbox.listening", host=HOST, port=port),
    )


def serve(sandbox: Sandbox, port: int, listening: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        sandbox: the application.
        port: where it listens, on 127.0.0.1.
        listening: called when it does.
    """
    memory.keep_what_is_loaded()
    uvloop.run(_serve(sandbox, port, listening))


async def _serve(sandbox: Sandbox, port: int, listening: Callable[[], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await sandbox.open()
    # The low-level server, without aiohttp's own routes, middlewares and access log.
    runner = web.ServerRunner(
        web.Server(_Face(sandbox).handle, access_log=None), shutdown_timeout=_PATIENCE_SECONDS, handle_signals=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        listening()
        await stop.wait()
    finally:
        await runner.cleanup()
        await sandbox.close()


class _Face:
    """Turns what HTTP says into requests of the sandbox, and its answers into HTTP."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        # The path as it was sent: an id may hold an escaped slash.
        path, _, query = http.raw_path.partition("?")
        body = await http.read()
        if path.startswith(PREFIX):
            if not ipaddress.ip_address(http.remote or "0.0.0.0").is_loopback:  # noqa: S104 - stands for nobody
                return web.Response(status=404)
            controlled = await self._sandbox.control(http.method, path, body)
            return web.Response(body=controlled.body, status=controlled.status, content_type=_JSON)
        text = body.decode("utf-8", "replace") if http.method == "POST" else query
        request = Request("req_" + secrets.token_hex(7), http.method, path, http.headers, text)
        answer = await self._sandbox.answer(request)
        headers = _headers(request, answer)
        if answer.broken:
            return await _break(http, answer, headers)
        return web.Response(body=answer.body, status=answer.status, headers=headers)


def _headers(request: Request, answer: Answer) -> dict[str, str]:
    headers = {"Content-Type": _JSON, "Request-Id": request.id}
    if version := request.headers.get("Stripe-Version"):
        headers["Stripe-Version"] = version
    if request.method == "POST" and (key := request.headers.get("Idempotency-Key")):
        headers["Idempotency-Key"] = key
    if answer.replayed:
        headers |= {"Idempotent-Replayed": "true", "Original-Request": answer.replayed}
    if answer.status >= 500:  # noqa: PLR2004 - server errors are kept under the key: asking again is a no-op
        headers["Stripe-Should-Retry"] = "false"
    return headers


async def _break(http: web.BaseRequest, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    """Promise a whole answer, and end the connection midway."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    await response.prepare(http)
    await response.write(answer.body[: len(answer.body) // 2])
    if http.transport is not None:
        http.transport.close()
    return response

"""Serves the sandbox as a process of its own, on this machine only."""

import asyncio
import os
import signal
import sys

import structlog
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server

from returns_portal.payments.sandbox.app import create_sandbox

HOST = "127.0.0.1"

_log = structlog.get_logger()


def run(*, database_url: str, port: int, later: float = 3.0) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        database_url: the PostgreSQL in which the sandbox keeps its schema `stripe_sandbox`.
        port: where it listens, on 127.0.0.1.
        later: seconds after which asynchronous outcomes happen.
    """
    uvloop.run(_serve(database_url, port, later))
    _leave()


async def _serve(database_url: str, port: int, later: float) -> None:
    server = Server(
        create_sandbox(database_url, later=later),
        address=HOST,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    _log.info("sandbox.listening", host=HOST, port=port)
    await server.serve()


def _leave() -> None:
    """End the process without the interpreter's own farewell.

    Everything is committed and closed by now; but the server's threads outlive it, and one that wakes up in a
    dying interpreter aborts the process.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

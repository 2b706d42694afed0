"""The points between any two steps of a process, at each of which a power cut would leave something half done.

A step is a transaction's commit, a request to the gateway, a command to the mail server, or the taking and finishing of
a job. The product knows nothing of this: its parts are wrapped from outside.
"""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
import procrastinate
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin
from returns_portal.payments.stripe import StripeGateway

KILLED = -signal.SIGKILL
"""The exit code of a process that was killed."""


class Points:
    """Counts the points that a process passes; at one of them it kills itself, and nothing is tidied up.

    Args:
        kill_at: which one, counted from 1, or the first of this name; 0 for none.
        tell: is told the point's name just before.
    """

    def __init__(self, kill_at: int | str, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._tell = tell

    def reach(self, name: str) -> None:
        """Pass a point, or die at it."""
        self.count += 1
        if self._kill_at in (self.count, name):
            self._tell(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """A step with a point before and one after it."""

        @wraps(step)
        async def taken(*values: Any, **options: Any) -> Any:  # noqa: ANN401 - the step's own
            self.reach(f"before {name}")
            answer = await step(*values, **options)
            self.reach(f"after {name}")
            return answer

        return taken


def watch_transactions(begin: Begin, points: Points) -> Begin:
    """Transactions with a point before and one after each commit."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncConnection]:
        async with begin() as db:
            yield db
            points.reach("before commit")
        points.reach("after commit")

    return opened


def watch_gateway(gateway: StripeGateway, points: Points) -> None:
    """A point before each request is sent, and one after the gateway acted, before its answer is used."""
    http: Any = gateway._http
    send = http.request_async

    async def request(method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> object:
        name = f"{method.upper()} {'/'.join(urlsplit(url).path.split('/')[:3])}"
        return await points.around(name, send)(method, url, headers, body)

    http.request_async = request


def watch_mail(points: Points) -> None:
    """A point before and after each command of this process to any mail server."""
    server: Any = aiosmtplib.SMTP
    for command in ("connect", "mail", "rcpt", "data", "quit"):
        setattr(server, command, points.around(command.upper(), getattr(server, command)))


def watch_queue(app: procrastinate.App, points: Points) -> None:
    """A point before and after a job is taken, finished, or put back."""
    manager: Any = app.job_manager
    for step, name in (("fetch_job", "take"), ("finish_job", "finish"), ("retry_job", "retry")):
        setattr(manager, step, points.around(name, getattr(manager, step)))

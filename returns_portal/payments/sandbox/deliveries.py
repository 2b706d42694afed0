"""Delivering events: signed as Stripe signs them, again until somebody answers 2xx, at least once each.

The queue lies in the store. Whoever takes a delivery from it leases it; where the process dies with it, another
takes it after the lease. So an event may arrive twice, and out of order, as Stripe says of its own.
"""

import asyncio
import hashlib
import hmac
import time
from contextlib import suppress

import aiohttp
import msgspec
import structlog
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from returns_portal.payments.sandbox.events import Endpoint, Listening
from returns_portal.payments.sandbox.store import Store, Waiting

_AT_ONCE = 20
_ANSWER_SECONDS = 10.0
_LEASE_SECONDS = 15.0
_TICK_SECONDS = 0.5
_LONGEST_WAIT = 3600
_GIVE_UP_SECONDS = 3 * 86400
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
}

_log = structlog.get_logger()


def payload(event: str) -> bytes:
    """Write an event as it is sent: in lines, as Stripe writes it."""
    return msgspec.json.format(event, indent=2).encode()


def signature(body: bytes, secret: str, moment: int) -> str:
    """Sign a body as https://docs.stripe.com/webhooks#verify-manually says.

    Args:
        body: exactly what is sent.
        secret: the endpoint's, with its `whsec_`.
        moment: Unix seconds, which the signature includes.
    """
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={signed.hexdigest()}"


class Deliverer:
    """Sends what is due, several at once, until it is cancelled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listening: Listening = store.listening
        self._sending: set[asyncio.Task[None]] = set()
        self._done: list[tuple[str, str]] = []
        self._http: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Send what is due as soon as there is something, and look twice a second besides."""
        news = self._listening.news
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), _TICK_SECONDS)
            news.clear()
            with suppress(OperationalError, InterfaceError, PoolTimeout):
                await self._step()

    async def close(self) -> None:
        """Give up what is being sent: it is sent again when its lease is over."""
        for task in self._sending:
            task.cancel()
        if self._http is not None:
            await self._http.close()

    async def send(self, endpoint: Endpoint, event: str) -> int | None:
        """Send one event; returns the status that was answered, or None where nothing was."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
            self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        body = payload(event)
        headers = _HEADERS | {"Stripe-Signature": signature(body, endpoint.secret, int(time.time()))}
        try:
            # A redirect is no success to Stripe, and is not followed.
            async with self._http.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _step(self) -> None:
        if self._done:
            done, self._done = self._done, []
            await self._store.delivered(done, time.time())
        room = _AT_ONCE - len(self._sending)
        # Without endpoints there is nothing to deliver, unless they were removed with something on its way.
        if room <= 0 or not (self._listening.endpoints or self._sending):
            return
        taken = await self._store.take_deliveries(time.time(), room, _LEASE_SECONDS)
        for waiting in taken:
            task = asyncio.create_task(self._deliver(waiting))
            self._sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: "asyncio.Task[None]") -> None:
        self._sending.discard(task)
        self._listening.wake()

    async def _deliver(self, waiting: Waiting) -> None:
        endpoint = self._listening.endpoints.get(waiting.endpoint)
        with suppress(OperationalError, InterfaceError, PoolTimeout):
            if endpoint is None:
                await self._store.give_up(waiting.event, waiting.endpoint)
                return
            status = await self.send(endpoint, waiting.body)
            if is_success(status):
                self._done.append((waiting.event, waiting.endpoint))
            elif time.time() - waiting.first > _GIVE_UP_SECONDS:
                await self._store.give_up(waiting.event, waiting.endpoint)
            else:
                delay = min(2 ** (waiting.attempts - 1), _LONGEST_WAIT)
                _log.info("sandbox.delivery_failed", id=waiting.event, status=status, again_in=delay)
                await self._store.try_again(waiting.event, waiting.endpoint, time.time() + delay)


def is_success(status: int | None) -> bool:
    """Whether an answer says that the event was taken."""
    return status is not None and 200 <= status < 300  # noqa: PLR2004 - the statuses of success

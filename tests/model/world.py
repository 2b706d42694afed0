"""The portal that the model is held against: its actions on a real database, its queue, and a real sandbox process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import procrastinate
import uvloop
from pydantic import SecretStr

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.db import beginner, create_engine, run
from returns_portal.finance.books import Breach, check, check_gateway
from returns_portal.jobs import queue_app
from returns_portal.payments import inbox
from returns_portal.payments.gateway import GatewayRefund
from returns_portal.payments.models import FoundBy
from returns_portal.payments.reads import read_news
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.shop.actions import update_shop
from tests.databases import database
from tests.model.points import RATE
from tests.portal import Portal
from tests.sandboxes import KEY, SandboxProcess, running

T = TypeVar("T")

# The queue calls jobs by the database's own clock. What is due by the clock of the test is so long ago by that one, in
# the same order; what is not is far in its future.
_LONG_AGO: Final = timedelta(days=100 * 365)
_CALL: Final = """
    UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - CAST(:ago AS interval)
    WHERE status = 'todo' AND scheduled_at <= :now AND scheduled_at > now() RETURNING id
"""


class World(Portal):
    """A portal on a database of its own, whose every step is one call from outside of its event loop."""

    queue: procrastinate.App

    def __init__(
        self, runner: asyncio.Runner, settings: Settings, gateway: StripeGateway, url: str, sandbox: SandboxProcess
    ) -> None:
        self._runner = runner
        self._engine = create_engine(url, size=3)
        super().__init__(beginner(self._engine), settings, gateway, url)
        self.gateway = gateway
        self.sandbox = sandbox
        self.now = self.opened = self.began = datetime.max.replace(tzinfo=UTC)
        self.queue = queue_app(url, self.context)
        # What repeats by itself is done when the model says so.
        self.queue.periodic_registry.periodic_tasks.clear()

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something, at the moment of the model."""
        with clock.at(self.now):
            return self._runner.run(doing)

    async def open(self) -> None:
        await self.queue.open_async()
        async with self.begin() as db:
            await update_shop(db, SYSTEM, points_rate=RATE, points_since="2026-01-01T00:00:00Z")
        await self.begin_example()
        self.opened = self.began

    async def begin_example(self, months: int = 12) -> None:
        """Forget the jobs of an example that did not come to its end, and what happened at the gateway so far."""
        seconds = (2 * inbox.OVERLAP).total_seconds()
        self.began = datetime.fromtimestamp(self.sandbox.control("clock", advance=seconds)["now"], UTC)
        async with self.begin() as db:
            await run(db, "DELETE FROM procrastinate_jobs")
            await update_shop(db, SYSTEM, points_months=months)
            for name in ("events", "refunds", "disputes"):
                await inbox.set_read_until(db, name, self.began)

    async def close(self) -> None:
        await self.queue.close_async()
        await self._engine.dispose()

    async def work(self) -> None:
        """Run what is due by the clock of the model, and what falls due by that."""
        called = True
        while called:
            await self._call()
            await self.queue.run_worker_async(
                wait=False, concurrency=1, delete_jobs="successful", install_signal_handlers=False, listen_notify=False
            )
            called = await self._call()

    async def _call(self) -> bool:
        """Let the queue see what is due; whether there is anything."""
        async with self.begin() as db:
            return bool(await run(db, _CALL, ago=_LONG_AGO, now=clock.now()))

    async def told(self, kind: str, object_id: str, times: int) -> None:
        """Deliver the newest event about an object of the gateway's, so many times."""
        event = next(event for event in self._events(kind) if event["data"]["object"]["id"] == object_id)
        for _ in range(times):
            async with self.begin() as db:
                await inbox.store(db, read_news(msgspec.json.encode(event)), FoundBy.WEBHOOK)

    def _events(self, kind: str) -> Iterator[dict[str, Any]]:
        types = [name for name in inbox.EVENTS if name.startswith(kind)]
        form = "limit=50&" + "&".join(f"types[]={name}" for name in types)
        while True:
            status, page, _ = self.sandbox.send("GET", "/v1/events", form)
            assert status == 200, page
            yield from page["data"]
            assert page["has_more"], f"no event of {kind}"
            form += f"&starting_after={page['data'][-1]['id']}"

    def refunds_at_gateway(self) -> list[dict[str, Any]]:
        """All refunds that the gateway says were made in this example, the oldest first."""
        found: list[dict[str, Any]] = []
        form, more = f"created[gte]={int(self.began.timestamp())}&limit=100", True
        while more:
            status, page, _ = self.sandbox.send(
                "GET", "/v1/refunds", form + ("" if not found else f"&starting_after={found[-1]['id']}")
            )
            assert status == 200, page
            found += page["data"]
            more = page["has_more"]
        return found[::-1]

    async def list_refunds(self, since: datetime) -> AsyncIterator[GatewayRefund]:
        """The gateway's refunds since then that were made for this world."""
        async for refund in self.gateway.list_refunds(max(since, self.opened)):
            yield refund

    async def books(self) -> None:
        """All invariants of the books, but for what is late: nights fall when the machine likes."""
        with clock.at(self.opened):
            _none(await check(self.begin))

    async def books_and_gateway(self) -> None:
        """All invariants, and all our refunds beside all of the gateway's."""
        _none(await check(self.begin) + await check_gateway(self.begin, self))


def _none(breaches: Sequence[Breach]) -> None:
    assert not breaches, msgspec.json.format(msgspec.json.encode(breaches), indent=1).decode()


class Worlds:
    """Hands out a world, and a new one after one in which something went wrong."""

    def __init__(
        self, runner: asyncio.Runner, server_url: str, template: str, sandbox: SandboxProcess, home: Path
    ) -> None:
        self._runner = runner
        self._server_url = server_url
        self._template = template
        self._sandbox = sandbox
        self._settings = Settings(
            data_dir=home,
            secret_key=SecretStr("test-secret-" * 4),
            refund_delay=0,
            sandbox_port=sandbox.port,
        )
        self._gateway = StripeGateway(key=KEY, base=sandbox.base)
        without_waiting(self._gateway)
        self._open: Iterator[World] | None = None
        self._world: World | None = None
        self.examples = 0
        self.steps = 0
        """How many were done in both, and compared."""
        self.reached: Counter[str] = Counter()
        """What has come about, and in how many of them."""

    def world(self) -> World:
        if self._world is None:
            self._open = self._opened()
            self._world = next(self._open)
        return self._world

    def _opened(self) -> Iterator[World]:
        with database(self._server_url, "model", template=self._template) as url:
            world = World(self._runner, self._settings, self._gateway, url, self._sandbox)
            self._runner.run(world.open())
            yield world
            self._runner.run(world.close())

    def renew(self) -> None:
        """Let the next one begin anew."""
        if self._open is not None:
            next(self._open, None)
        self._open = self._world = None

    def close(self) -> None:
        self.renew()
        self._runner.run(self._gateway.close())


def without_waiting(gateway: StripeGateway) -> None:
    """Let each attempt follow at once on the one before."""
    http: Any = gateway._http
    http.sleep_async = lambda _: asyncio.sleep(0)


@contextmanager
def worlds(server_url: str, template: str, home: Path, begins: datetime) -> Iterator[Worlds]:
    """Worlds with one sandbox, whose clock begins where the model's does."""
    with (
        database(server_url, "sandbox") as sandbox_url,
        running(sandbox_url) as sandbox,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        now = sandbox.control("clock", advance=0)["now"]
        sandbox.control("clock", advance=begins.timestamp() - now)
        sandbox.control("events", keep=True)
        made = Worlds(runner, server_url, template, sandbox, home)
        try:
            yield made
        finally:
            made.close()
